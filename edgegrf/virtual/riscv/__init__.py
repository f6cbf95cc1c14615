# SPDX-License-Identifier: Apache-2.0
"""An RV32IMC core as Espressif's ESP32-C3 has it, and its cycle model."""
