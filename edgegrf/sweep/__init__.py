# SPDX-License-Identifier: Apache-2.0
"""Recipes x students x seeds x folds, trained, quantised, and set against what they cost on a board."""
