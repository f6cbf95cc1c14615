# SPDX-License-Identifier: Apache-2.0
"""Which layers cost accuracy as integers, as people read it: a table and a page of export's record."""

from __future__ import annotations

from edgegrf.explain.page import write_explain_page
from edgegrf.explain.table import COLUMNS, headline, rows, totals

__all__ = ["COLUMNS", "headline", "rows", "totals", "write_explain_page"]
