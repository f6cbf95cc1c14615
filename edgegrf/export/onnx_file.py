# SPDX-License-Identifier: Apache-2.0
"""ONNX files: read with suspicion, checked, simplified by onnxruntime, run for every value inside."""

from __future__ import annotations

import ast
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgegrf.errors import MissingToolError, ModelError

__all__ = ["OnnxRun", "load_onnx", "opset", "parse_onnx", "places", "simplify", "strip"]

_FIX = "pip install 'edgegrf[export]'"
_SCOPES = "pkg.torch.onnx.name_scopes"
_PLACE = "edgegrf.place"


def load_onnx(path: Path) -> Any:
    """The ONNX model in a file; raises ModelError if unreadable, unsound or with data outside the file."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot be read", why=error.strerror or str(error)) from error
    return parse_onnx(data, str(path))


def parse_onnx(data: bytes, name: str) -> Any:
    """The ONNX model in `data`, checked; `name` is for messages."""
    onnx = _onnx()
    try:
        model = onnx.load_model_from_string(data)
    except Exception as error:  # protobuf's own exception classes differ between its back ends
        raise _no_onnx(name, "its bytes are not ONNX's protobuf") from error
    if not model.ir_version:
        raise _no_onnx(name, "it has no version, as every ONNX file has" if data else "it is empty")
    _refuse_external(model, name)
    try:
        onnx.checker.check_model(model, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ModelError(f"{name}: not a sound ONNX model", why=str(error).splitlines()[0]) from error
    return model


def _no_onnx(name: str, why: str) -> ModelError:
    fix = "make it with torch.onnx.export(..., external_data=False)"
    return ModelError(f"{name}: not an ONNX model", why=why, fix=fix)


def opset(model: Any) -> int:
    """The version of the standard operators that the model really asks for."""
    return max((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), default=0)


def strip(model: Any) -> None:
    """Keep each node's place in the torch module and drop the rest (stack traces with local paths)."""
    for node in model.graph.node:
        place = _torch_place(node)
        node.doc_string = ""
        del node.metadata_props[:]
        if place:
            entry = node.metadata_props.add()
            entry.key, entry.value = _PLACE, place
    for holder in (model, model.graph, *model.graph.value_info, *model.graph.input, *model.graph.output):
        holder.doc_string = ""
        del holder.metadata_props[:]
    for initializer in model.graph.initializer:
        del initializer.metadata_props[:]


def places(model: Any) -> dict[str, str]:
    """ONNX value -> the place in the torch module of the node that makes it, where known."""
    found = {}
    for node in model.graph.node:
        stored = {entry.key: entry.value for entry in node.metadata_props}
        for output in node.output:
            found[output] = stored.get(_PLACE) or _torch_place(node) or node.name
    return found


def simplify(model: Any) -> Any:
    """The model after onnxruntime's exact rewrites: constants folded, Pad and BatchNorm merged into Conv.

    Its merging of Pad is left out where a MaxPool reads one: zeros would become less than everything.
    """
    runtime = _runtime()
    options = _quiet(runtime)
    options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    with tempfile.TemporaryDirectory() as folder:
        options.optimized_model_filepath = str(Path(folder) / "simple.onnx")
        _session(runtime, model, options, ["Pad_Fusion"] if _pools_zeros(model) else [])
        return _onnx().load_model(options.optimized_model_filepath)


class OnnxRun:
    """An ONNX model in onnxruntime; `extra` names inner values that are wanted beside the outputs."""

    def __init__(self, model: Any, extra: Sequence[str] = ()) -> None:
        onnx, runtime = _onnx(), _runtime()
        own = [output.name for output in model.graph.output]
        made = {name for node in model.graph.node for name in node.output}
        observed = onnx.ModelProto()
        observed.CopyFrom(model)
        for name in dict.fromkeys(extra):
            if name in made and name not in own:
                observed.graph.output.append(onnx.helper.make_empty_tensor_value_info(name))
        options = _quiet(runtime)
        options.intra_op_num_threads = 1
        options.graph_optimization_level = runtime.GraphOptimizationLevel.ORT_DISABLE_ALL
        self._session = _session(runtime, observed, options)
        self.inputs = [value.name for value in self._session.get_inputs()]
        self.outputs = [value.name for value in self._session.get_outputs()]

    def __call__(self, feeds: dict[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        """All wanted values, the inputs among them."""
        values = self._session.run(self.outputs, feeds)
        return {**feeds, **dict(zip(self.outputs, values, strict=True))}


def _pools_zeros(model: Any) -> bool:
    padded = {node.output[0] for node in model.graph.node if node.op_type == "Pad"}
    return any(node.op_type == "MaxPool" and node.input[0] in padded for node in model.graph.node)


def _session(runtime: Any, model: Any, options: Any, without: Sequence[str] = ()) -> Any:
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    refusals = (
        state.Fail,
        state.InvalidGraph,
        state.InvalidProtobuf,
        state.InvalidArgument,
        state.NotImplemented,
        state.RuntimeException,
    )
    try:
        return runtime.InferenceSession(
            model.SerializeToString(),
            options,
            providers=["CPUExecutionProvider"],
            disabled_optimizers=list(without),
        )
    except refusals as error:
        raise ModelError("onnxruntime refuses the model", why=str(error).splitlines()[0]) from error


def _quiet(runtime: Any) -> Any:
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    return options


def _refuse_external(model: Any, name: str) -> None:
    for tensor in _tensors(model.graph):
        if tensor.data_location == _onnx().TensorProto.EXTERNAL or tensor.external_data:
            raise ModelError(
                f"{name}: keeps weights outside the file",
                why=f"tensor '{tensor.name}' is external data",
                fix="save it whole: torch.onnx.export(..., external_data=False)",
            )


def _tensors(graph: Any) -> Iterator[Any]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (attribute.t, *attribute.tensors)
            for inner in (attribute.g, *attribute.graphs):
                if len(inner.node) or len(inner.initializer):
                    yield from _tensors(inner)


def _torch_place(node: Any) -> str:
    """ "b.0.dw" from the exporter's scopes, "['', 'b', 'b.0', 'b.0.dw', 'conv1d']"."""
    for entry in node.metadata_props:
        if entry.key == _SCOPES:
            scopes = [str(scope) for scope in ast.literal_eval(entry.value)]
            return scopes[-2] if len(scopes) > 1 else ""
    return ""


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise MissingToolError("onnx cannot be imported", why=str(error), fix=_FIX) from error
    return onnx


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingToolError("onnxruntime cannot be imported", why=str(error), fix=_FIX) from error
    return onnxruntime
