# SPDX-License-Identifier: Apache-2.0
"""The layout algebra against numpy's own reshape and transpose."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgegrf.errors import UnsupportedError
from edgegrf.export.layout import Layout


def logical(layout: Layout, memory: np.ndarray) -> np.ndarray:
    """The ONNX tensor that `memory` stands for: atoms brought from memory order to logical order."""
    atoms = [atom for dim in layout.dims for atom in dim if atom.size != 1]
    shaped = memory.reshape([atom.size for atom in layout.order])
    return shaped.transpose([layout.order.index(atom) for atom in atoms]).reshape(layout.shape)


@settings(max_examples=60, deadline=None)
@given(st.permutations([0, 1, 2, 3]), st.permutations([0, 1, 2]), st.booleans())
def test_reshape_and_transpose_commute_with_memory(order, permutation, split):
    layout = Layout.of((2, 3, 4, 5), order)
    memory = np.arange(120).reshape([(2, 3, 4, 5)[axis] for axis in order])
    tensor = logical(layout, memory)
    shape = (6, 2, 10) if split else (6, 4, 5)
    renamed = layout.reshape(shape).transpose(permutation)
    assert np.array_equal(logical(renamed, memory), tensor.reshape(shape).transpose(permutation))


def test_channel_indices_say_where_a_flattened_channel_lies():
    frames = Layout.of((7, 3, 4, 2), (0, 2, 3, 1))  # [T, C, H, W], channels last in memory
    flat = frames.reshape((7, 24))
    memory = np.arange(3 * 4 * 2).reshape(3, 4, 2)  # logical index of each (c, h, w)
    assert np.array_equal(flat.indices(1), memory.transpose(1, 2, 0).reshape(-1))


@pytest.mark.parametrize("shape", [(5, 24), (3, 40), (120, 2)])
def test_a_reshape_that_does_not_divide_is_refused(shape):
    with pytest.raises(UnsupportedError):
        Layout.of((2, 3, 4, 5)).reshape(shape)


def test_only_tensors_in_the_same_order_can_be_added():
    first, last = Layout.of((1, 3, 4)), Layout.of((1, 3, 4), (0, 2, 1))
    assert first.signature() == Layout.of((1, 3, 4)).signature()
    assert first.signature() != last.signature()
