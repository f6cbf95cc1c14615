# SPDX-License-Identifier: Apache-2.0
# Bare metal: own start-up and linker script, no C library, no SDK.
configure_file(${PORT_DIR}/board.h.in ${GENERATED}/board.h @ONLY)
configure_file(${PORT_DIR}/${BOARD_BOOT}.ld.in ${GENERATED}/link.ld @ONLY)

target_sources(objects PRIVATE
  ${PORT_DIR}/port.c ${PORT_DIR}/clock.c ${PORT_DIR}/uart.c ${PORT_DIR}/watchdog.c ${PORT_DIR}/interrupts.c
  ${PORT_DIR}/fault.c ${PORT_DIR}/startup.c port/bare/string.c port/bare/stack.c)
if(BOARD_STORE_SIZE)
  target_sources(objects PRIVATE ${PORT_DIR}/store.c)
else()
  target_sources(objects PRIVATE port/absent_store.c)
endif()
if(SCAN_CHANNELS)
  target_sources(objects PRIVATE ${PORT_DIR}/scan.c)
else()
  target_sources(objects PRIVATE port/absent_scan.c)
endif()
set_source_files_properties(port/bare/string.c PROPERTIES COMPILE_OPTIONS "-fno-builtin;${RV32_NO_IDIOMS}")
target_include_directories(objects BEFORE PRIVATE port/bare/include)
target_compile_options(objects PRIVATE ${RV32_OPTIONS} -ffreestanding
  -fno-unwind-tables -fno-asynchronous-unwind-tables -ffunction-sections -fdata-sections)
target_link_options(firmware PRIVATE
  ${RV32_LINK_OPTIONS} -T ${GENERATED}/link.ld
  -Wl,--gc-sections -Wl,--entry=startup_reset -Wl,--build-id=none)
target_link_libraries(firmware PRIVATE ${RV32_LIBRARIES})
set_target_properties(firmware PROPERTIES SUFFIX .elf LINK_DEPENDS ${GENERATED}/link.ld)
