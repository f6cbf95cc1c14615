# SPDX-License-Identifier: Apache-2.0
"""`edgegrf compile`: an int8 `.tflite` becomes C."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, say
from edgegrf.cli.model import model_argument, model_name

if TYPE_CHECKING:
    from edgegrf.compiler import Compiled

__all__ = ["command"]

_EPILOG = """\b
Examples:
  edgegrf compile                              the shipped student, into build/insole4-dstcn16/c
  edgegrf compile my_int8.tflite -o src/model  any int8 .tflite of the operator set
  edgegrf compile --mode stream --json         one sample in, one estimate out, nothing else
  edgegrf compile --step-model stream.tflite   the stream for an interpreter, too
"""


@click.command(epilog=_EPILOG)
@model_argument
@click.option(
    "-o", "--output", "folder", type=click.Path(path_type=Path), help="Folder for the C files, replaced."
)
@click.option("--name", default="model", show_default=True, help="Prefix of functions and files.")
@click.option(
    "--mode",
    type=click.Choice(["both", "window", "stream"]),
    default="both",
    show_default=True,
    help="What the C can do; both: whatever of the two the model can.",
)
@click.option(
    "--weights",
    type=click.Choice(["auto", "flash", "ram"]),
    default="auto",
    show_default=True,
    help="Where constants lie; auto: in RAM where that at most trebles what a stream keeps there.",
)
@click.option(
    "--memory",
    type=click.Choice(["auto", "small", "fast"]),
    default="auto",
    show_default=True,
    help="How windows run; small: sample by sample, fast: layer by layer; auto: small where that is cheap.",
)
@click.option(
    "--step-model",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Write the stream as a .tflite too, its memory as tensors 'state:NAME', for other interpreters.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    model: Path,
    folder: Path | None,
    name: str,
    mode: str,
    weights: str,
    memory: str,
    step_model: Path | None,
    as_json: bool,
) -> None:
    """Turn an int8 .tflite into C99: window mode and stream mode.

    The folder compiles by itself; NAME.h is its manual.  All sizes are known now, and printed.
    """
    from edgegrf.compiler import compile_model, write_step_model

    folder = folder or Path("build") / model_name(model) / "c"
    compiled = compile_model(model, folder, name=name, mode=mode, weights=weights, memory=memory)
    step = write_step_model(model, step_model) if step_model else None
    if as_json:
        print_json(_record(compiled))
        return
    _show(compiled)
    say(f"wrote {folder}/: {', '.join(compiled.files)}")
    if step:
        samples = f"{step.samples} sample{'s' if step.samples > 1 else ''} a call"
        skipped = f"; estimates to leave out at first: {step.skipped}" if step.skipped else ""
        say(f"wrote {step_model}: {samples}, {len(step.graph.states)} states{skipped}")


def _show(compiled: Compiled) -> None:
    """The layers, the sums, and what else a user has to know, on the terminal."""
    print_table(
        f"{compiled.title}: layers",
        ("layer", "operator", "output", "MACs", "constants B", "ring B"),
        [
            (
                layer.name,
                layer.kind,
                "x".join(map(str, layer.shape)),
                f"{layer.macs:,}",
                f"{layer.constant_bytes:,}",
                layer.ring.bytes if layer.ring and compiled.stream else "",
            )
            for layer in compiled.plan.layers
        ],
    )
    print_table(
        f"{compiled.title}: in all",
        ("", "window", "stream"),
        [(label, *map(_number, pair)) for label, pair in _totals(compiled)],
    )
    if compiled.modes == 3:
        say(f"RAM of both modes together: {compiled.layout.ram_bytes:,} bytes")
    if compiled.layout.through_stream:
        say("windows run sample by sample, with the memory of a stream")
    if compiled.stream and compiled.pace:
        say(f"stream: {compiled.pace}")
    if compiled.stream_refusal:
        say(f"window mode only: {compiled.stream_refusal}")


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _totals(compiled: Compiled) -> list[tuple[str, tuple[int | None, int | None]]]:
    """(what, (window, stream)) with None for a mode that is not there."""
    layers, window, stream = compiled.plan.layers, compiled.window, compiled.stream
    macs, steps = sum(layer.macs for layer in layers), sum(layer.step_macs for layer in layers)
    weights = compiled.weight_bytes
    return [
        ("flash bytes of constants", (weights if window else None, weights if stream else None)),
        ("RAM bytes", (window.ram_bytes if window else None, stream.ram_bytes if stream else None)),
        ("MACs per run", (macs if window else None, steps if stream else None)),
    ]


def _record(compiled: Compiled) -> dict[str, Any]:
    plan = compiled.plan
    return {
        "folder": str(compiled.folder),
        "name": compiled.name,
        "files": list(compiled.files),
        "model_sha256": compiled.sha256,
        "modes": compiled.modes,
        "stream_refusal": compiled.stream_refusal,
        "samples": plan.samples,
        "estimates": plan.estimates,
        "input_channels": plan.input_channels,
        "output_channels": plan.output_channels,
        "receptive_field": plan.receptive_field,
        "weight_bytes": compiled.weight_bytes,
        "period": plan.clock.period,
        "lookahead": plan.lookahead,
        "ram_bytes": compiled.layout.ram_bytes,
        "window_by_samples": compiled.layout.through_stream,
        "ram_bytes_window": compiled.window.ram_bytes if compiled.window else None,
        "ram_bytes_stream": compiled.stream.ram_bytes if compiled.stream else None,
        "macs_window": sum(layer.macs for layer in plan.layers) if compiled.window else None,
        "macs_step": sum(layer.step_macs for layer in plan.layers) if compiled.stream else None,
        "layers": [
            {
                "name": layer.name,
                "operator": layer.kind,
                "shape": list(layer.shape),
                "macs": layer.macs,
                "macs_step": layer.step_macs,
                "constant_bytes": layer.constant_bytes,
                "ring_bytes": layer.ring.bytes if layer.ring else 0,
            }
            for layer in plan.layers
        ],
    }
