# SPDX-License-Identifier: Apache-2.0
"""The nRF52840: one file per peripheral, and the chip that joins them."""
