# SPDX-License-Identifier: Apache-2.0
"""What a person sees of a training: lines while it runs, a table at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edgegrf.cli.console import print_table, say

if TYPE_CHECKING:
    from edgegrf.distill.plans import Plan
    from edgegrf.distill.studio import Trained
    from edgegrf.distill.teacher import Teacher
    from edgegrf.distill.trainer import Epoch
    from edgegrf.gait.recording import Recording

__all__ = ["about_int8", "epoch_line", "few_steps", "show", "taught_by", "told_walks"]

_NAMES = {
    "float_rmse_bw": "rmse_bw before the int8 epochs",
    "ptq_rmse_bw": "int8 rmse_bw by the export alone",
    "qat_rmse_bw": "int8 rmse_bw trained",
}
_INT8 = dict.fromkeys(_NAMES, "BW")

#: steps an epoch under which a smaller batch was seen to learn better (54 chunks: 0.062 BW against 0.155)
_FEW_STEPS = 8


def about_int8(plan: Plan) -> list[str]:
    """What a person should know of the int8 epochs."""
    if not (plan.settings.qat and plan.recipe.features):
        return []
    return [
        f"{plan.recipe.name} compares features in the float epochs; in the {plan.settings.qat} int8 epochs "
        "it keeps its terms of the estimates"
    ]


def told_walks(recordings: list[Recording]) -> str:
    subjects = len({recording.subject for recording in recordings})
    return f"{len(recordings)} feet's walks of {subjects} subject{'s' if subjects != 1 else ''}"


def few_steps(recordings: list[Recording], plan: Plan) -> list[str]:
    """What to try where a pass over the walks is but a few steps."""
    from edgegrf.distill.examples import CHUNK

    chunks = sum(len(recording.pressure) // CHUNK for recording in recordings)
    batch = plan.settings.batch
    if plan.interface.lookahead < 0 or chunks >= _FEW_STEPS * batch or batch <= 4:
        return []
    smaller = max(2, chunks // _FEW_STEPS)
    return [
        f"few walks: {chunks} chunks of {CHUNK} samples make {-(-chunks // batch)} steps an epoch; "
        f"try --batch {smaller}"
    ]


def taught_by(teacher: Teacher, recordings: list[Recording], plan: Plan) -> str:
    """How good is what is taught, which a student seldom passes."""
    reached = teacher.rmse(recordings, plan.interface)
    who = "one network" if len(teacher.networks) == 1 else f"the mean of {len(teacher.networks)} networks"
    return f"taught by {who}: RMSE {reached:.4f} {plan.interface.output_unit} in validation"


def epoch_line(epoch: Epoch) -> str:
    computed = "" if epoch.arithmetic == "float" else f"{epoch.arithmetic} "
    return (
        f"{computed}epoch {epoch.epoch:3d}: RMSE {epoch.training_rmse:.4f} BW in training, "
        f"{epoch.validation_rmse:.4f} BW in validation"
    )


def show(trained: Trained) -> None:
    manifest = trained.manifest
    notes = {
        "done": "",
        "early": "stopped early: validation had ceased to improve",
        "nan": "stopped: the loss became NaN; the last good weights are kept (try a lower --rate)",
        "interrupted": "stopped by Ctrl-C: partial, with the best weights so far; the same command goes on",
    }
    units = {"rmse_bw": "BW", "rmse_n": "N", "r": "", "r2": "", "r2_unseen": "", **_INT8}
    rows = [
        ("parameters", manifest.model["parameters"], ""),
        *((_NAMES.get(key, key), f"{value:.4g}", units[key.partition(":")[0]])
          for key, value in manifest.metrics.items() if key.partition(":")[0] in units),
    ]  # fmt: skip
    synthetic = ", synthetic walks" if manifest.model.get("training", {}).get("synthetic") else ""
    print_table(manifest.name, (f"validation subjects{synthetic}", "value", "unit"), rows)
    say(f"wrote {trained.checkpoint} with its manifest, training.csv and README.md")
    if "ptq_rmse_bw" in manifest.metrics and "qat_rmse_bw" not in manifest.metrics:
        say("no int8 epoch was better than what the export makes by itself: nothing of them is kept")
    if notes[trained.outcome.ended]:
        say(notes[trained.outcome.ended])
