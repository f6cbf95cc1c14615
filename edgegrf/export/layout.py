# SPDX-License-Identifier: Apache-2.0
"""Layout algebra: what an ONNX dimension is made of, and in which order it lies in memory.

Each logical (ONNX) dimension is a product of atoms; memory is one order of all atoms.  Transpose,
Reshape, Squeeze and the like only rewrite the logical side, so they cost nothing at run time; a layer
absorbs what order its input channels really have into its weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import UnsupportedError

__all__ = ["Atom", "Layout"]


@dataclass(frozen=True, eq=False)
class Atom:
    """An indivisible piece of a dimension; two atoms are the same only if they are one object."""

    size: int


@dataclass(frozen=True)
class Layout:
    """`dims` are the ONNX dimensions, `order` all their atoms as they lie in memory, slowest first."""

    dims: tuple[tuple[Atom, ...], ...]
    order: tuple[Atom, ...]

    @classmethod
    def of(cls, shape: Sequence[int], order: Sequence[int] | None = None) -> Layout:
        """A fresh layout of an ONNX `shape`; `order` says which dimension lies where in memory."""
        atoms = [Atom(size) for size in shape]
        permutation = range(len(atoms)) if order is None else order
        return cls(tuple((atom,) for atom in atoms), tuple(atoms[i] for i in permutation if shape[i] != 1))

    @property
    def shape(self) -> tuple[int, ...]:
        """The ONNX shape."""
        return tuple(math.prod(atom.size for atom in dim) for dim in self.dims)

    def real(self, dim: int) -> tuple[Atom, ...]:
        """The atoms of a dimension that are larger than 1."""
        return tuple(atom for atom in self.dims[dim] if atom.size != 1)

    def transpose(self, permutation: Sequence[int]) -> Layout:
        """The same memory with the dimensions named in another order."""
        return Layout(tuple(self.dims[axis] for axis in permutation), self.order)

    def reshape(self, shape: Sequence[int]) -> Layout:
        """The same memory cut into other dimensions; raises UnsupportedError where atoms do not divide."""
        atoms = [atom for dim in self.dims for atom in dim if atom.size != 1]
        order = list(self.order)
        dims = []
        for wanted in shape:
            dim: list[Atom] = []
            while wanted > 1:
                if not atoms:
                    raise UnsupportedError(f"a Reshape of {self.shape} to {tuple(shape)}")
                atom = atoms.pop(0)
                if atom.size > wanted:
                    atom, rest = self._split(atom, wanted, order)
                    atoms.insert(0, rest)
                if wanted % atom.size:
                    raise UnsupportedError(f"a Reshape of {self.shape} to {tuple(shape)} across dimensions")
                wanted //= atom.size
                dim.append(atom)
            dims.append(tuple(dim))
        return Layout(tuple(dims), tuple(order))

    @staticmethod
    def _split(atom: Atom, size: int, order: list[Atom]) -> tuple[Atom, Atom]:
        if atom.size % size:
            raise UnsupportedError(f"a Reshape that cuts {atom.size} into {size}")
        parts = Atom(size), Atom(atom.size // size)
        at = order.index(atom)
        order[at : at + 1] = parts
        return parts

    def indices(self, dim: int) -> NDArray[np.int64]:
        """For each place of `dim` in memory, its logical index; [size of dim]."""
        atoms = self.real(dim)
        if not atoms:
            return np.arange(1)
        here = [atom for atom in self.order if atom in atoms]
        logical = np.arange(math.prod(atom.size for atom in atoms)).reshape([atom.size for atom in atoms])
        return logical.transpose([atoms.index(atom) for atom in here]).reshape(-1)

    def in_memory(self, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
        """The values of an ONNX tensor in memory order, [elements]."""
        atoms = [atom for axis in range(len(self.dims)) for atom in self.real(axis)]
        shaped = tensor.reshape([atom.size for atom in atoms])
        return shaped.transpose([atoms.index(atom) for atom in self.order]).reshape(-1)

    @property
    def innermost(self) -> int:
        """The dimension whose neighbours are neighbours in memory: the channels, channels last."""
        if not self.order:
            return len(self.dims) - 1
        return next(axis for axis, dim in enumerate(self.dims) if self.order[-1] in dim)

    def signature(self) -> tuple[tuple[int, int, int], ...]:
        """Memory order in terms of logical places: two tensors that agree can be added element by element."""
        place = {
            atom: (axis, index, atom.size)
            for axis in range(len(self.dims))
            for index, atom in enumerate(self.real(axis))
        }
        return tuple(place[atom] for atom in self.order)
