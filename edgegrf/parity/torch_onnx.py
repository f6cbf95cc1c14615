# SPDX-License-Identifier: Apache-2.0
"""The link torch = ONNX: the same float estimates within 1e-5."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edgegrf.export.accuracy import float_estimates
from edgegrf.export.onnx_file import load_onnx
from edgegrf.export.windows import Piece, cut_pieces
from edgegrf.gait.choice import synthetic_walks
from edgegrf.gait.trials import trials
from edgegrf.manifest import Interface
from edgegrf.parity.link import LinkResult

__all__ = ["TOLERANCE", "torch_onnx"]

#: largest distance allowed between two float estimates, in the output's unit
TOLERANCE = 1e-5

_WINDOWS = 32
_SEEDS = (7, 14)


def torch_onnx(checkpoint: Path, onnx: Path) -> LinkResult:
    """Compare the student in torch with its ONNX file in onnxruntime on windows of the synthetic walker.

    A recurrent student runs over each window from its zero state, in ONNX step by step.
    """
    import torch

    from edgegrf.students import load

    student = load(checkpoint)
    pieces = _pieces(student.interface)
    exact = float_estimates(load_onnx(onnx), pieces)
    frame = student.interface.frame
    with torch.no_grad():
        batch = torch.from_numpy(np.stack([piece.x for piece in pieces]))
        shaped = batch.reshape(*batch.shape[:2], *frame) if frame else batch.transpose(1, 2)
        reference = student(shaped).transpose(1, 2).numpy()
    distance = np.abs(exact - reference)
    return LinkResult(
        source="torch",
        target="onnx",
        mode="stream" if student.recurrent else "window",
        outputs=distance.size,
        mismatches=int(np.count_nonzero(~(distance <= TOLERANCE))),
        max_abs=float(distance.max()),
        tolerance=TOLERANCE,
        unit=student.interface.output_unit,
    )


def _pieces(interface: Interface) -> list[Piece]:
    return cut_pieces(trials(synthetic_walks(interface, _SEEDS), interface), interface.window, _WINDOWS)
