# SPDX-License-Identifier: Apache-2.0
"""The table of recipes: one file and one row each."""

from __future__ import annotations

from edgegrf.distill.recipes.amd import Amd
from edgegrf.distill.recipes.kd import Kd
from edgegrf.distill.recipes.mixkd import MixKd
from edgegrf.distill.recipes.none import Alone
from edgegrf.distill.recipes.patchswap import PatchSwap
from edgegrf.distill.recipes.recipe import Recipe
from edgegrf.distill.recipes.sckd import Sckd
from edgegrf.distill.recipes.smldist import SmlDist
from edgegrf.distill.recipes.takd import Takd
from edgegrf.distill.recipes.tpkd import Tpkd
from edgegrf.distill.recipes.tsak import Tsak

__all__ = ["RECIPES"]

RECIPES: dict[str, type[Recipe]] = {
    kind.name: kind for kind in (Alone, Kd, Sckd, Takd, SmlDist, Tsak, Tpkd, Amd, MixKd, PatchSwap)
}
