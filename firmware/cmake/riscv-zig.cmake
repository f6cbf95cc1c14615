# SPDX-License-Identifier: Apache-2.0
# RV32IMC with zig (clang and lld inside), which comes from PyPI as `ziglang`.
set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR rv32imc)
if(NOT CMAKE_C_COMPILER)
  set(CMAKE_C_COMPILER python3 -m ziglang cc)
endif()
set(CMAKE_C_COMPILER_ID Clang)
set(CMAKE_C_COMPILER_VERSION 12)
include(${CMAKE_CURRENT_LIST_DIR}/no-probing.cmake)
set(RV32_OPTIONS -target riscv32-freestanding-none -mcpu=generic_rv32+m+c+zicsr -mabi=ilp32 -fno-sanitize=undefined)
set(RV32_LINK_OPTIONS ${RV32_OPTIONS})
set(RV32_LIBRARIES "") # zig adds its own
set(RV32_NO_IDIOMS "")
