# SPDX-License-Identifier: Apache-2.0
"""The synthetic walker: seeded walks for tests and for those who have no data yet; never a person's."""

from edgegrf.gait.walker.faults import CLEAN, MILD, Faults
from edgegrf.gait.walker.walk import FORCE_SOURCE, LAYOUTS, subject_name, walk

__all__ = ["CLEAN", "FORCE_SOURCE", "LAYOUTS", "MILD", "Faults", "subject_name", "walk"]
