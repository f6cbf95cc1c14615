# SPDX-License-Identifier: Apache-2.0
# A process of the host under the sanitizers: zig brings the one for undefined behaviour only.
set(SANITIZE address,undefined CACHE STRING "for -fsanitize=; empty for none")
target_sources(objects PRIVATE ${PORT_DIR}/port.c ${PORT_DIR}/scan.c ${PORT_DIR}/store.c port/absent_fault.c)
if(SANITIZE)
  target_compile_options(objects PRIVATE -fsanitize=${SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer
    -Wframe-larger-than=4096) # the sanitizers pad every local
  target_link_options(firmware PRIVATE -fsanitize=${SANITIZE})
endif()
