# SPDX-License-Identifier: Apache-2.0
"""The stage as a whole: a float model in, student.onnx, the `.tflite` and golden windows out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from edgegrf.errors import UnknownNameError
from edgegrf.export.accuracy import Runner, coded_estimates, float_estimates, rmse
from edgegrf.export.golden import golden_windows, pack
from edgegrf.export.lowered import Lowered
from edgegrf.export.lowering import lower
from edgegrf.export.onnx_file import opset, places, simplify
from edgegrf.export.reach import with_reach
from edgegrf.export.records import (
    GOLDEN,
    ONNX,
    Artefact,
    Exported,
    quantization_record,
    write_artefacts,
)
from edgegrf.export.scheme import SCHEMES, Scheme
from edgegrf.export.source import Source
from edgegrf.export.tensorflow_check import cross_check
from edgegrf.export.tuning import CALIBRATIONS, Quantised, quantise_best, quantise_learnt
from edgegrf.export.windows import Piece, Walks, cut_pieces, fingerprint, load_walks
from edgegrf.files import check_writable
from edgegrf.progress import Progress, silent

__all__ = ["evaluation_pieces", "export_model"]

_CALIBRATION_WINDOWS = 96
_CALIBRATION_WALKS = 8  # of a step model, each _STEP_LENGTH samples
_STEP_LENGTH = 1000
_STEP_HISTORY = 200  # the benchmark task counts estimates after 200 samples
_MAC_BUDGET = 1_200_000_000  # what measuring may cost: about a second in tflite-micro
_SAMPLE_LIMIT = 40_000
_STEP_SAMPLE_LIMIT = 20_000
_FEWEST_PIECES = 8


def export_model(
    source: Source,
    folder: Path,
    *,
    run: Runner,
    data: Path | None = None,
    columns: Path | None = None,
    walks: Walks | None = None,
    calibration: str = "auto",
    quantize: str = "int8",
    explained: bool = False,
    cross_checked: bool = False,
    progress: Progress = silent,
) -> Exported:
    """Export `source` into `folder`; `run` runs an integer model with the bits that count, `columns`
    is the column map of `data` in CSV, `walks` are taken in place of `data`, `quantize` is "int8", "int16x8"
    or "none"; `explained` asks which layers cost accuracy, `cross_checked` for the same model by TensorFlow.

    Files appear only when all of them are made.  Raises UnsupportedError naming what cannot be lowered,
    DataError for walks that do not fit, OutputError for a folder that cannot be written.
    """
    if calibration not in CALIBRATIONS:
        raise UnknownNameError("calibration", calibration, CALIBRATIONS)
    if quantize not in (*SCHEMES, "none"):
        raise UnknownNameError("quantisation", quantize, (*SCHEMES, "none"))
    scheme = SCHEMES.get(quantize)
    check_writable(folder)
    simple = simplify(source.onnx)
    lowered = _lower(source, simple)
    source = with_reach(source, simple)
    walks = walks or load_walks(source.interface, data, columns)
    pieces = evaluation_pieces(source, walks, lowered.macs)
    metrics: dict[str, float] = {"samples": sum(piece.stop - piece.start for piece in pieces)}
    metrics |= _errors("float", float_estimates(simple, pieces, progress), pieces)
    artefacts = [_onnx_artefact(source, metrics)]
    best, explanation, other = None, None, None
    if scheme:
        watched = _calibration_pieces(source, walks)
        about = f"edgegrf {source.name}"
        if source.learnt and scheme.name == "int8" and calibration == "auto":
            best = quantise_learnt(lowered, source.learnt, watched, simple, run, about)
        else:
            best = quantise_best(simple, lowered, watched, run, calibration, about, progress, scheme)
        coded = coded_estimates(run, best.data, best.graph, pieces, progress)
        metrics |= _errors(scheme.name, coded, pieces)
        if cross_checked:
            progress("tensorflow", 0, 1)
            other = cross_check(lowered, watched, pieces, run)
        explanation = _explanation(best, pieces, progress) if explained else None
        facts = _facts(lowered, best, walks, watched)
        tflite = _tflite_artefact(artefacts[0], scheme, best, metrics, facts)
        artefacts += [tflite, _golden_artefact(tflite, best, source, run)]
    paths = write_artefacts(source, folder, artefacts)
    return _exported(source, paths, lowered, best, metrics, walks, explanation, other)


def _explanation(best: Quantised, pieces: list[Piece], progress: Progress) -> dict[str, Any]:
    from edgegrf.export.sensitivity import explain

    return explain(best, pieces, progress)


def _facts(lowered: Lowered, best: Quantised, walks: Walks, watched: list[Piece]) -> dict[str, Any]:
    """What the integer model's manifest says of it beside how it was quantised."""
    return {
        "operators": _operators(best),
        "macs": lowered.macs,
        "measured_on": walks.source,
        "synthetic": walks.synthetic,
        "calibrated_on": fingerprint(watched),
    }


def _lower(source: Source, simple: Any) -> Lowered:
    interface = source.interface
    return lower(
        simple, places(source.onnx), channels=len(interface.sensors), estimates=len(interface.outputs)
    )


def evaluation_pieces(source: Source, walks: Walks, macs: int) -> list[Piece]:
    """Held-out pieces, as many as a second of tflite-micro can take, spread over all held-out walks."""
    if source.is_step:
        count = _STEP_SAMPLE_LIMIT // _STEP_LENGTH
        return cut_pieces(walks.held_out, _STEP_LENGTH, count, start=_STEP_HISTORY)
    window = source.interface.window
    stop = window - max(source.interface.lookahead, 0)
    wanted = _SAMPLE_LIMIT // (stop - source.history)
    count = max(min(wanted, _MAC_BUDGET // max(macs, 1)), _FEWEST_PIECES)
    return cut_pieces(walks.held_out, window, count, start=source.history, stop=stop)


def _calibration_pieces(source: Source, walks: Walks) -> list[Piece]:
    if source.is_step:
        return cut_pieces(walks.training, _STEP_LENGTH, _CALIBRATION_WALKS)
    return cut_pieces(walks.training, source.interface.window, _CALIBRATION_WINDOWS)


def _errors(prefix: str, estimates: Any, pieces: list[Piece]) -> dict[str, float]:
    by_weight, in_newton = rmse(estimates, pieces)
    return {f"{prefix}_rmse_bw": by_weight, f"{prefix}_rmse_n": in_newton}


def _onnx_artefact(source: Source, metrics: dict[str, float]) -> Artefact:
    return Artefact(
        "onnx",
        ONNX,
        source.onnx.SerializeToString(deterministic=True),
        {"opset": opset(source.onnx)},
        metrics=dict(metrics),
        sources=source.sources,
        tools=("onnx", "onnxruntime", "torch"),
    )


def _tflite_artefact(
    onnx: Artefact, scheme: Scheme, best: Quantised, metrics: dict[str, float], facts: dict[str, Any]
) -> Artefact:
    how = {
        "scheme": scheme.name,
        "calibration": best.method,
        "equalised": best.equalised,
        "rounding": best.rounding,
    }
    return Artefact(
        "tflite",
        f"student_{scheme.name}.tflite",
        best.data,
        facts | how,
        quantization_record(best.graph),
        dict(metrics),
        {ONNX: onnx.sha256},
        ("onnxruntime", "tflite-micro"),
    )


def _golden_artefact(tflite: Artefact, best: Quantised, source: Source, run: Runner) -> Artefact:
    windows = golden_windows(run, best.data, best.graph, source.interface)
    return Artefact(
        "golden",
        GOLDEN,
        pack(windows),
        quantization=tflite.quantization,
        sources={tflite.file: tflite.sha256},
        tools=("tflite-micro",),
    )


def _operators(best: Quantised) -> dict[str, int]:
    return dict(sorted(Counter(operator.kind for operator in best.graph.operators).items()))


def _exported(
    source: Source,
    paths: dict[str, Path],
    lowered: Lowered,
    best: Quantised | None,
    metrics: dict[str, float],
    walks: Walks,
    explanation: dict[str, Any] | None,
    other: dict[str, Any] | None,
) -> Exported:
    return Exported(
        onnx=paths["onnx"],
        tflite=paths.get("tflite"),
        golden=paths.get("golden"),
        opset=opset(source.onnx),
        operators=_operators(best) if best else {},
        macs=lowered.macs,
        metrics=metrics,
        scheme=best.scheme.name if best else "",
        calibration=best.method if best else "",
        data=walks.source,
        synthetic=walks.synthetic,
        oddities=walks.oddities,
        explanation=explanation,
        other=other,
    )
