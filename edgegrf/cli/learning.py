# SPDX-License-Identifier: Apache-2.0
"""What the commands that train have in common: their options, and how a training is run and told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.errors import UsageError

if TYPE_CHECKING:
    from edgegrf.distill.plans import Plan
    from edgegrf.distill.settings import Settings
    from edgegrf.distill.studio import Trained
    from edgegrf.distill.teacher import Teacher
    from edgegrf.distill.trainer import Epoch
    from edgegrf.gait.recording import Recording
    from edgegrf.progress import Progress
    from edgegrf.qat import Tuned

__all__ = ["learn", "learning_options", "planned", "tune"]

#: of the rate of the float training: codes and ranges are near where they belong
_GENTLE = 0.04

#: steps an epoch under which a smaller batch was seen to learn better (54 chunks: 0.095 BW against 0.129)
_FEW_STEPS = 8

_OPTIONS = (
    click.option(
        "--student", "name", metavar="NAME",
        help="The shipped student to train anew (default: the default), or a new name with --architecture.",
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
    recipe: str = "none",
    **settings: Any,
) -> tuple[str, Plan]:
    """The student's name and plan that the options mean; what cannot be built is refused here."""
    import dataclasses

    from edgegrf.distill.configuration import read_configuration, recipe_of
    from edgegrf.distill.plans import plan_of
    from edgegrf.students import create

    configured, of_recipe = read_configuration(config) if config else ({}, {})
    given = {key: value for key, value in settings.items() if value is not None}
    interface: dict[str, Any] = {}
    if sensors is not None:
        interface["sensors"] = tuple(one.strip() for one in sensors.split(",") if one.strip())
    if lookahead is not None:
        interface["lookahead"] = lookahead
    name, plan = plan_of(name, architecture, _hyper(hyper), {**configured, **given}, interface)
    create(plan.architecture, plan.interface, **plan.hyper)
    return name, dataclasses.replace(plan, recipe=recipe_of(recipe, of_recipe))


def learn(
    name: str,
    plan: Plan,
    *,
    data: Path | None,
    columns: Path | None,
    walks: int | None,
    device: str,
    threads: int | None,
    out: Path | None,
    as_json: bool,
    teacher: Teacher | None = None,
    qat: int = 0,
) -> int:
    """Train, tell how it goes, and return the exit code."""
    from edgegrf.distill.device import check_device
    from edgegrf.distill.studio import train_student
    from edgegrf.gait.choice import choose_walks
    from edgegrf.manifest import command_line

    check_device(device)
    folder = out or Path("build") / name
    with progress_bar(quiet=as_json) as progress:
        chosen = choose_walks(plan.interface, data, walks=walks, columns=columns, progress=progress)
        told = _told(chosen.recordings)
        say(f"{name}: {plan.architecture} learns from {told} ({chosen.source})", quiet=as_json)
        for line in (*chosen.oddities, *_few(chosen.recordings, plan)):
            say(line, quiet=as_json)
        trained = train_student(
            name, plan, chosen.recordings, folder, data=chosen.name, teacher=teacher, command=command_line(),
            threads=threads, device=device, progress=progress,
            on_resume=lambda epochs: say(f"going on behind epoch {epochs} of an earlier run", quiet=as_json),
            on_epoch=lambda epoch: say(_line(epoch), quiet=as_json),
        )  # fmt: skip
        ended = trained.outcome.ended
        if qat and ended in ("done", "early"):
            path = trained.checkpoint
            tuned = tune(
                path, chosen.recordings, qat, path, plan.settings, as_json=as_json, progress=progress
            )
            trained = replace(trained, manifest=tuned.manifest)
    if as_json:
        print_json({**asdict(trained.manifest), "checkpoint": str(trained.checkpoint), "ended": ended})
    else:
        _show(trained)
        given = "".join(f" --{key} {path}" for key, path in (("data", data), ("columns", columns)) if path)
        say(f"next: edgegrf export {trained.checkpoint}{given}")
    return {"interrupted": 130, "nan": 1}.get(ended, 0)


def tune(
    checkpoint: Path,
    recordings: list[Recording],
    epochs: int,
    into: Path,
    settings: Settings,
    *,
    as_json: bool,
    progress: Progress,
) -> Tuned:
    """Epochs with the rounding in place, told as they go; at a small part of the settings' rate."""
    from edgegrf.manifest import command_line
    from edgegrf.parity.onnx_int8 import run_tflm
    from edgegrf.qat import fine_tune

    gentle = replace(settings, rate=_GENTLE * settings.rate)
    tuned = fine_tune(
        checkpoint, recordings, epochs=epochs, run=run_tflm, into=into, settings=gentle,
        command=command_line(), progress=progress,
        on_epoch=lambda epoch: say(f"int8 {_line(epoch)}", quiet=as_json),
    )  # fmt: skip
    say(
        f"validation RMSE: float {tuned.float_rmse:.4f} BW, int8 by the export alone {tuned.before:.4f} BW, "
        f"int8 trained {tuned.after:.4f} BW{'' if tuned.after < tuned.before else ': not kept'}; in {into}",
        quiet=as_json,
    )
    return tuned


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


def _told(recordings: list[Recording]) -> str:
    subjects = len({recording.subject for recording in recordings})
    return f"{len(recordings)} feet's walks of {subjects} subject{'s' if subjects != 1 else ''}"


def _few(recordings: list[Recording], plan: Plan) -> list[str]:
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


def _line(epoch: Epoch) -> str:
    return (
        f"epoch {epoch.epoch:3d}: RMSE {epoch.training_rmse:.4f} BW in training, "
        f"{epoch.validation_rmse:.4f} BW in validation"
    )


def _show(trained: Trained) -> None:
    manifest = trained.manifest
    notes = {
        "done": "",
        "early": "stopped early: validation had ceased to improve",
        "nan": "stopped: the loss became NaN; the last good weights are kept (try a lower --rate)",
        "interrupted": "stopped by Ctrl-C: partial, with the best weights so far; the same command goes on",
    }
    units = {"rmse_bw": "BW", "rmse_n": "N", "r": "", "r2": "", "r2_unseen": ""}
    rows = [
        ("parameters", manifest.model["parameters"], ""),
        *((key, f"{value:.4g}", units[key.partition(":")[0]]) for key, value in manifest.metrics.items()
          if key.partition(":")[0] in units),
    ]  # fmt: skip
    synthetic = ", synthetic walks" if manifest.model["training"]["synthetic"] else ""
    print_table(manifest.name, (f"float, validation subjects{synthetic}", "value", "unit"), rows)
    say(f"wrote {trained.checkpoint} with its manifest, training.csv and README.md")
    if notes[trained.outcome.ended]:
        say(notes[trained.outcome.ended])
