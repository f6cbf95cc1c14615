# SPDX-License-Identifier: Apache-2.0
"""Readers: one file per format, and one function that takes whatever path it is given."""

from edgegrf.gait.readers.read import FORMATS, default_data, read_walks, walk_files, walks_or_synthetic

__all__ = ["FORMATS", "default_data", "read_walks", "walk_files", "walks_or_synthetic"]
