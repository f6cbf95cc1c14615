# SPDX-License-Identifier: Apache-2.0
# What an SDK's project compiles of this firmware: EDGEGRF_SOURCES, EDGEGRF_INCLUDES, EDGEGRF_DEFINITIONS.
# The folder above holds core/, engine/, port/, boards/, model/ and config.cmake, which `edgegrf build` wrote.
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR}/.. ABSOLUTE)
include(${root}/config.cmake) # BOARD, ENGINE, SENSOR_MAP, FIRMWARE_SHA256, FIRMWARE_VERSION
include(${CMAKE_CURRENT_LIST_DIR}/board.cmake)
read_board(${root}/boards/${BOARD}/board.toml)
set(MODEL_DIR ${root}/model)
set(GENERATED ${CMAKE_CURRENT_BINARY_DIR}/generated)
string(REGEX REPLACE "(..)" "0x\\1, " FIRMWARE_SHA256_BYTES ${FIRMWARE_SHA256})
include(${CMAKE_CURRENT_LIST_DIR}/core.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/scan.cmake)
configure_file(${root}/core/build_values.h.in ${GENERATED}/build_values.h @ONLY)

file(GLOB model_sources ${MODEL_DIR}/*.c)
file(GLOB engine_sources ${root}/engine/engine_${ENGINE}.c*)
set(EDGEGRF_SOURCES ${CORE_SOURCES} ${engine_sources} ${model_sources})
set(EDGEGRF_INCLUDES ${GENERATED} ${MODEL_DIR})
set(EDGEGRF_DEFINITIONS BOARD_BAUD=${BOARD_BAUD} BOARD_PIN_TXD=${BOARD_PIN_TXD} BOARD_PIN_RXD=${BOARD_PIN_RXD})
