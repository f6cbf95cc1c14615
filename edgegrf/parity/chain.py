# SPDX-License-Identifier: Apache-2.0
"""The chain of proof, link by link: torch = ONNX, ONNX ~ int8, TFLM = C on the host = C on the board."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgegrf.errors import UnsupportedError
from edgegrf.gait.choice import choose_walks
from edgegrf.gait.trials import Trial
from edgegrf.graph.affine import Codes, pressure_code, quantize
from edgegrf.graph.reader import read_tflite
from edgegrf.manifest import learnt_from
from edgegrf.parity.files import Chain
from edgegrf.parity.host import HostModel
from edgegrf.parity.link import LinkResult
from edgegrf.progress import Progress, silent

__all__ = ["verify_chain"]


_WALKS = 40


@dataclass(frozen=True)
class _Inputs:
    """Walks [T, C] as the model's codes, what they are in words, and what is odd about them."""

    walks: list[Codes]
    source: str
    oddities: tuple[str, ...] = ()

    def noted(self, result: LinkResult) -> LinkResult:
        """The result of a link that ran on them, saying so."""
        return replace(result, note=result.note or self.source, oddities=self.oddities)


def verify_chain(
    chain: Chain,
    *,
    data: Path | None = None,
    columns: Path | None = None,
    outputs: int = 100_000,
    mode: str | None = None,
    port: str | None = None,
    progress: Progress = silent,
) -> Iterator[LinkResult]:
    """Each link's result as soon as it is known; links whose files are missing are left out.

    `columns` is the column map of `data` in CSV; `outputs` is how many estimates each integer link compares
    at least, as far as the walks reach; `mode` window or stream keeps those to one mode; `port` None leaves
    out the board.  Raises UnsupportedError for a mode that the model lacks.
    """
    host = HostModel(chain.tflite)
    modes = _modes(host, mode)
    interface = chain.manifest.interface if chain.manifest else None
    walks = None
    if chain.checkpoint and chain.onnx:
        from edgegrf.parity.torch_onnx import torch_onnx

        yield torch_onnx(chain.checkpoint, chain.onnx)
    if chain.onnx and interface:
        from edgegrf.export.windows import load_walks
        from edgegrf.parity.onnx_int8 import onnx_int8

        walks = load_walks(interface, data, columns, progress)
        yield onnx_int8(chain.onnx, chain.tflite, walks, progress=progress)
    if interface is None:
        inputs = _random_inputs(host, outputs)
    elif walks and not walks.synthetic:
        inputs = _walk_inputs(host, chain.tflite, walks.held_out, walks.source, outputs)
    else:
        seen = learnt_from(chain.manifest) if chain.manifest else ()
        chosen = choose_walks(
            interface, data, walks=_WALKS, columns=columns, unseen=True, learnt_from=seen, progress=progress
        )
        inputs = _walk_inputs(host, chain.tflite, chosen.trials, chosen.source, outputs)
        inputs = replace(inputs, oddities=tuple(chosen.oddities))
    yield from _tflm_c(chain.tflite, host, modes, inputs, progress)
    if port:
        yield from _board(chain.tflite, host, modes, inputs, port, progress)


def _modes(host: HostModel, mode: str | None) -> int:
    """The modes to compare: 1 window, 2 stream, 3 both."""
    modes = host.modes & {None: 3, "window": 1, "stream": 2}[mode]
    if not modes:
        other = "stream" if mode == "window" else "window"
        why = host.info.stream_refusal or "a step model has no windows"
        raise UnsupportedError(f"the model has no {mode} mode", why=why, fix=f"--mode {other}")
    return modes


def _random_inputs(host: HostModel, outputs: int) -> _Inputs:
    """Windows of random bits, which stand in for walks where a model does not say what it takes."""
    plan = host.info.plan
    windows = -(-outputs // (plan.estimates * plan.output_channels))
    ends = np.iinfo(host.dtype)
    shape = (windows * plan.samples, plan.input_channels)
    bits = np.random.default_rng(0).integers(ends.min, ends.max, shape, endpoint=True)
    return _Inputs([bits.astype(host.dtype)], f"{windows} windows of random bits")


def _walk_inputs(
    host: HostModel, tflite: Path, trials: Sequence[Trial], source: str, outputs: int
) -> _Inputs:
    """As many walks as `outputs` estimates take."""
    plan = host.info.plan
    scale, zero_point = pressure_code(read_tflite(tflite.read_bytes()))
    found: list[Codes] = []
    samples = 0
    for trial in trials:
        if len(trial.x) >= plan.samples:
            found.append(quantize(trial.x, scale, zero_point, host.dtype)[0])
            samples += len(found[-1]) // plan.samples * plan.samples
        if samples * plan.estimates * plan.output_channels >= outputs * plan.samples:
            break
    return _Inputs(found, source)


def _tflm_c(
    tflite: Path, host: HostModel, modes: int, inputs: _Inputs, progress: Progress
) -> Iterator[LinkResult]:
    from edgegrf.parity.tflm_c import check_step_model, check_stream, check_window

    if modes & 1:
        yield inputs.noted(check_window(tflite, host, _windows(host, inputs.walks), progress=progress))
    if modes & 2:
        results = [check_stream(tflite, host, walk, progress=progress) for walk in inputs.walks]
        yield inputs.noted(_sum(results))
        steps = check_step_model(tflite, host, inputs.walks, progress=progress)
        if steps:
            yield inputs.noted(steps)


def _board(
    tflite: Path, host: HostModel, modes: int, inputs: _Inputs, port: str, progress: Progress
) -> Iterator[LinkResult]:
    from edgegrf.link import Device, open_port
    from edgegrf.link.personal import expect_file
    from edgegrf.parity.c_board import board_link

    with Device(open_port(port, model=tflite, progress=progress)) as device:
        expect_file(device, tflite)
        if modes & 1:
            windows = list(_windows(host, inputs.walks))
            yield inputs.noted(board_link(device, host, windows, mode="window", progress=progress))
        if modes & 2:
            yield inputs.noted(board_link(device, host, inputs.walks, mode="stream", progress=progress))


def _windows(host: HostModel, inputs: list[Codes]) -> Codes:
    """All whole windows of the walks, one behind the other: [N, samples, C]."""
    length = host.info.plan.samples
    return np.concatenate(
        [walk[: len(walk) // length * length].reshape(-1, length, walk.shape[1]) for walk in inputs]
    )


def _sum(results: list[LinkResult]) -> LinkResult:
    """The walks of one link together."""
    first = results[0]
    return LinkResult(
        first.source, first.target, first.mode,
        outputs=sum(result.outputs for result in results),
        mismatches=sum(result.mismatches for result in results),
        max_lsb=max((result.max_lsb or 0 for result in results), default=0),
        note="; ".join(result.note for result in results if result.note),
    )  # fmt: skip
