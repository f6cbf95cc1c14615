/* SPDX-License-Identifier: Apache-2.0
 *
 * What engine_tflm.cc uses of TFLite Micro, declared after its public headers; nothing is defined.
 */
#ifndef MICRO_INTERPRETER_H
#define MICRO_INTERPRETER_H

#include <stddef.h>
#include <stdint.h>

#include "tensorflow/lite/micro/micro_mutable_op_resolver.h"

#define TFLITE_SCHEMA_VERSION (3)

union TfLitePtrUnion {
    char *raw;
    int8_t *int8;
};

struct TfLiteTensor {
    TfLitePtrUnion data;
    size_t bytes;
};

namespace tflite {

class Model;

class MicroInterpreter {
  public:
    MicroInterpreter(const Model *model, const MicroOpResolver &op_resolver, uint8_t *tensor_arena,
                     size_t tensor_arena_size);
    ~MicroInterpreter();
    TfLiteStatus AllocateTensors();
    TfLiteStatus Invoke();
    TfLiteTensor *input(size_t index);
    TfLiteTensor *output(size_t index);
};

} /* namespace tflite */

#endif
