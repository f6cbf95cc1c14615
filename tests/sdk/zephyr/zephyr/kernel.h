/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stdbool.h>
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
#define K_NO_WAIT K_MSEC(0)
#define K_SECONDS(s) K_MSEC((s) * 1000)
#define SYS_FOREVER_US (-1)
#define K_SEM_DEFINE(name, initial, limit) struct k_sem name = {(initial)}
#define BUILD_ASSERT(condition, message) _Static_assert(condition, message)
#define BIT_MASK(bits) ((1u << (bits)) - 1)
#define ARRAY_SIZE(array) (sizeof(array) / sizeof *(array))

struct k_msgq {
    char *buffer;
    size_t size;
    uint32_t room, used;
};
#define K_MSGQ_DEFINE(name, size, room, align)                                                               \
    static char name##_buffer[(size) * (room)];                                                              \
    struct k_msgq name = {name##_buffer, (size), (room), 0}
int k_msgq_put(struct k_msgq *queue, const void *item, k_timeout_t timeout);
int k_msgq_get(struct k_msgq *queue, void *item, k_timeout_t timeout);
uint32_t k_msgq_num_used_get(struct k_msgq *queue);
void k_msgq_purge(struct k_msgq *queue);

typedef struct {
    char bytes[16];
} k_thread_stack_t;
#define K_THREAD_STACK_DEFINE(name, size) k_thread_stack_t name[(size) / 16]
#define K_THREAD_STACK_SIZEOF(name) sizeof(name)
#define K_PRIO_COOP(n) (-16 + (n))
struct k_work;
typedef void (*k_work_handler_t)(struct k_work *work);
struct k_work {
    k_work_handler_t handler;
};
struct k_work_sync {
    int done;
};
struct k_work_q {
    int started;
};
struct k_work_queue_config;
#define K_WORK_DEFINE(name, handler) struct k_work name = {handler}
void k_work_queue_start(struct k_work_q *queue, k_thread_stack_t *stack, size_t size, int priority,
                        const struct k_work_queue_config *config);
int k_work_submit_to_queue(struct k_work_q *queue, struct k_work *work);
bool k_work_cancel_sync(struct k_work *work, struct k_work_sync *sync);

void k_busy_wait(uint32_t us);
int k_sem_take(struct k_sem *sem, k_timeout_t timeout);
void k_sem_give(struct k_sem *sem);
k_tid_t k_current_get(void);
int k_thread_stack_space_get(const struct k_thread *thread, size_t *unused);
uint32_t k_uptime_get_32(void);
