/* SPDX-License-Identifier: Apache-2.0 */
#include "edgegrf.h"

void app_main(void) {
    edgegrf_run();
}
