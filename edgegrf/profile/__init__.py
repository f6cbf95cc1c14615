# SPDX-License-Identifier: Apache-2.0
"""What each layer of a model costs on a virtual board: cycles, instructions, flash, RAM."""

from __future__ import annotations

from edgegrf.profile.page import write_profile_page
from edgegrf.profile.result import LayerCost, Profile
from edgegrf.profile.run import check_port, run_profile

__all__ = ["LayerCost", "Profile", "check_port", "run_profile", "write_profile_page"]
