# SPDX-License-Identifier: Apache-2.0
"""One run through a twin: codes and constants are found once, at their first use, also over many steps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from edgegrf.export.lowered import Node
from edgegrf.export.twin_operators import OPERATORS, activate

if TYPE_CHECKING:
    from edgegrf.export.twin import Twin

__all__ = ["Pass", "Watch"]

Doubles = NDArray[np.float64]
Watch = Callable[[int, Tensor], None]
Coding = Callable[[Tensor], Tensor]  # from steps, which it may overwrite, to whole ones

#: operators whose output is made of their input's codes, so that there is nothing to round
_MOVES = frozenset(
    {"MIRROR_PAD", "PAD", "RESHAPE", "RESIZE_NEAREST_NEIGHBOR", "SLICE", "STRIDED_SLICE", "TRANSPOSE"}
)


class Pass:
    """Computes tensors of a twin as it is now; gradients of all steps meet in the same parameters."""

    def __init__(self, twin: Twin) -> None:
        self.twin = twin
        self._constants: dict[int, tuple[tuple[Tensor, ...], Doubles | None]] = {}
        self._codings: dict[str, Coding] = {}

    def values(
        self,
        given: Mapping[str, Tensor],
        nodes: Collection[int] | None = None,
        watch: Watch | None = None,
        known: Collection[str] = (),
    ) -> dict[str, Tensor]:
        """Every tensor from those `given` on, or what the `nodes` of those numbers make.

        What is `known` of them is neither rounded nor computed again; `watch` as in `Twin.run`.
        """
        values = {name: one if name in known else self.rounded(name, one) for name, one in given.items()}
        for i in range(len(self.twin.lowered.nodes)) if nodes is None else nodes:
            node = self.twin.lowered.nodes[i]
            if node.output in values:
                continue
            inputs = [values[name] for name in node.inputs]
            if watch and node.weights is not None:
                watch(i, inputs[0])
                node = self.twin.lowered.nodes[i]
            if i not in self._constants:
                self._constants[i] = self.twin.constants(i)
            constants, scales = self._constants[i]
            value = OPERATORS[node.kind](node, inputs, *constants)
            value = activate(value, node.options.get("activation", "NONE"))
            if "limits" in node.options:
                value = torch.clamp(value, *node.options["limits"])
            moved = node.kind in _MOVES and "limits" not in node.options
            values[node.output] = value if moved else self.rounded(node.output, value, node, scales)
        return values

    def rounded(
        self, name: str, value: Tensor, node: Node | None = None, scales: Doubles | None = None
    ) -> Tensor:
        """`value` as the codes of tensor `name` read back; as it is where `name` is exact.

        `node` makes it, with weights of those `scales`.
        """
        if self.twin.origin(name) in self.twin.exact:
            return value
        if name not in self._codings:
            self._codings[name] = self._coding(name, node, scales)
        return self._codings[name](value)

    def _coding(self, name: str, node: Node | None, scales: Doubles | None) -> Coding:
        scale, zero_point = self.twin.code_of(name)
        least, most = (-32768, 32767) if self.twin.scheme.symmetric else (-128, 127)
        step = scale.detach()
        ends = float((least - zero_point) * step), float((most - zero_point) * step)
        codes: Coding = _away
        if name in self.twin.lowered.inputs:
            codes = torch.round
        elif self.twin.origin(name) != name:  # a pool rounds its codes, zero point and all

            def codes(steps: Tensor) -> Tensor:
                return _away(steps + zero_point) - zero_point

        elif node and (multipliers := self.twin.multipliers(node, scales)) is not None:
            codes = _requantising(multipliers, symmetric=self.twin.scheme.symmetric, dtype=step.dtype)
        return lambda value: _Coded.apply(value, scale, ends, codes)  # type: ignore[no-untyped-call]


class _Coded(torch.autograd.Function):
    """Values clipped, coded and read back; gradients pass straight, what is clipped pulls at the scale."""

    @staticmethod
    def forward(ctx: Any, value: Tensor, scale: Tensor, ends: tuple[float, float], coding: Coding) -> Tensor:
        inside = value.clamp(*ends)
        codes = coding(inside / scale)
        ctx.save_for_backward(inside != value, codes)
        return (codes * scale).sub_(inside).add_(inside)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (gradient,) = gradients
        clipped, codes = ctx.saved_tensors
        passed = gradient.masked_fill(clipped, 0)
        pull = (gradient - passed).mul_(codes).sum() if ctx.needs_input_grad[1] else None
        return passed, pull, None, None


def _requantising(multipliers: Doubles, *, symmetric: bool, dtype: torch.dtype) -> Coding:
    """Codes as MultiplyByQuantizedMultiplier rounds them: twice, first to the bits that it shifts out.

    Sums of 64 bits are rounded once, half up, by 16 bits of the multiplier.
    """
    mantissas, exponents = np.frexp(multipliers)
    if symmetric and len(multipliers) > 1:
        kept = np.minimum(np.floor(mantissas * 2**15 + 0.5), 0x7FFF) / 2**15 / mantissas
        factors = torch.tensor(kept, dtype=dtype)
        return lambda steps: steps.mul_(factors).add_(0.5).floor_()
    finer = torch.tensor(2.0 ** np.maximum(-exponents, 0), dtype=dtype)
    return lambda steps: _away(steps.mul_(finer).add_(0.5).floor_().div_(finer))


def _away(x: Tensor) -> Tensor:
    """Rounded to the nearest, halves away from zero."""
    return x.abs().add_(0.5).floor_().copysign_(x)
