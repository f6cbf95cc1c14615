/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct flash_area;
enum { flash_area_of_storage_partition };
#define FIXED_PARTITION_ID(label) flash_area_of_##label
int flash_area_open(uint8_t id, const struct flash_area **area);
int flash_area_erase(const struct flash_area *area, off_t offset, size_t length);
int flash_area_write(const struct flash_area *area, off_t offset, const void *data, size_t length);
int flash_area_read(const struct flash_area *area, off_t offset, void *into, size_t length);
