# SPDX-License-Identifier: Apache-2.0
# The host's own compiler, or zig in its place: set CMAKE_C_COMPILER.
set(CMAKE_C_COMPILER_ID GNU)
set(CMAKE_C_COMPILER_VERSION 12)
include(${CMAKE_CURRENT_LIST_DIR}/no-probing.cmake)
