# SPDX-License-Identifier: Apache-2.0
# The sources of core/, for every build system that includes this file.
get_filename_component(CORE_DIR ${CMAKE_CURRENT_LIST_DIR}/../core ABSOLUTE)
set(CORE_SOURCES)
foreach(part main app link frame sense calibration personal keep live mlperf build)
  list(APPEND CORE_SOURCES ${CORE_DIR}/${part}.c)
endforeach()
