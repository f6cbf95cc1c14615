# SPDX-License-Identifier: Apache-2.0
"""What the commands that train have in common: their options, and how a training is run and told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, progress_bar, say
from edgegrf.cli.learning_view import about_int8, epoch_line, few_steps, show, taught_by, told_walks
from edgegrf.errors import UsageError
from edgegrf.resources import shipped_file

if TYPE_CHECKING:
    from edgegrf.distill.plans import Plan
    from edgegrf.distill.studio import Trained
    from edgegrf.distill.teacher import Teacher

__all__ = ["Course", "learn", "learning_options", "planned"]


@dataclass(frozen=True)
class Course:
    """What is to be trained: a plan, or only its int8 epochs, of the student at `checkpoint`."""

    name: str
    plan: Plan
    checkpoint: Path | None = None


_OPTIONS = (
    click.option(
        "--student", "name", metavar="NAME",
        help="The shipped student or the teacher (dstcn, wrn28-1, ...) to train anew, or a new name with "
        "--architecture.  [default: the default student]",
    ),
    click.option(
        "--architecture", metavar="NAME",
        help="dstcn, tcn, gru, lstm, matrix, wrn, attention, or your package.module:Class.",
    ),
    click.option(
        "--hyper", multiple=True, metavar="KEY=VALUE",
        help="A hyper-parameter of the architecture, value as JSON.",
    ),
    click.option(
        "--sensors", metavar="A,B,...", help="The sensors to learn from.  [default: the student's]"
    ),
    click.option(
        "--lookahead", type=click.IntRange(min=-1), metavar="SAMPLES",
        help="How late the estimates may come, in samples (10 ms each at 100 Hz); -1: whole windows.  "
        "[default: the student's]",
    ),
    click.option(
        "--data", type=click.Path(path_type=Path), help="Walks: a file or folder in any readable format."
    ),
    click.option(
        "--columns", type=click.Path(path_type=Path, dir_okay=False), help="The column map of CSV files."
    ),
    click.option("--walks", type=click.IntRange(min=1), help="Use only the first N walks."),
    click.option("--epochs", type=click.IntRange(min=1), help="Passes over the training walks."),
    click.option("--rate", type=click.FloatRange(min=0, min_open=True), help="Peak learning rate."),
    click.option(
        "--batch", type=click.IntRange(min=1), help="Examples a step: chunks of 1000 samples, or windows."
    ),
    click.option(
        "--patience", type=click.IntRange(min=0),
        help="Stop after N epochs without a better validation; 0: never.",
    ),
    click.option("--seed", type=click.IntRange(min=0), help="Seed of the first weights and the shuffling."),
    click.option(
        "--qat", type=click.IntRange(min=0), metavar="EPOCHS",
        help="Last epochs in which the student computes as its int8 model, with the same recipe and teacher; "
        "the export takes what they leave.  On the CPU.",
    ),
    click.option(
        "--from", "source", metavar="STUDENT.pt|NAME", help="Only those, of this student; needs --qat."
    ),
    click.option(
        "--config", type=click.Path(path_type=Path, dir_okay=False),
        help="A TOML file of hyper-parameters: [settings] of the trainer, [recipe] of the recipe.",
    ),
    click.option(
        "--device", default="cpu", show_default=True, metavar="NAME", help="Where torch computes: cpu, cuda."
    ),
    click.option(
        "--threads", type=click.IntRange(min=1), help="CPU threads; the weights' last bits depend on it."
    ),
    click.option(
        "--tensorboard", type=click.Path(path_type=Path, file_okay=False), metavar="FOLDER",
        help="Write TensorBoard events there too, runs float and int8.",
    ),
    click.option(
        "-o", "--output", "out", type=click.Path(path_type=Path),
        help="Folder to write.  [default: build/NAME]",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print the manifest as JSON."),
)  # fmt: skip


def learning_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options of every command that trains."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


def planned(
    *,
    name: str | None,
    architecture: str | None,
    hyper: tuple[str, ...],
    sensors: str | None,
    lookahead: int | None,
    config: Path | None,
    source: str | None,
    recipe: str = "none",
    **settings: Any,
) -> Course:
    """What the options mean; what cannot be built is refused here."""
    import dataclasses

    from edgegrf.distill.configuration import read_configuration, recipe_of
    from edgegrf.distill.plans import plan_of
    from edgegrf.students import create

    configured, of_recipe = read_configuration(config) if config else ({}, {})
    given = {key: value for key, value in settings.items() if value is not None}
    changes = {**configured, **given}
    if source is not None:
        described = (name, architecture, sensors, lookahead, given.get("epochs"))
        if hyper or any(one is not None for one in described):
            raise UsageError(
                "--from names a student that is trained already",
                fix="leave --student, --architecture, --hyper, --sensors, --lookahead and --epochs out",
            )
        course = _continued(source, changes)
    else:
        interface: dict[str, Any] = {}
        if sensors is not None:
            interface["sensors"] = tuple(one.strip() for one in sensors.split(",") if one.strip())
        if lookahead is not None:
            interface["lookahead"] = lookahead
        course = Course(*plan_of(name, architecture, _hyper(hyper), changes, interface))
        create(course.plan.architecture, course.plan.interface, **course.plan.hyper)
    recipe_in_full = recipe_of(recipe, of_recipe)
    return dataclasses.replace(course, plan=dataclasses.replace(course.plan, recipe=recipe_in_full))


def _continued(source: str, changes: dict[str, Any]) -> Course:
    """int8 epochs for a student that there is, with the settings that it was trained with."""
    import dataclasses

    from edgegrf.distill.configuration import changed
    from edgegrf.distill.plans import Plan
    from edgegrf.distill.settings import Settings
    from edgegrf.manifest import Manifest
    from edgegrf.students import load

    checkpoint = Path(source) if Path(source).suffix else shipped_file(source, "student.pt")
    student, manifest = load(checkpoint), Manifest.read(checkpoint)
    facts = manifest.model.get("training", {})
    known = {one.name: facts[one.name] for one in dataclasses.fields(Settings) if one.name in facts}
    settings = changed(Settings(), {**known, "qat": 0, **changes})
    if not settings.qat:
        raise UsageError("--from needs --qat", fix="edgegrf train --from STUDENT.pt --qat 5")
    return Course(
        manifest.name, Plan(student.architecture, student.interface, student.hyper, settings), checkpoint
    )


def learn(
    course: Course,
    *,
    data: Path | None,
    columns: Path | None,
    walks: int | None,
    device: str,
    threads: int | None,
    tensorboard: Path | None,
    out: Path | None,
    as_json: bool,
    teacher: Teacher | None = None,
) -> int:
    """Train, tell how it goes, and return the exit code."""
    from edgegrf.distill.device import check_device
    from edgegrf.distill.watch import Watch
    from edgegrf.gait.choice import choose_walks
    from edgegrf.manifest import command_line
    from edgegrf.parity.onnx_int8 import run_tflm
    from edgegrf.qat import fine_tune, train_for_int8

    check_device(device)
    name, plan = course.name, course.plan
    folder = out or Path("build") / name
    with progress_bar(quiet=as_json) as progress:
        chosen = choose_walks(plan.interface, data, walks=walks, columns=columns, progress=progress)
        told = told_walks(chosen.recordings)
        say(f"{name}: {plan.architecture} learns from {told} ({chosen.source})", quiet=as_json)
        for line in (*chosen.oddities, *few_steps(chosen.recordings, plan), *about_int8(plan)):
            say(line, quiet=as_json)
        if teacher and not as_json:
            say(taught_by(teacher, chosen.recordings, plan))
        watch = Watch(
            progress,
            on_resume=lambda last: say(f"going on behind epoch {last} of an earlier run", quiet=as_json),
            on_epoch=lambda epoch: say(epoch_line(epoch), quiet=as_json),
        )
        common: dict[str, Any] = {
            "run": run_tflm, "teacher": teacher, "command": command_line(), "threads": threads,
            "tensorboard": tensorboard, "watch": watch,
        }  # fmt: skip
        if course.checkpoint:
            trained: Trained = fine_tune(
                course.checkpoint, plan, chosen.recordings, into=folder / "student.pt", **common
            )
        else:
            trained = train_for_int8(
                name, plan, chosen.recordings, folder, data=chosen.name, device=device, **common
            )
    ended = trained.outcome.ended
    if as_json:
        print_json({**asdict(trained.manifest), "checkpoint": str(trained.checkpoint), "ended": ended})
    else:
        show(trained)
        given = "".join(f" --{key} {path}" for key, path in (("data", data), ("columns", columns)) if path)
        say(f"next: edgegrf export {trained.checkpoint}{given}")
    return {"interrupted": 130, "nan": 1}.get(ended, 0)


def _hyper(pairs: tuple[str, ...]) -> dict[str, Any]:
    found = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise UsageError(f"--hyper {pair} is not KEY=VALUE", fix="--hyper channels=24")
        try:
            found[key] = json.loads(value)
        except ValueError:
            found[key] = value
    return found
