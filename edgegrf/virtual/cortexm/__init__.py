# SPDX-License-Identifier: Apache-2.0
"""The Cortex-M4F core and its cycle model."""
