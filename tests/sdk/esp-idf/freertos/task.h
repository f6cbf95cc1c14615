/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/esp-idf uses of ESP-IDF 5.3, declared after its documentation; nothing is defined.
 */
#pragma once

#include "freertos/FreeRTOS.h"

typedef struct tskTaskControlBlock *TaskHandle_t;
typedef void (*TaskFunction_t)(void *);
BaseType_t xTaskCreate(TaskFunction_t code, const char *name, uint32_t stack, void *context,
                       UBaseType_t priority, TaskHandle_t *task);
uint32_t ulTaskNotifyTake(BaseType_t clear, TickType_t wait);
void vTaskNotifyGiveFromISR(TaskHandle_t task, BaseType_t *woken);
UBaseType_t uxTaskGetStackHighWaterMark(TaskHandle_t task);
