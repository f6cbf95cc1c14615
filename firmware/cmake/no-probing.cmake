# SPDX-License-Identifier: Apache-2.0
# The compiler is known and cannot link a program without our linker script: no test builds.  Finding out
# what zig is would also build a C library for the host, for 15 seconds.
set(CMAKE_C_COMPILER_ID_RUN TRUE)
set(CMAKE_C_COMPILER_FRONTEND_VARIANT GNU)
set(CMAKE_C_STANDARD_COMPUTED_DEFAULT 11)
set(CMAKE_C_EXTENSIONS_COMPUTED_DEFAULT OFF)
set(CMAKE_C_COMPILER_WORKS TRUE)
set(CMAKE_C_ABI_COMPILED TRUE)
