/* SPDX-License-Identifier: Apache-2.0
 *
 * What engine_tflm.cc uses of TFLite Micro, declared after its public headers; nothing is defined.
 */
namespace tflite {
void InitializeTarget();
}
