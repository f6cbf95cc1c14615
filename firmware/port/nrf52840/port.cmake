# SPDX-License-Identifier: Apache-2.0
# Bare metal: own start-up and linker script, no C library.
configure_file(${PORT_DIR}/board.h.in ${GENERATED}/board.h @ONLY)
configure_file(${PORT_DIR}/link.ld.in ${GENERATED}/link.ld @ONLY)

target_sources(objects PRIVATE
  ${PORT_DIR}/port.c ${PORT_DIR}/uart.c ${PORT_DIR}/startup.c port/bare/stack.c port/bare/string.c
  ${PORT_DIR}/fault.c ${PORT_DIR}/store.c ${PORT_DIR}/watchdog.c)
if(SCAN_CHANNELS)
  target_sources(objects PRIVATE ${PORT_DIR}/scan.c)
else()
  target_sources(objects PRIVATE ${PORT_DIR}/no_scan.c port/absent_scan.c)
endif()
set_source_files_properties(port/bare/string.c PROPERTIES COMPILE_OPTIONS
  "-fno-builtin;${CORTEX_M4_NO_IDIOMS}")
target_include_directories(objects BEFORE PRIVATE port/bare/include)
target_compile_options(objects PRIVATE ${CORTEX_M4_OPTIONS} -ffreestanding
  -fno-unwind-tables -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections)
target_link_options(firmware PRIVATE
  ${CORTEX_M4_OPTIONS} -T ${GENERATED}/link.ld
  -Wl,--gc-sections -Wl,--entry=startup_reset -Wl,--build-id=none ${CORTEX_M4_LINK_OPTIONS})
target_link_libraries(firmware PRIVATE ${CORTEX_M4_LIBRARIES})
set_target_properties(firmware PROPERTIES SUFFIX .elf LINK_DEPENDS ${GENERATED}/link.ld)
