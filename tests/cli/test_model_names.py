# SPDX-License-Identifier: Apache-2.0
"""Every command that takes a model takes a file or a shipped student's name, and says alike what is wrong."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from edgegrf.cli.model import MODEL, model_name
from edgegrf.errors import ModelError, UnknownNameError
from edgegrf.resources import DEFAULT_STUDENT, shipped_file

ARGUMENT, OPTION = ("verify", "compile", "profile"), ("build", "flash", "bench", "boards")


def test_a_name_is_a_shipped_students_model() -> None:
    path = MODEL.convert("insole4-gru32", None, None)
    assert path == shipped_file("insole4-gru32", "student_int8.tflite")
    assert model_name(path) == "insole4-gru32"
    assert model_name(Path("mine/net.tflite")) == "net"


@pytest.mark.parametrize("name", [*ARGUMENT, *OPTION])
def test_what_is_wrong_with_a_model_is_said_alike(name: str, tmp_path: Path) -> None:
    (tmp_path / "empty.tflite").write_bytes(b"")
    command = import_module(f"edgegrf.cli.{name}").command
    for model, error, said in (
        (str(tmp_path / "absent.tflite"), ModelError, "no such model"),
        (str(tmp_path / "empty.tflite"), ModelError, "is empty"),
        ("insole4-gru", UnknownNameError, "unknown student"),
    ):
        arguments = [model] if name in ARGUMENT else ["--model", model]
        done = CliRunner().invoke(command, arguments)
        assert isinstance(done.exception, error) and said in str(done.exception)


@pytest.mark.parametrize("name", [*ARGUMENT, *OPTION])
def test_the_default_is_the_default_student(name: str) -> None:
    command = import_module(f"edgegrf.cli.{name}").command
    model = next(parameter for parameter in command.params if parameter.name == "model")
    assert model.default == DEFAULT_STUDENT
