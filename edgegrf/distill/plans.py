# SPDX-License-Identifier: Apache-2.0
"""The table of the shipped students: everything that defines one but the walks."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from edgegrf.distill.configuration import changed
from edgegrf.distill.recipes.none import Alone
from edgegrf.distill.recipes.recipe import Recipe
from edgegrf.distill.settings import Settings
from edgegrf.errors import UnknownNameError
from edgegrf.manifest import Interface
from edgegrf.resources import DEFAULT_STUDENT

__all__ = ["INSOLE4", "MATRIX", "PLANS", "TEACHERS", "Plan", "plan_of", "teacher_of"]


@dataclass(frozen=True)
class Plan:
    """A student to train."""

    architecture: str
    interface: Interface
    hyper: Mapping[str, Any] = field(default_factory=dict)
    settings: Settings = field(default_factory=Settings)
    recipe: Recipe = field(default_factory=Alone)


#: the benchmark task "reduced insole": 4 of the 8 sensors of a foot, that foot's total force, causal
INSOLE4 = Interface(
    sensors=("s1", "s3", "s4", "s7"),
    sensor_unit="BW",
    outputs=("vertical_force",),
    output_unit="BW",
    sample_rate_hz=100.0,
    window=200,
)
_WHOLE_WINDOWS = dataclasses.replace(INSOLE4, lookahead=-1)
_80_MS = dataclasses.replace(INSOLE4, lookahead=8)

#: a 16 x 8 matrix insole and two force components
MATRIX = Interface(
    sensors=tuple(f"r{row}c{column}" for row in range(16) for column in range(8)),
    sensor_unit="BW",
    outputs=("vertical_force", "anterior_posterior_force"),
    output_unit="BW",
    sample_rate_hz=100.0,
    window=200,
    frame=(16, 8),
)

# Without other gains 1 600 parameters learn the training insoles by heart (0.044 BW against 0.055 BW).
_GAINS = Settings(epochs=20, gain_spread=0.2, weight_decay=1e-2, keep_last=1)
_MORE_GAINS = dataclasses.replace(_GAINS, gain_spread=0.3)
_LONG = dataclasses.replace(_MORE_GAINS, epochs=40, rate=2e-2)

# What docs/distillation.md found under "Robustness".
_STREET = dataclasses.replace(_LONG, disturbed=0.9)

# For those with more parameters than walks: teachers, which need no accuracy on walks that they know.
_STRONG_GAINS = dataclasses.replace(_MORE_GAINS, gain_spread=0.5, weight_decay=3e-2)

_WINDOWS = dataclasses.replace(_GAINS, epochs=8, batch=64, rate=3e-3)

# Twelve blocks add up to a wide range, which 8 bits resolve badly; decay keeps it narrow.
_DEEP = dataclasses.replace(_WINDOWS, epochs=5, weight_decay=0.3)

_SEPARABLE = {"channels": 32, "dilations": [3, 9, 27]}

PLANS: dict[str, Plan] = {
    DEFAULT_STUDENT: Plan("dstcn", INSOLE4, {"dilations": [3, 9, 27]}, _LONG),
    "insole4-dstcn16-street": Plan("dstcn", INSOLE4, {"dilations": [3, 9, 27]}, _STREET),
    "insole4-dstcn32": Plan("dstcn", INSOLE4, _SEPARABLE, _MORE_GAINS),
    "insole4-dstcn32-80ms": Plan("dstcn", _80_MS, _SEPARABLE, _MORE_GAINS),
    "insole4-tcn32": Plan("tcn", INSOLE4, {}, _MORE_GAINS),
    "insole4-gru32": Plan("gru", INSOLE4, {}, dataclasses.replace(_GAINS, epochs=40)),
    "insole4-wrn16-1": Plan("wrn", _WHOLE_WINDOWS, {"depth": 16}, _WINDOWS),
    "insole4-wrn28-1": Plan("wrn", _WHOLE_WINDOWS, {"depth": 28}, _DEEP),
    "matrix16x8-st": Plan("matrix", MATRIX, {}, Settings(epochs=50, batch=4, rate=5e-3, step_noise=1.0)),
}


_WIDE = {"channels": 64, "dilations": [1, 3, 9, 27]}

#: whole windows in a chunk, behind its first 200 samples
_CHUNK_WINDOWS = 4

#: networks to learn from, by name; each is trained on the student's own task
TEACHERS: dict[str, Plan] = {
    "dstcn": Plan("dstcn", INSOLE4, _SEPARABLE, _STRONG_GAINS),
    "dstcn-centred": Plan("dstcn", dataclasses.replace(INSOLE4, lookahead=80), _SEPARABLE, _STRONG_GAINS),
    "tcn": Plan("tcn", INSOLE4, _WIDE, _STRONG_GAINS),
    "wrn16-1": PLANS["insole4-wrn16-1"],
    "wrn28-1": PLANS["insole4-wrn28-1"],
    "wrn16-3": Plan("wrn", _WHOLE_WINDOWS, {"depth": 16, "width": 3}, _WINDOWS),
    "wrn28-3": Plan("wrn", _WHOLE_WINDOWS, {"depth": 28, "width": 3}, _DEEP),
    "attention": Plan("attention", INSOLE4, {}, dataclasses.replace(_GAINS, epochs=24, rate=3e-3)),
}  # fmt: skip


def teacher_of(name: str, student: Plan, epochs: int | None = None) -> Plan:
    """The plan of a teacher for that student: its sensors, outputs and seed; raises UnknownNameError.

    Who learns in small batches, since walks are few, is taught by who did; a chunk is several windows.
    """
    if name not in TEACHERS:
        raise UnknownNameError("teacher", name, TEACHERS)
    base = TEACHERS[name]
    ahead = base.interface.lookahead or max(student.interface.lookahead, 0)
    batch = student.settings.batch * (_CHUNK_WINDOWS if ahead < 0 else 1)
    told = {"seed": student.settings.seed, "batch": min(base.settings.batch, batch)}
    told |= {"epochs": epochs} if epochs else {}
    return dataclasses.replace(
        base,
        interface=dataclasses.replace(student.interface, lookahead=ahead, frame=None),
        settings=dataclasses.replace(base.settings, **told),
    )


def plan_of(
    name: str | None,
    architecture: str | None,
    hyper: Mapping[str, Any],
    settings: Mapping[str, Any],
    interface: Mapping[str, Any] | None = None,
) -> tuple[str, Plan]:
    """The plan of a shipped student, of a teacher by name, or of `architecture` on the default task, changed.

    Without any name: the default student.  A new student without a name has its architecture's.
    Raises UnknownNameError.
    """
    if architecture is None:
        name = name or DEFAULT_STUDENT
        known = {**PLANS, **TEACHERS}
        if name not in known:
            raise UnknownNameError("student", name, known)
        base = known[name]
    else:
        base = _new(architecture)
    chosen = dataclasses.replace(
        base,
        interface=dataclasses.replace(base.interface, **(interface or {})),
        hyper={**base.hyper, **hyper},
        settings=changed(base.settings, settings),
    )
    return name or str(architecture).replace(":", "."), chosen


def _new(architecture: str) -> Plan:
    """The shipped plan of that architecture, if there is one, without its hyper-parameters."""
    for known in PLANS.values():
        if known.architecture == architecture:
            return dataclasses.replace(known, hyper={})
    return Plan(architecture, INSOLE4)
