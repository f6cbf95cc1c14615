# SPDX-License-Identifier: Apache-2.0
"""`edgegrf calibrate`: a board's sensors fitted to their wearer, kept in the board's flash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.cli.model import model_option
from edgegrf.cli.port import port_option
from edgegrf.errors import DataError, UsageError

if TYPE_CHECKING:
    from edgegrf.link import Device
    from edgegrf.link.calibration_record import CalibrationRecord
    from edgegrf.link.insole import Insole
    from edgegrf.live.phases import Phases, Schedule
    from edgegrf.live.wearer import Calibrated

__all__ = ["command"]

_PATH = click.Path(path_type=Path)
_GRAVITY = 9.81

_EXAMPLES = """\b
Examples:
  edgegrf calibrate                                    guided: lift the foot, stand on it, walk
  edgegrf calibrate --port /dev/ttyACM0 --weight-kg 71 --save me.json
  edgegrf calibrate --yes                              the same by the clock, without a key pressed
  edgegrf calibrate --show
  edgegrf calibrate --load me.json
  edgegrf calibrate --erase
"""


@click.command(epilog=_EXAMPLES)
@port_option
@click.option("--board", "board_name", help="The board behind a port that does not tell.")
@model_option
@click.option("--weight-kg", type=click.FloatRange(10, 300), help="Of the wearer: makes newtons true.")
@click.option("--yes", is_flag=True, help="Go from phase to phase by the clock.")
@click.option("--phases", default="3,10,20", show_default=True, metavar="S,S,S",
              help="Seconds unloaded, standing, walking.")  # fmt: skip
@click.option(
    "--recording", type=_PATH, help="Raw counts of a wearer who followed the clock, in place of one."
)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True,
              help="Of the wearer whom a virtual or native board has.")  # fmt: skip
@click.option("--show", is_flag=True, help="Show what the board keeps; change nothing.")
@click.option("--erase", is_flag=True, help="Forget what the board keeps.")
@click.option("--load", type=_PATH, help="Store a calibration that was saved.")
@click.option("--save", type=_PATH, help="Write the calibration to a JSON file as well.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    port: str | None,
    board_name: str | None,
    model: Path,
    weight_kg: float | None,
    yes: bool,
    phases: str,
    recording: Path | None,
    seed: int,
    show: bool,
    erase: bool,
    load: Path | None,
    save: Path | None,
    as_json: bool,
) -> None:
    """Fit a board's sensors to their wearer, and keep that in the board's flash.

    Offset, noise, table and gain of each sensor and the wearer's weight as the insole shows it. The board
    keeps its old calibration until the new one is whole.
    """
    from edgegrf.link import Device, default_port, open_port
    from edgegrf.link.insole import Insole

    if sum((show, erase, load is not None, recording is not None)) > 1:
        raise UsageError("--show, --erase, --load and --recording exclude each other")
    spec, schedule = port or default_port(board_name), _schedule(phases)
    guided = not (show or erase or load or recording)
    worn = _worn(spec, model, schedule, seed) if guided else None
    with progress_bar(quiet=as_json) as progress:
        transport = open_port(spec, model=model, board_name=board_name, worn=worn, progress=progress)
    with Device(transport) as device:
        insole, result = Insole(device), None
        if erase:
            insole.erase_calibration()
        elif load:
            from edgegrf.live.backup import read_calibration

            insole.calibrate(read_calibration(load, _names(insole)))
        elif not show:
            result = _fit(device, insole, schedule, recording, yes or worn is not None, weight_kg, as_json)
            insole.calibrate(result.record)
        kept = insole.calibration()
        _hand_over(device, _names(insole), kept, result, save, as_json)


def _schedule(phases: str) -> Schedule:
    from edgegrf.live.phases import Schedule

    try:
        unloaded, standing, walking = (float(part) for part in phases.split(","))
    except ValueError as error:
        raise UsageError(f"--phases {phases}: three numbers of seconds", fix="--phases 3,10,20") from error
    if not (0.5 <= unloaded <= 600 and 2 <= standing <= 600 and 6 <= walking <= 600):
        raise UsageError(
            f"--phases {phases}: too short or too long", fix="0.5, 2 and 6 s at least, 600 s at most"
        )
    return Schedule(unloaded, standing, walking)


def _worn(spec: str, model: Path, schedule: Schedule, seed: int) -> Any:
    from edgegrf.cli.wearing import simulated, wiring_of
    from edgegrf.live.wearing import guided_wearer

    return guided_wearer(wiring_of(spec, model), schedule, seed) if simulated(spec) else None


def _names(insole: Insole) -> tuple[str, ...]:
    from edgegrf.live.stream import sensor_names

    return sensor_names(insole)


def _fit(
    device: Device,
    insole: Insole,
    schedule: Schedule,
    recording: Path | None,
    by_clock: bool,
    weight_kg: float | None,
    quiet: bool,
) -> Calibrated:
    from edgegrf.live.wearer import calibrated

    names = _names(insole)
    weight_n = weight_kg * _GRAVITY if weight_kg else None
    counts = _phases(device, schedule, recording, names, by_clock, quiet)
    return calibrated(counts, insole.facts, names, weight_n=weight_n)


def _phases(
    device: Device,
    schedule: Schedule,
    recording: Path | None,
    names: tuple[str, ...],
    by_clock: bool,
    quiet: bool,
) -> Phases:
    from edgegrf.live.guiding import asked_phases, recorded_phases, timed_phases
    from edgegrf.live.phases import PROMPTS

    if recording:
        return recorded_phases(recording, schedule, names)
    lengths = {name: f"{end - begin:g} s" for name, begin, end in schedule.spans()}

    def prompt(name: str) -> None:
        say(f"{name} ({lengths[name]}): {PROMPTS[name]}", quiet=quiet)

    def ask(name: str) -> None:
        prompt(name)
        click.prompt(
            "  Enter when you are ready", default="", show_default=False, prompt_suffix=" ", err=True
        )

    with progress_bar(quiet=quiet or not by_clock) as progress:
        if by_clock:
            return timed_phases(device, schedule, prompt, progress)
        return asked_phases(device, schedule, ask, progress)


def _hand_over(
    device: Device,
    names: tuple[str, ...],
    kept: CalibrationRecord,
    result: Calibrated | None,
    save: Path | None,
    as_json: bool,
) -> None:
    from edgegrf.live.backup import calibration_table, write_calibration

    if save:
        if not kept.generation:
            raise DataError("the board keeps no calibration to save", fix="edgegrf calibrate --save FILE")
        write_calibration(save, kept, names)
    table = {"board": device.info.board, "virtual": device.info.virtual, **calibration_table(kept, names)}
    if result:
        table["wearer"] = _wearer(result)
    if as_json:
        print_json(table)
        return
    if result:
        _show_fit(result)
    elif kept.generation:
        rows = [
            (name, each.offset, each.band, f"{each.gain_mn / 1000:.1f}")
            for name, each in zip(names, kept.sensors, strict=True)
        ]
        columns = ("sensor", "offset [counts]", "noise band [counts]", "gain [N]")
        print_table(f"calibration {kept.generation} of {device.info.board}", columns, rows)
    if not kept.generation:
        say(f"{device.info.board} keeps no calibration: the board's default holds")
    else:
        say(f"calibration {kept.generation}: 1 BW is {kept.weight_mn / 1000:.1f} N as the insole shows it")
    if device.info.virtual and result:
        say("an emulated board forgets when it ends: --save FILE, then edgegrf live --calibration FILE")


def _wearer(result: Calibrated) -> dict[str, Any]:
    return {
        "weight_shown_n": result.weight_n,
        "weight_standing_n": result.standing_n,
        "standing_error": result.standing_error,
        "strides": result.strides,
        "noise_counts": dict(zip(result.names, result.noise.tolist(), strict=True)),
        "peak_n": dict(zip(result.names, result.peak_n.tolist(), strict=True)),
        "findings": list(result.findings),
    }


def _show_fit(result: Calibrated) -> None:
    rows = [
        (name, f"{zero:.0f}", f"{noise:.2f}", f"{gain:.1f}", f"{peak:.1f}")
        for name, zero, noise, gain, peak in zip(
            result.names, result.offset, result.noise, result.gain_n, result.peak_n, strict=True
        )
    ]
    columns = ("sensor", "offset [counts]", "noise [counts]", "gain [N]", "peak while walking [N]")
    print_table("sensors", columns, rows)
    say(f"{result.strides} strides; while standing the sum varied by {100 * result.standing_error:.1f} %")
    for line in result.findings:
        say(line)
