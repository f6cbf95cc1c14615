# SPDX-License-Identifier: Apache-2.0
"""Training with the rounding in place: a student whose forward is its integer model's, for any loss."""

from __future__ import annotations

from edgegrf.qat.student import QuantisedStudent, quantised_student
from edgegrf.qat.studio import Tuned, fine_tune, train_for_int8

__all__ = ["QuantisedStudent", "Tuned", "fine_tune", "quantised_student", "train_for_int8"]
