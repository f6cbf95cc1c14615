# SPDX-License-Identifier: Apache-2.0
"""The text of NAME.h: sizes, scales and units as macros, and how to use them as a manual."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from edgegrf.compiler.emit import clean, environment
from edgegrf.manifest import Interface, Manifest

if TYPE_CHECKING:
    from edgegrf.compiler.driver import Compiled

__all__ = ["header_text"]

_WIDTH = 100


def header_text(compiled: Compiled, manifest: Manifest | None, **provenance: str) -> str:
    """NAME.h of a compiled model; sensors and units come from the manifest where there is one."""
    interface = manifest.interface if manifest else None
    digest = bytes.fromhex(compiled.sha256)
    lines = [", ".join(f"0x{byte:02x}" for byte in digest[i : i + 8]) for i in range(0, 32, 8)]
    text: str = (
        environment()
        .get_template("model.h.j2")
        .render(
            title=compiled.title,
            macro=compiled.name.upper(),
            guard=f"{compiled.name.upper()}_H",
            modes=compiled.modes,
            dtype=compiled.plan.dtype,
            window=compiled.window is not None,
            stream=compiled.stream is not None,
            head=compiled.plan.last is not None,
            manual=_manual(compiled, interface),
            numbers=_numbers(compiled, interface),
            sha256_lines=[line + ("," if line is not lines[-1] else "") for line in lines],
            **provenance,
        )
    )
    return text


def _manual(compiled: Compiled, interface: Interface | None) -> list[str]:
    plan, macro = compiled.plan, compiled.name.upper()
    unit_in, unit_out = ("its unit", "its unit")
    sensors = outputs = ""
    limits = np.iinfo(plan.dtype)
    if interface is not None:
        unit_in, unit_out = clean(interface.sensor_unit), clean(interface.output_unit)
        sensors = f": {_list(interface.sensors)}"
        outputs = f": {_list(interface.outputs)}"
    paragraphs = [
        f"A sample is {plan.input_channels} {plan.dtype} values{sensors}.  An estimate is"
        f" {plan.output_channels} {plan.dtype} values{outputs}.",
        f"{plan.dtype} of a pressure x in {unit_in}: q = round(x / {macro}_INPUT_SCALE)"
        f" + {macro}_INPUT_ZERO_POINT, clamped to {limits.min}..{limits.max}.  An estimate in {unit_out}:"
        f" {macro}_OUTPUT_SCALE * (q - {macro}_OUTPUT_ZERO_POINT).",
    ]
    if interface is not None and interface.gains:
        pairs = zip(interface.sensors, interface.gains, strict=True)
        said = ", ".join(f"{clean(name, 24)} {gain:.6g}" for name, gain in pairs)
        paragraphs.append(f"Made for one wearer: multiply each pressure before that, {said}.")
    if compiled.stream:
        paragraphs.append(
            f"Stream: call {compiled.name}_reset() once, then {compiled.name}_step() per sample."
            + _past(compiled)
            + (f"  {compiled.pace.capitalize()}." if compiled.pace else "")
        )
    else:
        paragraphs.append(f"There is no stream mode: {clean(plan.stream_refusal or 'not asked for', 200)}.")
    if compiled.window:
        paragraphs.append(
            f"Window: {compiled.name}_window() takes {plan.samples} samples and gives {plan.estimates}"
            " estimates, the bits that TFLite Micro gives.  Every window starts from nothing."
        )
    paragraphs.append(
        "All memory is static and of the size stated below, beside the stack; nothing is allocated.  The"
        " functions are not reentrant.  Compile all .c files of this folder together as C99."
    )
    return [line for p in paragraphs for line in ("", *textwrap.wrap(p, _WIDTH))][1:]


def _list(names: tuple[str, ...]) -> str:
    shown = ", ".join(clean(name, 24) for name in names[:16])
    return shown + (f" ... {clean(names[-1], 24)}" if len(names) > 16 else "")


def _past(compiled: Compiled) -> str:
    if not compiled.plan.receptive_field:
        return ""
    return f"  An estimate depends on the last {compiled.plan.receptive_field} samples."


def _numbers(compiled: Compiled, interface: Interface | None) -> list[tuple[str, str, str]]:
    """(macro, value, comment) of every number that the header states."""
    plan, window, stream = compiled.plan, compiled.window, compiled.stream
    rate = interface.sample_rate_hz if interface else 0.0
    last = plan.last.head if plan.last else None
    outputs, depth = last.weights.shape if last else (0, 0)
    macs, steps = (sum(getattr(layer, key) for layer in plan.layers) for key in ("macs", "step_macs"))
    return [
        ("INPUT_CHANNELS", str(plan.input_channels), f"{plan.dtype} values of a sample"),
        ("OUTPUT_CHANNELS", str(plan.output_channels), f"{plan.dtype} values of an estimate"),
        ("VALUE_BYTES", str(plan.value_bytes), "of one of them"),
        ("WINDOW_SAMPLES", str(plan.samples if window else 0), ""),
        ("WINDOW_ESTIMATES", str(plan.estimates if window else 0), ""),
        ("PERIOD", str(plan.clock.period), "samples per estimate in stream mode"),
        (
            "LOOKAHEAD",
            f"({plan.lookahead})",
            "samples beyond the last of its period that an estimate waits for",
        ),
        ("SAMPLE_RATE_HZ", _float(rate), "" if rate else "not known"),
        ("INPUT_SCALE", _float(plan.input_scale), ""),
        ("INPUT_ZERO_POINT", str(plan.input_zero_point), ""),
        ("OUTPUT_SCALE", _float(plan.output_scale), ""),
        ("OUTPUT_ZERO_POINT", str(plan.output_zero_point), ""),
        ("HEAD_OUTPUTS", str(outputs), "of the last layer, if its constants may be replaced"),
        ("HEAD_DEPTH", str(depth), "its inputs"),
        ("WEIGHT_BYTES", str(compiled.weight_bytes), "constants"),
        ("RAM_BYTES", str(compiled.layout.ram_bytes), "of all modes, without the caller's in and out"),
        ("RAM_BYTES_WINDOW", str(window.ram_bytes if window else 0), "of windows by themselves"),
        ("RAM_BYTES_STREAM", str(stream.ram_bytes if stream else 0), "of the stream by itself"),
        ("MACS_WINDOW", str(macs if window else 0), "multiply-accumulates of a window"),
        ("MACS_STEP", str(steps if stream else 0), "and of a sample, at most"),
    ]


def _float(number: float) -> str:
    """A C float literal that reads back as the same float32."""
    text = f"{number:.9g}"
    return f"{text}f" if any(mark in text for mark in ".e") else f"{text}.0f"
