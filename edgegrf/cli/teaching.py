# SPDX-License-Identifier: Apache-2.0
"""Who teaches a student: checkpoints that there are, and networks by name that are trained first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from edgegrf.cli.console import progress_bar, say
from edgegrf.cli.learning_view import few_steps
from edgegrf.errors import UsageError

if TYPE_CHECKING:
    from edgegrf.distill.plans import Plan
    from edgegrf.distill.teacher import Teacher
    from edgegrf.distill.trainer import Epoch

__all__ = ["teacher_from"]


def teacher_from(
    told: Sequence[str],
    student: Plan,
    folder: Path,
    *,
    epochs: int | None,
    data: Path | None,
    columns: Path | None,
    walks: int | None,
    device: str,
    threads: int | None,
    quiet: bool,
) -> Teacher:
    """The teacher of those checkpoints and names; networks by name are trained into `folder`/teacher-NAME.

    One that was trained there by the same plan on the same walks is taken as it is.  Raises UsageError for
    what is neither, KeyboardInterrupt where Ctrl-C ended a teacher's training: the same command goes on.
    """
    from edgegrf.distill.plans import TEACHERS, teacher_of
    from edgegrf.distill.teacher import load_teacher

    paths = []
    for one in told:
        if one in TEACHERS:
            place = folder / f"teacher-{one}"
            plan = teacher_of(one, student, epochs)
            paths.append(_trained(one, plan, place, data, columns, walks, device, threads, quiet=quiet))
        elif Path(one).suffix:
            paths.append(Path(one))
        else:
            raise UsageError(
                f"'{one}' is no teacher", why="it is neither a checkpoint nor a network by name",
                fix=f"--teacher STUDENT.pt, or one of {', '.join(TEACHERS)}",
            )  # fmt: skip
    return load_teacher(paths)


def _trained(
    name: str,
    plan: Plan,
    place: Path,
    data: Path | None,
    columns: Path | None,
    walks: int | None,
    device: str,
    threads: int | None,
    *,
    quiet: bool,
) -> Path:
    from edgegrf.distill.studio import is_trained, train_student
    from edgegrf.distill.watch import Watch
    from edgegrf.gait.choice import choose_walks
    from edgegrf.manifest import command_line

    def heard(epoch: Epoch) -> None:
        reached = f"RMSE {epoch.validation_rmse:.4f} BW in validation"
        say(f"teacher {name}, epoch {epoch.epoch:3d}: {reached}", quiet=quiet)

    with progress_bar(quiet=quiet) as progress:
        chosen = choose_walks(plan.interface, data, walks=walks, columns=columns, progress=progress)
        if is_trained(place / "student.pt", plan, chosen.recordings):
            say(f"teacher {name}: {place / 'student.pt'} is there", quiet=quiet)
            return place / "student.pt"
        say(f"teacher {name}: {plan.settings.epochs} epochs on {chosen.source}, into {place}", quiet=quiet)
        for line in few_steps(chosen.recordings, plan):
            say(f"teacher {name}: {line}", quiet=quiet)
        trained = train_student(
            name, plan, chosen.recordings, place, data=chosen.name, command=command_line(), threads=threads,
            device=device, watch=Watch(progress, on_epoch=heard),
        )  # fmt: skip
    if trained.outcome.ended == "interrupted":
        raise KeyboardInterrupt
    return trained.checkpoint
