# SPDX-License-Identifier: Apache-2.0
# Cortex-M4F with arm-none-eabi-gcc.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR cortex-m4)
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER arm-none-eabi-gcc)
endif()
set(CMAKE_C_COMPILER_ID GNU)
set(CMAKE_C_COMPILER_VERSION 12)
include(${CMAKE_CURRENT_LIST_DIR}/no-probing.cmake)
set(CORTEX_M4_OPTIONS -mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16)
set(CORTEX_M4_LINK_OPTIONS -nostdlib -Wl,--no-warn-rwx-segments)
set(CORTEX_M4_LIBRARIES gcc)
set(CORTEX_M4_NO_IDIOMS -fno-tree-loop-distribute-patterns) # no memset() made of memset()'s own loop
