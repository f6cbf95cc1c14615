# SPDX-License-Identifier: Apache-2.0
"""Imports run downward only, as DESIGN.md draws them; heavy packages stay where they belong."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "edgegrf"

LAYERS = (
    {"cli"},
    {"sweep"},
    {"explain", "live", "personal", "profile"},
    {"report"},
    {"bench"},
    {"parity"},
    {"link", "qat"},
    {"distill", "export", "flash", "virtual"},
    {"image"},
    {"compiler"},
    {"gait", "students", "graph"},
    {"manifest", "boards", "toolchain"},
    {"process", "files", "resources", "progress", "pins"},
    {"errors", "__init__"},
)
LEVEL = {name: len(LAYERS) - depth for depth, names in enumerate(LAYERS) for name in names}
HOMES = {
    "torch": {"students", "distill", "export", "parity", "qat"},
    "serial": {"link"},
    "click": {"cli"},
    "rich": {"cli"},
    "unicorn": {"virtual"},
    "matplotlib": {"report", "gait"},
}

MODULES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py") if "_shipped" not in path.parts)


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((PACKAGE / path).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _part(path: Path) -> str:
    return path.parts[0].removesuffix(".py")


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_imports_run_downward(path: Path) -> None:
    part = _part(path)
    for name in _imports(path):
        if name.startswith("edgegrf.") and (other := name.split(".")[1]) in LEVEL and other != part:
            assert LEVEL[other] < LEVEL[part], f"{path} imports {name}"


def test_the_drawing_is_the_table() -> None:
    design = (PACKAGE.parent / "DESIGN.md").read_text()
    drawn = next(line for line in design.splitlines() if line.startswith("    cli -> "))
    layers = [set(layer.split(", ")) for layer in drawn.strip().split(" -> ")]
    assert layers == [layer - {"__init__"} for layer in LAYERS]


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_heavy_packages_stay_home(path: Path) -> None:
    for name in _imports(path):
        homes = HOMES.get(name.split(".")[0])
        assert homes is None or _part(path) in homes, f"{path} imports {name}"


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_exported_names_are_the_public_names(path: Path) -> None:
    name = ".".join(("edgegrf", *path.with_suffix("").parts)).removesuffix(".__init__")
    module = import_module(name)
    exported = getattr(module, "__all__", None)
    if exported is not None:  # ruff keeps it sorted
        defined = {key for key, value in vars(module).items() if getattr(value, "__module__", None) == name}
        assert {key for key in defined if not key.startswith("_")} <= set(exported)
        assert all(hasattr(module, item) for item in exported)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['edgegrf', '--help']\n"
        "from edgegrf.cli import main\n"
        "try: main()\n"
        "except SystemExit as stop: assert not stop.code\n"
        "heavy = {'torch', 'numpy', 'onnx', 'serial', 'unicorn', 'matplotlib'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Commands, in the order of the work" in done.stdout
