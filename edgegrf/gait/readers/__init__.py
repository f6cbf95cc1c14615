# SPDX-License-Identifier: Apache-2.0
"""Readers: one file per format, and one function that takes whatever path it is given."""

from edgegrf.gait.readers.read import default_data, read_walks, walk_files

__all__ = ["default_data", "read_walks", "walk_files"]
