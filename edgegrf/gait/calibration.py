# SPDX-License-Identifier: Apache-2.0
"""Wearer calibration: the weight that stands for 1 BW in one wearer's recordings.

An insole rarely shows newtons that a force plate would agree with, so a walk is normalised by what the
insoles themselves show of the wearer's weight.  Over whole strides the mean vertical force under both
feet is the body weight, because the body's vertical momentum does not drift (Newton's second law).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import DataError

__all__ = ["PLAUSIBLE_N", "check_body_weight", "insole_body_weight"]

#: from a 12 kg child to a 200 kg adult whose insole reads twice too much
PLAUSIBLE_N = (120.0, 4000.0)


def check_body_weight(newton: float, name: str) -> float:
    """`newton`, if it can be the weight of a walker as an insole shows it; raises DataError naming `name`."""
    low, high = PLAUSIBLE_N
    if not low <= newton <= high:
        raise DataError(
            f"{name}: a body weight of {newton:.6g} N is implausible",
            why=f"expected {low:.0f} to {high:.0f} N: raw counts, kg, or mean over a walk without steps?",
            fix="check the unit of the recording, or give body_weight_n in newton (kg × 9.81)",
        )
    return newton


def insole_body_weight(left: NDArray[np.float32], right: NDArray[np.float32], name: str) -> float:
    """The wearer's weight in N as mean(left + right) of the feet's total forces [T] in N over a walk.

    Raises DataError when the two feet differ in length, are empty, or give no plausible weight.
    """
    if len(left) != len(right) or not len(left):
        raise DataError(
            f"{name}: {len(left)} samples of the left foot and {len(right)} of the right",
            why="calibration to body weight needs both feet over the same time",
            fix="give body_weight_n of the wearer instead",
        )
    return check_body_weight(float(np.mean(left, dtype=np.float64) + np.mean(right, dtype=np.float64)), name)
