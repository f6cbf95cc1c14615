# SPDX-License-Identifier: Apache-2.0
"""The chain of proof, link by link: torch = ONNX, ONNX ~ int8, TFLM = C on the host = C on the board."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edgegrf.gait.choice import Chosen, choose_walks
from edgegrf.graph.affine import Codes, pressure_code, quantize
from edgegrf.graph.reader import read_tflite
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
    port: str | None = None,
    progress: Progress = silent,
) -> Iterator[LinkResult]:
    """Each link's result as soon as it is known; links whose files are missing are left out.

    `columns` is the column map of `data` in CSV; `outputs` is how many estimates each integer link compares
    at least, as far as the walks reach; `port` None leaves out the board.
    """
    if chain.checkpoint and chain.onnx:
        from edgegrf.parity.torch_onnx import torch_onnx

        yield torch_onnx(chain.checkpoint, chain.onnx)
    if chain.onnx:
        from edgegrf.parity.onnx_int8 import onnx_int8

        yield onnx_int8(chain.onnx, chain.tflite, data=data, columns=columns, progress=progress)
    host = HostModel(chain.tflite)
    interface = chain.manifest.interface if chain.manifest else None
    if interface is None:
        inputs = _random_inputs(host, outputs)
    else:
        chosen = choose_walks(interface, data, walks=_WALKS, columns=columns, unseen=True, progress=progress)
        inputs = _walk_inputs(host, chain.tflite, chosen, outputs)
    yield from _tflm_c(chain.tflite, host, inputs, progress)
    if port:
        yield from _board(chain.tflite, host, inputs, port, progress)


def _random_inputs(host: HostModel, outputs: int) -> _Inputs:
    """Windows of random bits, which stand in for walks where a model does not say what it takes."""
    plan = host.info.plan
    windows = -(-outputs // (plan.estimates * plan.output_channels))
    ends = np.iinfo(host.dtype)
    shape = (windows * plan.samples, plan.input_channels)
    bits = np.random.default_rng(0).integers(ends.min, ends.max, shape, endpoint=True)
    return _Inputs([bits.astype(host.dtype)], f"{windows} windows of random bits")


def _walk_inputs(host: HostModel, tflite: Path, chosen: Chosen, outputs: int) -> _Inputs:
    """As many walks as `outputs` estimates take."""
    plan = host.info.plan
    scale, zero_point = pressure_code(read_tflite(tflite.read_bytes()))
    found: list[Codes] = []
    samples = 0
    for trial in chosen.trials:
        if len(trial.x) >= plan.samples:
            found.append(quantize(trial.x, scale, zero_point, host.dtype)[0])
            samples += len(found[-1]) // plan.samples * plan.samples
        if samples * plan.estimates * plan.output_channels >= outputs * plan.samples:
            break
    return _Inputs(found, chosen.source, tuple(chosen.oddities))


def _tflm_c(tflite: Path, host: HostModel, inputs: _Inputs, progress: Progress) -> Iterator[LinkResult]:
    from edgegrf.parity.tflm_c import check_stream, check_window

    if host.modes & 1:
        yield inputs.noted(check_window(tflite, host, _windows(host, inputs.walks), progress=progress))
    if host.modes & 2:
        results = [check_stream(tflite, host, walk, progress=progress) for walk in inputs.walks]
        yield inputs.noted(_sum(results))


def _board(
    tflite: Path, host: HostModel, inputs: _Inputs, port: str, progress: Progress
) -> Iterator[LinkResult]:
    from edgegrf.files import sha256_file
    from edgegrf.link import Device, open_port
    from edgegrf.parity.c_board import board_link

    with Device(open_port(port, model=tflite, progress=progress)) as device:
        device.expect_model(sha256_file(tflite), name=str(tflite))
        if host.modes & 1:
            windows = list(_windows(host, inputs.walks))
            yield inputs.noted(board_link(device, host, windows, mode="window", progress=progress))
        if host.modes & 2:
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
