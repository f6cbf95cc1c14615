# SPDX-License-Identifier: Apache-2.0
"""The live insole: conditioning as the board does it, wearer calibration, streaming, recording."""
