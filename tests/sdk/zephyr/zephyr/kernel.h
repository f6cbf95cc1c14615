/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t ticks;
} k_timeout_t;
struct k_sem {
    unsigned count;
};
struct k_thread;
typedef struct k_thread *k_tid_t;
#define K_MSEC(ms) ((k_timeout_t){(ms)})
#define K_SECONDS(s) K_MSEC((s) * 1000)
#define SYS_FOREVER_US (-1)
#define K_SEM_DEFINE(name, initial, limit) struct k_sem name = {(initial)}
#define BUILD_ASSERT(condition, message) _Static_assert(condition, message)
int k_sem_take(struct k_sem *sem, k_timeout_t timeout);
void k_sem_give(struct k_sem *sem);
k_tid_t k_current_get(void);
int k_thread_stack_space_get(const struct k_thread *thread, size_t *unused);
uint32_t k_uptime_get_32(void);
