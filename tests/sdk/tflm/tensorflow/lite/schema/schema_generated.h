/* SPDX-License-Identifier: Apache-2.0
 *
 * What engine_tflm.cc uses of TFLite Micro, declared after its public headers; nothing is defined.
 */
#include <stdint.h>

namespace tflite {

class Model {
  public:
    uint32_t version() const;
};

const Model *GetModel(const void *buf);

} /* namespace tflite */
