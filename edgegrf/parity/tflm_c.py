# SPDX-License-Identifier: Apache-2.0
"""The link TFLM = C: the generated C on the host against TFLite Micro's interpreter, 0 LSB."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from edgegrf.compiler import step_model
from edgegrf.compiler.plan import Plan
from edgegrf.errors import UnsupportedError
from edgegrf.graph.affine import Codes, code_type
from edgegrf.graph.model import Graph
from edgegrf.graph.reader import read_tflite
from edgegrf.graph.writer import write_tflite
from edgegrf.parity.host import HostModel
from edgegrf.parity.judge import Judge, TfliteMicro, run_steps, run_windows
from edgegrf.parity.link import LinkResult
from edgegrf.progress import Progress, silent

__all__ = ["check_step_model", "check_stream", "check_window", "compare", "overlapped"]


_SOURCE, _TARGET = "tflm", "c-host"
_STEPS = 20_000  # samples that a step model is judged on: a call each costs a window's overhead


def check_window(tflite: Path, host: HostModel, windows: Codes, *, progress: Progress = silent) -> LinkResult:
    """Windows [N, samples, ...] of codes through both; every estimate must have the same bits."""
    data = tflite.read_bytes()
    graph = read_tflite(data)
    judge = TfliteMicro(data, graph)
    want = []
    for index in range(len(windows)):
        want.append(run_windows(judge, graph, windows[index : index + 1]).reshape(-1))
        progress("TFLM windows", index + 1, len(windows))
    return compare(np.array(want, code_type(graph)), host.window(windows).reshape(len(windows), -1), "window")


def check_stream(tflite: Path, host: HostModel, samples: Codes, *, progress: Progress = silent) -> LinkResult:
    """A walk [T, ...] of codes, streamed by the C from a reset, against TFLM's windows or steps of it."""
    data = tflite.read_bytes()
    graph = read_tflite(data)
    judge = TfliteMicro(data, graph)
    if host.info.plan.samples == 1:
        expected = run_steps(judge, graph, samples)
        progress("TFLM steps", len(samples), len(samples))
    else:
        expected = overlapped(judge, graph, host.info.plan, samples, progress=progress)
    host.reset()
    return compare(expected, host.stream(samples), "stream")


def check_step_model(
    tflite: Path, host: HostModel, walks: Sequence[Codes], *, progress: Progress = silent
) -> LinkResult | None:
    """Walks [T, ...], streamed by the C from a reset, against TFLM's run of the step model of that stream.

    None where there is no such step model: where the model is one, or cannot be written as one.
    """
    try:
        steps = step_model(read_tflite(tflite.read_bytes()))
    except UnsupportedError:
        return None
    judge = TfliteMicro(write_tflite(steps.graph), steps.graph)
    wanted, got, samples = [], [], 0
    for walk in walks:
        whole = walk[: len(walk) // steps.samples * steps.samples]
        calls = whole.reshape(len(whole) // steps.samples, -1)
        expected = run_steps(judge, steps.graph, calls).reshape(-1, host.info.plan.output_channels)
        host.reset()
        wanted.append(expected[steps.skipped :])
        got.append(host.stream(whole))
        samples += len(whole)
        progress("TFLM steps", samples, _STEPS)
        if samples >= _STEPS:
            break
    return compare(np.concatenate(wanted), np.concatenate(got), "stream", source="tflm-steps")


def overlapped(
    judge: Judge, graph: Graph, plan: Plan, samples: Codes, *, progress: Progress = silent
) -> Codes:
    """Estimates [N, K] of a walk [T, ...] by windows that overlap by what an estimate depends on.

    The first window begins at the first sample, as the stream does after a reset.  Of every later one the
    first estimates, which miss their past, are left to the window before; of every one the last, which miss
    the samples that they look ahead to, to the window behind.
    """
    length, clock = plan.samples, plan.clock
    flat = samples.reshape(len(samples), -1)
    estimates = np.empty((clock.rows(len(flat)), plan.output_channels), code_type(graph))
    start, done = 0, 0
    while done < len(estimates):
        window = np.zeros((length, flat.shape[1]), flat.dtype)
        part = flat[start : start + length]
        window[: len(part)] = part
        answer = run_windows(judge, graph, window[None]).reshape(-1, plan.output_channels)
        before = start // clock.period
        known = len(estimates) - before if len(part) == length else clock.rows(len(part))
        answer = answer[: min(plan.timing.sound, known)]
        if before + len(answer) <= done:
            raise UnsupportedError(
                "no window of the judge covers what a streamed estimate depends on",
                why=f"{plan.receptive_field} samples of {length}",
                fix="export the model with a longer window",
            )
        estimates[done : before + len(answer)] = answer[done - before :]
        done = before + len(answer)
        start = max(0, done - plan.timing.warm) * clock.period // plan.grain * plan.grain
        progress("TFLM windows", done, len(estimates))
    return estimates


def compare(want: Codes, got: Codes, mode: str, *, source: str = _SOURCE) -> LinkResult:
    """The two sides of the link, value by value; a side of another length is all mismatches."""
    if want.shape != got.shape:
        note = f"{list(got.shape)} estimates for {list(want.shape)}"
        return LinkResult(source, _TARGET, mode, want.size, want.size, None, note=note)
    off = np.abs(want.astype(np.int32) - got.astype(np.int32))
    return LinkResult(source, _TARGET, mode, want.size, int((off > 0).sum()), int(off.max(initial=0)))
