# SPDX-License-Identifier: Apache-2.0
"""Virtual boards: the same images as real ones, run under an emulated core; their times are estimates."""

from __future__ import annotations

from edgegrf.virtual.board import VirtualBoard, error_band
from edgegrf.virtual.counts import Share
from edgegrf.virtual.owners import Span
from edgegrf.virtual.serve import serve

__all__ = ["Share", "Span", "VirtualBoard", "error_band", "serve"]
