# SPDX-License-Identifier: Apache-2.0
# Reads firmware/boards/<BOARD>/board.toml: each line `[table]` or `key = value` of it, into BOARD_KEY
# (or BOARD_TABLE_KEY under a table).  Strings lose their quotes; lists are of no use to C and left alone.
function(read_board file)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(STRINGS ${file} lines)
  set(prefix BOARD)
  foreach(line IN LISTS lines)
    if(line MATCHES "^\\[([a-z0-9_]+)\\]")
      string(TOUPPER "BOARD_${CMAKE_MATCH_1}" prefix)
    elseif(line MATCHES "^([a-z0-9_]+) *= *\"?([^\"#]*[^\"# ])")
      string(TOUPPER "${prefix}_${CMAKE_MATCH_1}" name)
      set(${name} "${CMAKE_MATCH_2}" PARENT_SCOPE)
    endif()
  endforeach()
endfunction()
