# SPDX-License-Identifier: Apache-2.0
"""Adapting a student to its wearer: input gains and the last layer, fitted to a minute of walking."""
