/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

struct onoff_manager;
struct sys_notify {
    int result;
};
struct onoff_client {
    struct sys_notify notify;
};
typedef void *clock_control_subsys_t;
#define CLOCK_CONTROL_NRF_SUBSYS_HF ((clock_control_subsys_t)0)
struct onoff_manager *z_nrf_clock_control_get_onoff(clock_control_subsys_t subsystem);
void sys_notify_init_spinwait(struct sys_notify *notify);
int onoff_request(struct onoff_manager *manager, struct onoff_client *client);
