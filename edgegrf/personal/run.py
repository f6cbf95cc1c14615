# SPDX-License-Identifier: Apache-2.0
"""Personalisation from a wearer's walks to files and figures."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgegrf import __version__
from edgegrf.manifest import command_line
from edgegrf.personal.files import Personal, write_personal
from edgegrf.personal.fitting import Fit, fit
from edgegrf.personal.judging import Judged, judge, pooled
from edgegrf.personal.student import Student
from edgegrf.personal.wearer import Wearer
from edgegrf.progress import Progress, silent

__all__ = ["Personalised", "fitted", "personalised"]


@dataclass(frozen=True)
class Personalised:
    """What came of it: `judged` and `personal` are empty where the general student is as good."""

    wearer: Wearer
    student: Student
    fit: Fit
    personal: Personal | None
    judged: tuple[Judged, ...]

    def record(self) -> dict[str, Any]:
        """The result as plain values; units are in the names of the keys."""
        rate, minute = self.student.interface.sample_rate_hz, self.wearer.minute
        chosen = self.fit.chosen
        return {
            "model": self.student.manifest.name,
            "model_sha256": self.student.manifest.sha256,
            "personal_sha256": self.personal.record.personal_sha256.hex() if self.personal else None,
            "subject": self.wearer.subject,
            "foot": self.wearer.foot,
            "fitted_seconds": self.wearer.samples / rate,
            "force_source": minute.force_source,
            "synthetic": minute.synthetic,
            "helps": self.fit.helps,
            "strength": chosen.strength,
            "gains_fitted": chosen.gains,
            "gains": dict(zip(self.student.interface.sensors, self.fit.gains, strict=True)),
            "held_out_of_the_minute": {
                "general_rmse_bw": self.fit.general_rmse_bw,
                "options": [vars(option) for option in self.fit.options],
            },
            "walks": [
                {"walk": one.trial.name, "from_s": one.begin / rate, **_sides([one], rate)}
                for one in self.judged
            ],
            "all": _sides(self.judged, rate) if self.judged else None,
            "provenance": {"command": command_line(), "edgegrf": __version__},
        }


def fitted(student: Student, wearer: Wearer, progress: Progress = silent) -> Fit:
    """The fit to the wearer's minute."""
    minute = wearer.minute
    assert minute.y is not None  # wearer()
    return fit(student, minute.x, minute.y, progress)


def personalised(student: Student, wearer: Wearer, folder: Path, progress: Progress = silent) -> Personalised:
    """Fit, write the files into `folder` and judge them by what the fit never saw.

    Nothing is written where the fit does not help.
    """
    found = fitted(student, wearer, progress)
    if not found.helps:
        return Personalised(wearer, student, found, None, ())
    rate = student.interface.sample_rate_hz
    about = {"subject": wearer.subject, "foot": wearer.foot, "fitted_seconds": wearer.samples / rate}
    held_out = {
        "general_held_out_rmse_bw": found.general_rmse_bw,
        "personal_held_out_rmse_bw": found.chosen.rmse_bw,
    }
    personal = write_personal(folder, student, found, held_out, about)
    judged = judge(student.tflite, personal.tflite, wearer.left)
    return Personalised(wearer, student, found, personal, tuple(judged))


def _sides(judged: Sequence[Judged], rate_hz: float) -> dict[str, Any]:
    sides = pooled(judged, rate_hz)
    seconds = sum(len(one.before) for one in judged) / rate_hz
    change = sides["after"]["rmse_bw"] / sides["before"]["rmse_bw"] - 1
    return {"seconds": seconds, **sides, "rmse_change": change if math.isfinite(change) else None}
