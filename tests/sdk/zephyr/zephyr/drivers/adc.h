/* SPDX-License-Identifier: Apache-2.0
 *
 * What firmware/port/zephyr uses of Zephyr 4, declared after its documentation; nothing is defined.
 */
#pragma once

#include "zephyr/device.h"
#include <stdbool.h>
#include <stddef.h>

struct adc_sequence_options;
struct adc_sequence {
    const struct adc_sequence_options *options;
    uint32_t channels;
    void *buffer;
    size_t buffer_size;
    uint8_t resolution;
    uint8_t oversampling;
    bool calibrate;
};
struct adc_dt_spec {
    const struct device *dev;
    uint8_t channel_id;
};
extern const struct device device_adc;
#define ADC_DT_SPEC_GET_BY_IDX(node, index) {&device_adc, (index)}
bool adc_is_ready_dt(const struct adc_dt_spec *spec);
int adc_channel_setup_dt(const struct adc_dt_spec *spec);
int adc_read(const struct device *device, const struct adc_sequence *sequence);
