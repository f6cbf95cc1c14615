# SPDX-License-Identifier: Apache-2.0
"""The ESP32-C3's peripherals, as far as firmware uses them; registers as in Espressif's SVD file."""
