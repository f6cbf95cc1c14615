/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "keep.h"
#include "live.h"
#include "port.h"

int main(void) {
    static uint8_t chunk[64];

    port_init();
    keep_load();
    for (;;) {
        port_watchdog_feed();
        size_t length = port_receive(chunk, sizeof chunk);
        if (length) {
            app_take(chunk, length);
        }
        if (!live_turn() && !length) {
            port_idle();
        }
    }
}
