# SPDX-License-Identifier: Apache-2.0
"""Reports: one self-contained HTML file with figures, from a bench's record."""

from edgegrf.report.page import write_report

__all__ = ["write_report"]
