/* SPDX-License-Identifier: Apache-2.0 */
#include "edgegrf.h"

int main(void) {
    return edgegrf_run();
}
