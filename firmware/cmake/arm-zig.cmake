# SPDX-License-Identifier: Apache-2.0
# Cortex-M4F with zig (clang and lld inside), which comes from PyPI as `ziglang`.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR cortex-m4)
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER python3 -m ziglang cc)
endif()
set(CMAKE_C_COMPILER_ID Clang)
set(CMAKE_C_COMPILER_VERSION 12)
include(${CMAKE_CURRENT_LIST_DIR}/no-probing.cmake)
set(CORTEX_M4_OPTIONS -target thumb-freestanding-eabihf -mcpu=cortex_m4 -fno-sanitize=undefined)
set(CORTEX_M4_LINK_OPTIONS "")
set(CORTEX_M4_LIBRARIES "") # zig adds its own
set(CORTEX_M4_NO_IDIOMS "")
