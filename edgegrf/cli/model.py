# SPDX-License-Identifier: Apache-2.0
"""How every command names a model: an int8 `.tflite`, or a shipped student."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edgegrf.errors import ModelError
from edgegrf.resources import DEFAULT_STUDENT, MODEL_FILE, shipped_file

__all__ = ["MODEL", "model_argument", "model_name", "model_option", "personal_option"]


class _Model(click.ParamType):  # type: ignore[type-arg]  # generic only since click 8.4
    """Converts to the path of a file that holds something; raises ModelError, UnknownNameError."""

    name = "model"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if not path.suffix and not path.exists():
            return shipped_file(str(value), MODEL_FILE)
        if not path.is_file():
            raise ModelError(f"no such model: {path}", fix="edgegrf export --quantize int8 writes one")
        if not path.stat().st_size:
            raise ModelError(f"{path} is empty", fix="export or download it again")
        return path


MODEL = _Model()

model_argument: Callable[[Any], Any] = click.argument(
    "model", type=MODEL, default=DEFAULT_STUDENT, metavar="[MODEL.tflite|NAME]"
)

model_option: Callable[[Any], Any] = click.option(
    "--model",
    type=MODEL,
    default=DEFAULT_STUDENT,
    show_default=True,
    metavar="FILE|NAME",
    help="An int8 .tflite, or a shipped student.",
)


personal_option: Callable[[Any], Any] = click.option(
    "--personal",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Store this personalisation (personal.json) on the board first.",
)


def model_name(model: Path) -> str:
    """What a model's folders are called: the student's name, else the file's."""
    return model.resolve().parent.name if model.name == MODEL_FILE else model.stem
