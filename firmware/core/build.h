/* SPDX-License-Identifier: Apache-2.0
 *
 * build.h: what the build knows about itself; CMake fills it in (build_values.h.in).
 */
#ifndef BUILD_H
#define BUILD_H

#include <stdint.h>

extern const char build_version[];     /* of edgegrf */
extern const char build_board[];       /* the folder's name under boards/ */
extern const uint8_t build_sha256[32]; /* of the sources, the model and the options; 0: built by hand */

#endif
