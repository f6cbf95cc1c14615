# SPDX-License-Identifier: Apache-2.0
"""Student -> ONNX, by torch's own exporter; a recurrent student leaves as its step."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from edgegrf.errors import MissingToolError, ModelError, UnsupportedError
from edgegrf.export.onnx_file import parse_onnx, strip
from edgegrf.graph.model import NEXT_SUFFIX, STATE_PREFIX

if TYPE_CHECKING:
    from edgegrf.students import Student

__all__ = ["INPUT", "OUTPUT", "export_onnx"]

#: the names of pressure and force in every exported model
INPUT, OUTPUT = "pressure", "force"

_OPSET = 18  # the lowest that torch's exporter writes without a conversion; read back, never assumed


def export_onnx(student: Student) -> Any:
    """The student as a checked ONNX model of batch 1 and T = interface.window, free of local paths.

    Raises UnsupportedError where torch cannot trace the module.
    """
    import torch

    module, example, inputs, outputs = _what_to_export(student)
    refusals = (torch.onnx.OnnxExporterError, torch._dynamo.exc.TorchDynamoException)
    with _quiet():
        try:
            program = torch.onnx.export(
                module,
                example,
                input_names=inputs,
                output_names=outputs,
                opset_version=_OPSET,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
            assert program is not None  # dynamo=True returns it
        except refusals as error:
            raise UnsupportedError(
                f"torch.onnx.export cannot trace {student.architecture or type(student).__name__}",
                node=type(student).__name__,
                why=_reason(error),
                fix="a forward of tensor operations only, without branches on values",
            ) from error
        except ModuleNotFoundError as error:
            raise MissingToolError(
                f"{error.name} is not installed", fix="pip install 'edgegrf[export]'"
            ) from error
    model = parse_onnx(program.model_proto.SerializeToString(), "the exported model")
    strip(model)
    given = [value.name for value in model.graph.input]
    if given != inputs:
        raise ModelError(f"the exported model takes {given}, expected {inputs}", why="an input is not used")
    return model


def _what_to_export(student: Student) -> tuple[Any, tuple[Any, ...], list[str], list[str]]:
    """(module, example arguments, input names, output names), in evaluation mode."""
    import torch

    from edgegrf.students import example_input

    interface = student.interface
    if not student.recurrent:
        return student.eval(), (example_input(interface),), [INPUT], [OUTPUT]
    step = student.step()  # type: ignore[operator]
    names = [STATE_PREFIX + name for name, _ in step.states]
    states = tuple(torch.zeros(1, size) for _, size in step.states)
    sample = example_input(interface)[:, :, 0] if interface.frame is None else example_input(interface)[:, 0]
    return step, (sample, *states), [INPUT, *names], [OUTPUT, *(name + NEXT_SUFFIX for name in names)]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Without the exporter's remarks on packages that are not needed, and on its own future."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        try:
            for logger in loggers:
                logger.setLevel(logging.ERROR)
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _reason(error: BaseException) -> str:
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    return (str(cause).strip().splitlines() or [type(cause).__name__])[0][:200]
