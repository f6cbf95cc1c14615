/* SPDX-License-Identifier: Apache-2.0 */
#include "build.h"

#include "build_values.h"

const char build_version[] = BUILD_VERSION;
const char build_board[] = BUILD_BOARD;
const uint8_t build_sha256[32] = {BUILD_SHA256};
