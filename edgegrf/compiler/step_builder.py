# SPDX-License-Identifier: Apache-2.0
"""Tensors and operators of a step model in the making: rows remembered from call to call, rows that wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import UnsupportedError
from edgegrf.graph.model import NEXT_SUFFIX, STATE_PREFIX, Operator, Quantization, Tensor
from edgegrf.graph.schema import OPERATORS

__all__ = ["Builder"]


class Builder:
    """Tensors by their index; `states`: pairs of one that a call takes and one that it gives to the next."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.operators: list[Operator] = []
        self.states: list[tuple[int, int]] = []
        self.masks: dict[tuple[int, int, int, int], int] = {}

    def tensor(self, tensor: Tensor) -> int:
        self.tensors.append(tensor)
        return len(self.tensors) - 1

    def constant(self, name: str, data: NDArray[Any], quantization: Quantization | None = None) -> int:
        return self.tensor(Tensor(name, data.shape, str(data.dtype), quantization, data))

    def add(self, kind: str, inputs: Sequence[int], output: Tensor, **options: Any) -> int:
        """A new operator; its output."""
        known = OPERATORS[kind]
        version = known.wide if output.dtype == "int16" else known.version
        if not version:
            raise UnsupportedError(f"{kind} has no int16 in TFLite Micro", node=kind)
        made = self.tensor(output)
        self.operators.append(Operator(kind, tuple(inputs), (made,), options, version))
        return made

    def like(self, new: int, name: str, axis: int, rows: int) -> Tensor:
        """A tensor as `new`, with `rows` along `axis`."""
        record = self.tensors[new]
        shape = (*record.shape[:axis], rows, *record.shape[axis + 1 :])
        return Tensor(name, shape, record.dtype, record.quantization)

    def cut(self, new: int, name: str, axis: int, begin: int, rows: int) -> int:
        """Some rows of a new tensor."""
        shape = self.tensors[new].shape
        if rows == shape[axis]:
            return new
        begins = np.array([begin if i == axis else 0 for i in range(len(shape))], np.int32)
        sizes = np.array([rows if i == axis else n for i, n in enumerate(shape)], np.int32)
        vectors = (self.constant(f"{name}/begin", begins), self.constant(f"{name}/size", sizes))
        return self.add("SLICE", (new, *vectors), self.like(new, name, axis, rows))

    def remembered(self, new: int, name: str, axis: int, rows: int) -> int:
        """A new tensor with the `rows` rows of earlier calls before it."""
        if rows == 0:
            return new
        fresh = self.tensors[new].shape[axis]
        state = self.tensor(self.like(new, STATE_PREFIX + name, axis, rows))
        joined = self.like(new, f"{name}/rows", axis, rows + fresh)
        whole = self.add("CONCATENATION", (state, new), joined, axis=axis, activation="NONE")
        self.states.append((state, self.cut(whole, STATE_PREFIX + name + NEXT_SUFFIX, axis, fresh, rows)))
        return whole

    def delayed(self, new: int, name: str, axis: int, rows: int) -> int:
        """A new tensor `rows` rows later."""
        fresh = self.tensors[new].shape[axis]
        return self.cut(self.remembered(new, name, axis, rows), f"{name}/late", axis, 0, fresh)

    def masked(self, new: int, name: str, axis: int, late: int) -> int:
        """A new tensor with zero points for its first `late` rows, which no stream has."""
        record = self.tensors[new]
        key = (len(record.shape), axis, record.shape[axis], late)
        if key not in self.masks:
            shape = tuple(n if i == axis else 1 for i, n in enumerate(record.shape))
            whole = Quantization(np.ones(1, np.float32), np.zeros(1, np.int64))
            word = f"begun_{len(self.masks)}"
            ones = self.constant(f"{word}/ones", np.ones(shape, np.dtype(record.dtype)), whole)
            self.masks[key] = self.delayed(ones, word, axis, late)
        made = self.like(new, f"{name}/begun", axis, record.shape[axis])
        return self.add("MUL", (new, self.masks[key]), made, activation="NONE")
