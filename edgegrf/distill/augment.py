# SPDX-License-Identifier: Apache-2.0
"""What is done to a batch before a student sees it; each example is drawn for itself."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from torch import Tensor

from edgegrf.distill.batch import Batch
from edgegrf.gait.disturbances import DISTURBANCES

__all__ = ["disturbed", "mixed", "noise", "other_gains", "removal", "shift"]


def other_gains(batch: Batch, spread: float, random: torch.Generator) -> Batch:
    """Each sensor times exp(normal * spread); forces gain what the sensors gain; then all is calibrated anew.

    Another insole's gains make a student general where walks are of few insoles.  The last step scales the
    sensors and forces of an example alike, so that its mean force stays what it was: insoles are calibrated
    to their wearer's weight, and a student may rely on it.  For targets that are the total of a foot of which
    the sensors are a part.
    """
    pressure = batch.pressure
    image = pressure.dim() == 4  # [B, T, rows, columns]
    shape = (len(pressure), 1, *pressure.shape[2:]) if image else (*pressure.shape[:2], 1)
    other = pressure * (torch.randn(shape, generator=random) * spread).exp().to(pressure)
    more = (other - pressure).sum(dim=(2, 3) if image else 1).unsqueeze(1)[..., -batch.force.shape[2] :]
    force = batch.force + more
    before, after = (values.mean(dim=(1, 2), keepdim=True) for values in (batch.force, force))
    scale = torch.where((before > 0) & (after > 0), before / after, 1.0)
    return dataclasses.replace(
        batch,
        pressure=other * (scale.unsqueeze(3) if image else scale),
        force=force * scale,
        taught=None if batch.taught is None else (batch.taught + more) * scale,
    )


def disturbed(batch: Batch, share: float, random: torch.Generator) -> Batch:
    """A `share` of the examples with one of gait's disturbances each, of any strength.

    Forces stay, and so do the teacher's estimates and what it sees: they belong to the walk as it was.
    """
    pressure = batch.pressure.clone()
    kinds = list(DISTURBANCES.values())
    often = np.array([kind.often for kind in kinds])
    often /= often.sum()
    for index in _chosen(len(pressure), share, random):
        rng = np.random.default_rng(int(torch.randint(0, 2**31, (), generator=random)))
        kind = kinds[rng.choice(len(kinds), p=often)]
        image = pressure[index].cpu()
        series = image.flatten(1) if image.dim() == 3 else image.mT  # [T, C]
        changed = torch.from_numpy(kind.apply(series.numpy(), float(rng.choice(kind.strengths)), rng))
        pressure[index] = changed.reshape(image.shape) if image.dim() == 3 else changed.mT
    seen = batch.pressure if batch.seen is None else batch.seen
    return dataclasses.replace(batch, pressure=pressure, seen=seen)


def removal(batch: Batch, share: float, longest: int, random: torch.Generator) -> Batch:
    """In a `share` of the examples, up to `longest` samples of all sensors are 0."""
    pressure = batch.pressure.clone()
    time = _time_axis(pressure)
    for index in _chosen(len(pressure), share, random):
        length = int(torch.randint(1, min(longest, pressure.shape[time] - 1) + 1, (), generator=random))
        start = int(torch.randint(0, pressure.shape[time] - length, (), generator=random))
        pressure[index].narrow(time - 1, start, length).zero_()
    return dataclasses.replace(batch, pressure=pressure)


def noise(batch: Batch, share: float, deviation: float, random: torch.Generator) -> Batch:
    """In a `share` of the examples, normal noise of that standard deviation on every value."""
    pressure = batch.pressure.clone()
    for index in _chosen(len(pressure), share, random):
        pressure[index] += (torch.randn(pressure[index].shape, generator=random) * deviation).to(pressure)
    return dataclasses.replace(batch, pressure=pressure)


def shift(batch: Batch, share: float, longest: int, random: torch.Generator) -> Batch:
    """A `share` of the examples later by up to `longest` samples, forces too; what runs out comes back in."""
    steps = [0] * len(batch.pressure)
    for index in _chosen(len(steps), share, random):
        steps[index] = int(torch.randint(1, longest + 1, (), generator=random))

    def moved(series: Tensor) -> Tensor:
        axis = _time_axis(series) - 1
        return torch.stack([one.roll(step, dims=axis) for one, step in zip(series, steps, strict=True)])

    return batch.mapped(moved) if any(steps) else batch


def mixed(batch: Batch, share: float, sharp: float, random: torch.Generator) -> Batch:
    """A `share` of the examples mixed with another: a x1 + (1 - a) x2, a ~ Beta(sharp, sharp), forces too."""
    count = len(batch.pressure)
    own = torch.ones(count)
    for index in _chosen(count, share, random):
        own[index] = _beta(sharp, random)
    other = torch.randperm(count, generator=random)

    def blend(series: Tensor) -> Tensor:
        weight = own.reshape(-1, *(1 for _ in series.shape[1:])).to(series)
        return weight * series + (1 - weight) * series[other]

    return batch.mapped(blend)


def _beta(sharp: float, random: torch.Generator) -> Tensor:
    """One draw of Beta(sharp, sharp), by Joehnk's method (1964), from `random` alone."""
    while True:
        u, v = torch.rand(2, generator=random).pow(1 / sharp)
        if 0 < u + v <= 1:
            return torch.as_tensor(u / (u + v))


def _chosen(count: int, share: float, random: torch.Generator) -> list[int]:
    return torch.nonzero(torch.rand(count, generator=random) < share).flatten().tolist()


def _time_axis(series: Tensor) -> int:
    """1 of a matrix insole's pressure [B, T, rows, columns], 2 of anything else [B, C, T]."""
    return 1 if series.dim() == 4 else 2
