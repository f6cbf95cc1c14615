# SPDX-License-Identifier: Apache-2.0
"""Measurements behind the tables of README.md and docs/."""
