# SPDX-License-Identifier: Apache-2.0
"""The bench itself: every walk through the board, then every figure about them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from edgegrf import __version__
from edgegrf.bench.energy import energy_of
from edgegrf.bench.figures import figures, walk_rows
from edgegrf.bench.measure import Run, measure
from edgegrf.bench.result import BenchResult
from edgegrf.bench.score import score, warmup
from edgegrf.bench.statistics import quantiles, to_microseconds
from edgegrf.errors import DataError
from edgegrf.gait.trials import Trial
from edgegrf.link.device import Device
from edgegrf.link.hello import Hello, Mode
from edgegrf.link.messages import Stats
from edgegrf.link.personal import expect_file
from edgegrf.manifest import Interface, Manifest, command_line
from edgegrf.parity.c_board import Host, board_name, compare
from edgegrf.progress import Progress, silent

__all__ = ["default_mode", "model_interface", "run_bench"]


def default_mode(hello: Hello) -> str:
    """stream where the model can, else window."""
    return "stream" if hello.modes & Mode.STREAM else "window"


def run_bench(
    device: Device,
    tflite: Path,
    trials: Sequence[Trial],
    mode: str | None = None,
    progress: Progress = silent,
    *,
    source: str = "",
    oddities: Sequence[str] = (),
    host: Host | None = None,
) -> BenchResult:
    """Run `trials` through the board and through the host's C, and compute every figure.

    Ctrl-C ends it early; the result holds what was measured and is marked `partial`.  Raises
    FirmwareMismatchError when the board runs another model, DataError when no trial fits.
    """
    interface = model_interface(tflite)
    hello = expect_file(device, tflite)
    mode = mode or default_mode(hello)
    window = hello.window_samples if mode == "window" else 0
    _check_lengths(trials, window)
    before = device.stats()  # asked first: after Ctrl-C the board is not asked again
    runs = _run_all(device, host or _host(tflite), trials, mode, progress)
    partial = len(runs) < len(trials) or not all(run.whole for run in runs)
    stats = before if partial else device.stats()
    cycles = np.concatenate([run.cycles for run in runs]) if hello.clock_hz else np.empty(0, np.uint32)
    return BenchResult(
        **_identity(hello),
        mode=mode,
        samples=sum(run.samples_in for run in runs),
        cycles=quantiles(cycles),
        latency_us=to_microseconds(quantiles(cycles), hello.clock_hz),
        parity=_parity(device, runs, mode),
        accuracy=score(runs, interface, window),
        memory=_memory(stats),
        energy=_energy(hello, quantiles(cycles), mode, interface),
        link=_link(device, before, stats),
        data=_data(runs, interface, window, source, oddities),
        walks=walk_rows(runs, interface, window),
        figures=figures(runs, interface, window),
        provenance=_provenance(hello, interface),
        partial=partial,
    )


def _identity(hello: Hello) -> dict[str, Any]:
    return {
        "board": hello.board,
        "virtual": hello.virtual,
        "engine": hello.engine,
        "model_sha256": hello.model_sha256.hex(),
        "clock_hz": hello.clock_hz,
    }


def _run_all(device: Device, host: Host, trials: Sequence[Trial], mode: str, progress: Progress) -> list[Run]:
    runs: list[Run] = []
    done, total = 0, sum(len(trial.x) for trial in trials)
    for trial in trials:
        run = measure(device, host, trial, mode, before=done, total=total, progress=progress)
        runs.append(run)
        done += run.samples_in
        if not run.whole:
            break
    return runs


def _parity(device: Device, runs: list[Run], mode: str) -> dict[str, int]:
    estimates, expected = (
        np.concatenate([getattr(run, name) for run in runs]) for name in ("estimates", "expected")
    )
    link = compare(estimates, expected, mode=mode, target=board_name(device))
    return {"compared": link.outputs, "mismatches": link.mismatches, "max_lsb": link.max_lsb or 0}


def _energy(hello: Hello, cycles: dict[str, int], mode: str, interface: Interface) -> dict[str, Any]:
    stream = mode == "stream"
    return energy_of(
        hello.board,
        cycles.get("p50", 0),
        hello.clock_hz,
        inputs=hello.period if stream else hello.window_samples,
        estimates=1 if stream else hello.window_estimates,
        sample_rate_hz=interface.sample_rate_hz,
    )


def _memory(stats: Stats) -> dict[str, int | None]:
    return {
        "flash_bytes": stats.flash_bytes or None,
        "ram_bytes": stats.ram_bytes or None,
        "stack_bytes": stats.stack_used or None,
    }


def _link(device: Device, before: Stats, after: Stats) -> dict[str, int]:
    """Both sides of the link, the board's counters since the bench began: a damaged frame is one that
    either side dropped."""
    counters = device.counters
    damaged = after.check_errors + after.length_errors - before.check_errors - before.length_errors
    return {
        "frames": counters.frames,
        "crc_errors": counters.crc_errors + damaged,
        "retries": counters.retries,
        "lost": counters.lost,
        "duplicates": counters.duplicates + after.duplicates - before.duplicates,
        "overruns": after.overruns - before.overruns,
    }


def _data(
    runs: list[Run], interface: Interface, window: int, source: str, oddities: Sequence[str]
) -> dict[str, Any]:
    return {
        "source": source,
        "walks": len({run.trial.name.rpartition("/")[0] or run.trial.name for run in runs}),
        "trials": len(runs),
        "subjects": sorted({run.trial.subject for run in runs}),
        "synthetic": any(run.trial.synthetic for run in runs),
        "force_source": "; ".join(sorted({run.trial.force_source for run in runs if run.trial.force_source})),
        "sample_rate_hz": interface.sample_rate_hz,
        "warmup_samples": max((warmup(run, interface, window) for run in runs), default=0),
        "oddities": list(oddities),
        "clipped_inputs": sum(run.clipped for run in runs),
    }


def _provenance(hello: Hello, interface: Interface) -> dict[str, Any]:
    return {
        "command": command_line(),
        "edgegrf": __version__,
        "model": hello.model,
        "firmware_version": hello.version,
        "firmware_sha256": hello.firmware_sha256.hex(),
        "native": hello.native,
        "period": hello.period,
        "lookahead_samples": hello.lookahead,
        "sensors": list(interface.sensors),
        "outputs": list(interface.outputs),
    }


def model_interface(tflite: Path) -> Interface:
    """What goes into a `.tflite`, by its manifest; raises ModelError or DataError where that is not said."""
    interface = Manifest.read(tflite).interface
    if interface is None:
        raise DataError(
            f"{tflite} does not say what goes into it",
            why="its manifest has no interface (sensors, units, sample rate)",
            fix="export it with edgegrf export",
        )
    return interface


def _host(tflite: Path) -> Host:
    from edgegrf.parity.host import HostModel

    return HostModel(tflite)


def _check_lengths(trials: Sequence[Trial], window: int) -> None:
    if not trials:
        raise DataError("no walks to run", fix="give --data, or a larger --walks")
    short = [trial.name for trial in trials if len(trial.x) < max(1, window)]
    if short:
        raise DataError(
            f"{short[0]} is shorter than the model's window of {window} samples",
            why=f"{len(short)} of {len(trials)} walks are too short",
            fix="leave it out, or use --mode stream",
        )
