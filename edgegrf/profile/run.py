# SPDX-License-Identifier: Apache-2.0
"""Runs a model on a virtual board and asks whose blocks were executed."""

from __future__ import annotations

import tempfile
from pathlib import Path

import numpy as np

from edgegrf import __version__
from edgegrf.boards import Board, board
from edgegrf.compiler import Compiled, compile_model
from edgegrf.compiler.plan import Layer
from edgegrf.errors import UnknownNameError, UsageError
from edgegrf.files import sha256_file
from edgegrf.graph.affine import Codes
from edgegrf.image import Image, build_image_of_c
from edgegrf.image.elf import read_elf
from edgegrf.link import Device
from edgegrf.link.virtual_port import VirtualPort
from edgegrf.manifest import command_line
from edgegrf.parity.c_board import board_link
from edgegrf.parity.host import HostModel
from edgegrf.parity.link import LinkResult
from edgegrf.profile.places import MODEL, Footprint, footprint, layer_spans
from edgegrf.profile.result import LayerCost, Profile, apportion
from edgegrf.progress import Progress, silent
from edgegrf.resources import cache_folder
from edgegrf.toolchain import core_compiler
from edgegrf.virtual import Share
from edgegrf.virtual.board import CHIPS

__all__ = ["check_port", "run_profile"]

#: what is averaged: rings come round at different times, so that samples differ
_SAMPLES, _WINDOWS = 512, 1
_SEED = 3

_VIRTUAL = "virtual:"


def check_port(spec: str) -> Board:
    """The board behind `virtual:BOARD`; raises UsageError for ports where layers cannot be told apart."""
    if spec.startswith(_VIRTUAL):
        target = board(spec[len(_VIRTUAL) :])
        if target.chip not in CHIPS:
            raise UnknownNameError("virtual chip", target.chip, CHIPS)
        return target
    raise UsageError(
        f"layers cannot be profiled on {spec or 'an empty port'}",
        why="a board counts the cycles of a whole inference; layers would need instrumented firmware",
        fix=f"--port virtual:nrf52840dk; or the whole, on the board: edgegrf bench --port {spec or 'PORT'}",
    )


def run_profile(
    tflite: Path,
    target: Board,
    mode: str | None = None,
    *,
    compiler: str | None = None,
    name: str = "",
    progress: Progress = silent,
) -> Profile:
    """Profile `tflite` on the virtual `target` with random samples of a fixed seed.

    The image holds the one `mode` (default: stream where the model can) and is not instrumented.  Its
    estimates are compared with the host's C.  Raises ModelError, UnsupportedError for a mode that the model
    lacks, MissingToolError.
    """
    with tempfile.TemporaryDirectory(prefix="edgegrf-") as work:
        host = HostModel(tflite)
        mode = mode or ("stream" if host.modes & 2 else "window")
        compiled = compile_model(tflite, Path(work) / "c", mode=mode)
        image = _image(target, compiled, tflite, mode, compiler, progress)
    clock_hz, link, shares = _run(target, image, host, compiled, mode, progress)
    taken = footprint(read_elf(image.elf.read_bytes()), compiled.layers(mode))
    return Profile(
        model=name or compiled.title,
        model_sha256=compiled.sha256,
        board=target.name,
        clock_hz=clock_hz,
        mode=mode,
        compiler=image.compiler,
        runs=_runs(mode),
        layers=_costs(compiled, mode, shares, taken),
        ram_bytes=taken.ram,
        io_bytes=_io_bytes(compiled, mode),
        image_flash_bytes=image.sizes.flash_bytes,
        **_parity(link),
        provenance=_provenance(image, mode),
    )


def _run(
    target: Board,
    image: Image,
    host: HostModel,
    compiled: Compiled,
    mode: str,
    progress: Progress,
) -> tuple[int, LinkResult, list[Share]]:
    """The board's clock, how its estimates compare, and what ran for whom."""
    spans = layer_spans(image.elf.read_bytes(), len(compiled.layers(mode)))
    port = VirtualPort(image.elf, target)
    with Device(port) as device:
        clock_hz = device.info.clock_hz
        port.board.count_by_owner(spans)
        link = board_link(device, host, _inputs(compiled, mode), mode=mode, progress=progress)
        return clock_hz, link, port.board.shares()


def _image(
    target: Board, compiled: Compiled, tflite: Path, mode: str, compiler: str | None, progress: Progress
) -> Image:
    kind = core_compiler(target.core, compiler).kind
    folder = cache_folder() / "profiles" / f"{target.name}-{sha256_file(tflite)[:16]}-{mode}-{kind}"
    return build_image_of_c(
        target, compiled.folder, folder, tflite=tflite, compiler=compiler, progress=progress
    )


def _runs(mode: str) -> int:
    return _SAMPLES if mode == "stream" else _WINDOWS


def _inputs(compiled: Compiled, mode: str) -> list[Codes]:
    plan = compiled.plan
    shape = (_SAMPLES if mode == "stream" else plan.samples, plan.input_channels)
    draw = np.random.default_rng(_SEED)
    windows = 1 if mode == "stream" else _WINDOWS
    ends = np.iinfo(plan.dtype)
    return [draw.integers(ends.min, ends.max + 1, shape).astype(plan.dtype) for _ in range(windows)]


def _parity(link: LinkResult) -> dict[str, int]:
    return {"compared": link.outputs, "mismatches": link.mismatches, "max_lsb": link.max_lsb or 0}


def _provenance(image: Image, mode: str) -> dict[str, str]:
    return {
        "command": command_line(),
        "edgegrf": __version__,
        "firmware_sha256": image.firmware_sha256,
        "inputs": f"{_runs(mode)} random {'samples' if mode == 'stream' else 'window'}, seed {_SEED}",
    }


def _io_bytes(compiled: Compiled, mode: str) -> int:
    plan = compiled.plan
    if mode == "stream":
        return plan.value_bytes * (plan.input_channels + plan.output_channels)
    return plan.value_bytes * (plan.samples * plan.input_channels + plan.estimates * plan.output_channels)


def _costs(compiled: Compiled, mode: str, shares: list[Share], taken: Footprint) -> tuple[LayerCost, ...]:
    """One row for each layer, and one for what lies between them."""
    runs = _runs(mode)
    owned = [*shares[MODEL + 1 :], shares[MODEL]]
    half_cycles, instructions, reads = (
        apportion([getattr(share, key) for share in owned], scale)
        for key, scale in (("half_cycles", 2 * runs), ("instructions", runs), ("flash_reads", runs))
    )
    about = [
        (layer.name, layer.kind, layer.place, *_sizes(compiled, layer, mode))
        for layer in compiled.layers(mode)
    ]
    about.append(("rest", "", "calls, states, the code of all layers", 0, 0, 0))
    flashes = [*taken.layer_flash, taken.flash - sum(taken.layer_flash)]
    return tuple(
        LayerCost(
            name=name, kind=kind, place=place, outputs=outputs, macs=macs, ram_bytes=ram,
            cycles=half_cycles[index], instructions=instructions[index], flash_reads=reads[index],
            flash_bytes=flashes[index],
        )
        for index, (name, kind, place, outputs, macs, ram) in enumerate(about)
    )  # fmt: skip


def _sizes(compiled: Compiled, layer: Layer, mode: str) -> tuple[int, int, int]:
    """A layer's output values, its MACs, and the bytes of RAM it needs: what it keeps, its output unless that
    is the caller's, and its scratch."""
    value = compiled.plan.values[layer.output]
    stream = mode == "stream"
    by_samples = stream or compiled.layout.through_stream
    kept = layer.ring.bytes if layer.ring and by_samples else 0
    scratch = layer.step_scratch if by_samples else layer.scratch
    own = value.step if by_samples else value.size
    ram = kept + scratch + (own if value.role == "inner" else 0)
    outputs = (value.step if stream else value.size) // compiled.plan.value_bytes
    return outputs, layer.step_macs // layer.clock.period if stream else layer.macs, ram
