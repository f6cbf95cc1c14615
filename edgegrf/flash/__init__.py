# SPDX-License-Identifier: Apache-2.0
"""Flashers: one file each, one row each in the table."""

from edgegrf.flash.table import FLASHERS, Flashed, flash, flasher_of

__all__ = ["FLASHERS", "Flashed", "flash", "flasher_of"]
