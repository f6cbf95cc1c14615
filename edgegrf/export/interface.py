# SPDX-License-Identifier: Apache-2.0
"""The two ends of a lowered graph: from ONNX's input shapes to the `.tflite` contract and back."""

from __future__ import annotations

import math
from typing import Any

from edgegrf.errors import ModelError
from edgegrf.export.arrange import rearranged
from edgegrf.export.layout import Layout
from edgegrf.export.lowering import Lowering, OnnxNode, Value
from edgegrf.graph.model import STATE_PREFIX

__all__ = ["bind_inputs", "bind_outputs", "fix_shapes"]


def fix_shapes(model: Any, window: int) -> Any:
    """The model with every open dimension closed: the batch to 1, time to `window`."""
    from onnx import ModelProto, shape_inference

    fixed = ModelProto()
    fixed.CopyFrom(model)
    for value in fixed.graph.input:
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if not dim.HasField("dim_value"):
                dim.dim_value = 1 if axis == 0 else window
    del fixed.graph.value_info[:]
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    return shape_inference.infer_shapes(fixed, strict_mode=True)


def bind_inputs(lowering: Lowering, model: Any, channels: int) -> tuple[str, ...]:
    """Declare the model's inputs as lowered tensors; returns their names in ONNX's order."""
    names = []
    for value in model.graph.input:
        if value.name in lowering.constants:
            continue
        shape = [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        order = _input_order(value.name, shape, channels)
        lowering.values[value.name] = Value(value.name, Layout.of(shape, order))
        lowering.shapes[value.name] = tuple(shape[axis] for axis in order)
        lowering.observed[value.name] = value.name
        names.append(value.name)
    if len([name for name in names if not name.startswith(STATE_PREFIX)]) != 1:
        raise ModelError(
            f"the model has {len(names)} inputs: {', '.join(names)}",
            why=f"one takes pressure; a state's name begins with '{STATE_PREFIX}'",
            fix="name the states in torch.onnx.export(input_names=...)",
        )
    return tuple(names)


def _input_order(name: str, shape: list[int], channels: int) -> list[int]:
    if not shape or shape[0] != 1 or any(size < 1 for size in shape):
        raise ModelError(f"input '{name}' has shape {shape}", why="the batch must be 1, nothing empty")
    if name.startswith(STATE_PREFIX):
        return list(range(len(shape)))
    if len(shape) == 3 and shape[1] == channels:
        return [0, 2, 1]
    fits = {2: shape[-1], 3: shape[-1], 4: math.prod(shape[2:])}.get(len(shape))
    if fits != channels:
        raise ModelError(
            f"input '{name}' of shape {shape} does not fit {channels} sensors",
            why="expected [1, C, T], [1, T, C], [1, T, rows, columns] or, for a step, [1, C]",
            fix="name the model's sensors with --sensors",
        )
    return list(range(len(shape)))


def bind_outputs(lowering: Lowering, estimates: int) -> tuple[str, ...]:
    """Give every result a tensor of its own name and of the contract's shape."""
    step = any(name.startswith(STATE_PREFIX) for name in lowering.values)
    return tuple(_bind_output(lowering, name, estimates, step) for name in lowering.results)


def _bind_output(lowering: Lowering, name: str, estimates: int, step: bool) -> str:
    value = lowering.values.get(name)
    if value is None:
        raise ModelError(f"output '{name}' is a constant")
    layout = value.layout
    shape = layout.shape
    if step and not name.startswith(STATE_PREFIX) and shape != (1, estimates):
        raise ModelError(f"output '{name}' has shape {shape}; a step gives [1, {estimates}]")
    if not step:
        layout = _time_major(name, layout, estimates)
        shape = (1, math.prod(shape) // estimates, estimates)
    end = OnnxNode("output", name, (name,), (), {}, "")
    ordered = [atom for axis in range(len(layout.dims)) for atom in layout.real(axis)]
    moved = rearranged(lowering, end, Value(value.tensor, layout), ordered)
    return _own_tensor(lowering, name, moved.tensor, shape)


def _time_major(name: str, layout: Layout, estimates: int) -> Layout:
    """The layout named [1, T, K], whichever way round ONNX had it."""
    shape = layout.shape
    if shape[0] == 1 and len(shape) == 3 and shape[1] == estimates:
        return layout.transpose((0, 2, 1))
    if shape[0] == 1 and (shape[-1] == estimates or (estimates == 1 and len(shape) == 2)):
        return layout
    raise ModelError(
        f"output '{name}' of shape {shape} does not hold {estimates} estimates a sample",
        why="expected [1, K, T], [1, T, K] or [1, K]",
        fix="name the model's outputs with --outputs",
    )


def _own_tensor(lowering: Lowering, name: str, tensor: str, shape: tuple[int, ...]) -> str:
    """The result's tensor: the one that holds it if it already has name and shape, else a RESHAPE."""
    if tensor == name and lowering.shapes[tensor] == shape:
        return name
    node = lowering.producer(tensor)
    if tensor == name and node is not None:  # the name is the result's; what held it so far steps aside
        tensor = f"{name}/flat"
        node.output = tensor
        for reader in lowering.nodes:
            reader.inputs = [tensor if read == name else read for read in reader.inputs]
        lowering.shapes[tensor] = lowering.shapes.pop(name)
        lowering.observed[tensor] = lowering.observed[name]
    return lowering.reshape(tensor, name, shape)
