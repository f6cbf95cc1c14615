# SPDX-License-Identifier: Apache-2.0
"""edgegrf: a distilled gait student becomes a bit-exact int8 model on a microcontroller."""

__all__ = ["__version__"]

__version__ = "0.1.0"
