# SPDX-License-Identifier: Apache-2.0
"""The teacher that sees persistence images: what it makes of every piece of the training walks."""

from __future__ import annotations

import hashlib
import io
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgegrf.distill.examples import Examples
from edgegrf.distill.topology import persistence_image
from edgegrf.errors import UsageError
from edgegrf.files import write_file
from edgegrf.progress import Progress, silent
from edgegrf.resources import cache_folder

__all__ = ["PIECE", "image_features"]

#: samples of an example whose features are compared, and that one image shows
PIECE = 200
_QUANTILES = 16
_EPOCHS, _BATCH, _RATE = 3, 128, 3e-3


def image_features(training: Examples, progress: Progress = silent) -> list[Tensor]:
    """Per stage of the image teacher, its features [N, P, D] of the P pieces of each training example.

    The teacher is trained here to tell from a piece's images, one a sensor, the quantiles of its force; the
    same walks give the same features, which are cached.  Raises UsageError for a matrix insole and for
    windows shorter than a piece, MissingToolError.
    """
    if training.pressure.dim() != 3:
        raise UsageError(
            "persistence images of a matrix insole", why="one image a sensor", fix="another recipe"
        )
    if training.pressure.shape[2] - training.warmup < PIECE:
        raise UsageError(f"windows shorter than the {PIECE} samples of an image", fix="another recipe")
    key = hashlib.sha256(training.pressure.numpy().tobytes() + training.force.numpy().tobytes()).hexdigest()
    path = cache_folder() / "teachers" / f"{key}-images.npz"
    if path.is_file():
        with np.load(path) as stored:
            return [torch.from_numpy(stored[name]) for name in sorted(stored.files)]
    images, quantiles = _pieces(training, progress)
    teacher = _learnt(images, quantiles, progress)
    with torch.no_grad():
        parts = [teacher.stages(part.float()) for part in torch.split(images, _BATCH)]
    features = [torch.cat([part[stage] for part in parts]) for stage in range(len(parts[0]))]
    shaped = [one.reshape(len(training), -1, one.shape[1]) for one in features]
    buffer = io.BytesIO()
    np.savez(buffer, **{f"stage{index}": one.numpy() for index, one in enumerate(shaped)})
    write_file(path, buffer.getvalue())
    return shaped


def _pieces(training: Examples, progress: Progress) -> tuple[Tensor, Tensor]:
    """Images [N * P, C, PIXELS, PIXELS] as float16, and the quantiles of the force [N * P, _QUANTILES]."""
    pieces = (training.pressure.shape[2] - training.warmup) // PIECE
    images, quantiles = [], []
    levels = torch.linspace(0, 1, _QUANTILES)
    for index in range(len(training)):
        for piece in range(pieces):
            span = slice(training.warmup + piece * PIECE, training.warmup + (piece + 1) * PIECE)
            seen = [persistence_image(sensor.numpy()) for sensor in training.pressure[index, :, span]]
            images.append(torch.from_numpy(np.stack(seen)).half())
            quantiles.append(torch.quantile(training.force[index, 0, span], levels))
        progress("persistence images", index + 1, len(training))
    return torch.stack(images), torch.stack(quantiles)


class _ImageTeacher(nn.Module):
    """Images [B, C, PIXELS, PIXELS] -> quantiles of the force: three strided convolutions, a linear head."""

    def __init__(self, sensors: int) -> None:
        super().__init__()
        widths = (sensors, 16, 32, 64)
        self.layers = nn.ModuleList(
            nn.Sequential(nn.Conv2d(a, b, 3, stride=2, padding=1), nn.BatchNorm2d(b), nn.ReLU())
            for a, b in pairwise(widths)
        )
        self.head = nn.Linear(4 * widths[-1], _QUANTILES)

    def stages(self, images: Tensor) -> list[Tensor]:
        """The features [B, D] of each layer, pooled to 2 x 2."""
        found = []
        for layer in self.layers:
            images = layer(images)
            found.append(functional.adaptive_avg_pool2d(images, 2).flatten(1))
        return found

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.stages(images)[-1])  # type: ignore[no-any-return]


def _learnt(images: Tensor, quantiles: Tensor, progress: Progress) -> _ImageTeacher:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        teacher = _ImageTeacher(images.shape[1])
        optimizer = torch.optim.AdamW(teacher.parameters(), lr=_RATE)
        for epoch in range(_EPOCHS):
            for chosen in torch.split(torch.randperm(len(images)), _BATCH):
                loss = functional.mse_loss(teacher(images[chosen].float()), quantiles[chosen])
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
            progress("image teacher", epoch + 1, _EPOCHS)
    return teacher.eval()
