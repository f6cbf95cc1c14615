# SPDX-License-Identifier: Apache-2.0
"""Flashers: one file each, one row each in the table."""

from edgegrf.flash.job import SerialAccess
from edgegrf.flash.table import FLASHERS, Flashed, erase_store, flash, flasher_of, read_checked

__all__ = ["FLASHERS", "Flashed", "SerialAccess", "erase_store", "flash", "flasher_of", "read_checked"]
