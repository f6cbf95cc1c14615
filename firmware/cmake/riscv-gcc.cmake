# SPDX-License-Identifier: Apache-2.0
# RV32IMC with riscv64-unknown-elf-gcc.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR rv32imc)
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER riscv64-unknown-elf-gcc)
endif()
set(CMAKE_C_COMPILER_ID GNU)
set(CMAKE_C_COMPILER_VERSION 12)
include(${CMAKE_CURRENT_LIST_DIR}/no-probing.cmake)
set(RV32_OPTIONS -march=rv32imc_zicsr -mabi=ilp32)
set(RV32_LINK_OPTIONS -march=rv32imc -mabi=ilp32 -nostdlib -Wl,--no-warn-rwx-segments) # libgcc knows no zicsr
set(RV32_LIBRARIES gcc)
set(RV32_NO_IDIOMS -fno-tree-loop-distribute-patterns) # no memset() made of memset()'s own loop
