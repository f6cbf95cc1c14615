/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"
#include "port.h"

int main(void) {
    static uint8_t chunk[64];

    port_init();
    for (;;) {
        port_watchdog_feed();
        size_t length = port_receive(chunk, sizeof chunk);
        if (length) {
            app_take(chunk, length);
        } else {
            port_idle();
        }
    }
}
