# SPDX-License-Identifier: Apache-2.0
"""The chain of proof, link by link: torch = ONNX, ONNX ~ int8, TFLM = C on the host = C on the board."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edgegrf.gait.choice import choose_walks
from edgegrf.graph.affine import pressure_code, quantize
from edgegrf.graph.reader import read_tflite
from edgegrf.manifest import Interface
from edgegrf.parity.files import Chain
from edgegrf.parity.host import HostModel
from edgegrf.parity.link import LinkResult
from edgegrf.progress import Progress, silent

__all__ = ["RANDOM_WINDOWS", "model_inputs", "verify_chain"]

Int8 = NDArray[np.int8]

#: windows of random bits that stand in for walks where a model does not say what it takes
RANDOM_WINDOWS = 1000

_WALKS = 40


def verify_chain(
    chain: Chain,
    *,
    data: Path | None = None,
    outputs: int = 100_000,
    port: str | None = None,
    progress: Progress = silent,
) -> Iterator[LinkResult]:
    """Each link's result as soon as it is known; links whose files are missing are left out.

    `outputs` is how many estimates each integer link compares at least, as far as the walks reach; `port`
    None leaves out the board.
    """
    if chain.checkpoint and chain.onnx:
        from edgegrf.parity.torch_onnx import torch_onnx

        yield torch_onnx(chain.checkpoint, chain.onnx)
    if chain.onnx:
        from edgegrf.parity.onnx_int8 import onnx_int8

        yield onnx_int8(chain.onnx, chain.tflite, data=data, progress=progress)
    host = HostModel(chain.tflite)
    interface = chain.manifest.interface if chain.manifest else None
    inputs, source = model_inputs(host, chain.tflite, interface, data, outputs, progress)
    yield from _tflm_c(chain.tflite, host, inputs, source, progress)
    if port:
        yield from _board(chain.tflite, host, inputs, source, port, progress)


def model_inputs(
    host: HostModel,
    tflite: Path,
    interface: Interface | None,
    data: Path | None,
    outputs: int,
    progress: Progress,
) -> tuple[list[Int8], str]:
    """Walks [T, C] as the model's int8, enough for `outputs` estimates, and what they are in words.

    Of walks only those of unseen subjects; without an interface, random bits.
    """
    plan = host.info.plan
    if interface is None:
        length = RANDOM_WINDOWS * max(plan.samples, 1)
        bits = np.random.default_rng(0).integers(-128, 128, (length, plan.input_channels))
        return [bits.astype(np.int8)], f"{RANDOM_WINDOWS} windows of random bits"
    walks = choose_walks(interface, data, walks=_WALKS, unseen=True, progress=progress)
    scale, zero_point = pressure_code(read_tflite(tflite.read_bytes()))
    found: list[Int8] = []
    samples = 0
    for trial in walks.trials:
        if len(trial.x) >= plan.samples:
            found.append(quantize(trial.x, scale, zero_point)[0])
            samples += len(found[-1]) // plan.samples * plan.samples
        if samples * plan.estimates * plan.output_channels >= outputs * plan.samples:
            break
    return found, walks.source


def _tflm_c(
    tflite: Path, host: HostModel, inputs: list[Int8], source: str, progress: Progress
) -> Iterator[LinkResult]:
    from edgegrf.parity.tflm_c import check_stream, check_window

    if host.modes & 1:
        yield _noted(check_window(tflite, host, _windows(host, inputs), progress=progress), source)
    if host.modes & 2:
        results = [check_stream(tflite, host, walk, progress=progress) for walk in inputs]
        yield _noted(_sum(results), source)


def _board(
    tflite: Path, host: HostModel, inputs: list[Int8], source: str, port: str, progress: Progress
) -> Iterator[LinkResult]:
    from edgegrf.files import sha256_file
    from edgegrf.link import Device, open_port
    from edgegrf.parity.c_board import board_link

    with Device(open_port(port, model=tflite, progress=progress)) as device:
        device.expect_model(sha256_file(tflite), name=str(tflite))
        if host.modes & 1:
            windows = list(_windows(host, inputs))
            yield _noted(board_link(device, host, windows, mode="window", progress=progress), source)
        if host.modes & 2:
            yield _noted(board_link(device, host, inputs, mode="stream", progress=progress), source)


def _windows(host: HostModel, inputs: list[Int8]) -> Int8:
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


def _noted(result: LinkResult, source: str) -> LinkResult:
    return result if result.note else replace(result, note=source)
