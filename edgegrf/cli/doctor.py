# SPDX-License-Identifier: Apache-2.0
"""`edgegrf doctor`: what is installed, what is missing, and the command that mends it."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib import metadata

import click

from edgegrf.cli.console import print_json, print_table

__all__ = ["command"]

#: distribution -> (what it is for, the extra that brings it)
PACKAGES = {
    "torch": ("train, export", "export"),
    "onnx": ("export", "export"),
    "onnxruntime": ("export", "export"),
    "onnxscript": ("export", "export"),
    "tflite-micro": ("the judge of every parity check", "verify"),
    "tflite-runtime": ("the second witness", "verify"),
    "unicorn": ("virtual boards", "virtual"),
    "capstone": ("cycle estimates", "virtual"),
    "cmake": ("build", "build"),
    "ninja": ("build", "build"),
    "ziglang": ("a C compiler where there is none", "build"),
    "matplotlib": ("figures in reports", "report"),
    "pyocd": ("flash by debug probe", "flash"),
}


@dataclass(frozen=True)
class _Finding:
    """One thing looked at: `found` says which, or is empty; `needed` things decide the exit code."""

    name: str
    purpose: str
    found: str
    fix: str = ""
    needed: bool = False


@click.command(
    epilog="Examples:  edgegrf doctor   |   edgegrf doctor --json",
    help="Say what is installed, what is missing and how to get it. Exit code 4 if the main job cannot run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the findings as JSON.")
def command(as_json: bool) -> int:
    findings = [*_packages(), *_compilers(), *_surroundings()]
    lacking = [finding for finding in findings if finding.needed and not finding.found]
    if as_json:
        print_json({"ok": not lacking, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [
            (finding.name, finding.purpose, finding.found or "missing", "" if finding.found else finding.fix)
            for finding in findings
        ]
        print_table("edgegrf doctor", ("what", "for", "found", "to get it"), rows)
        click.echo("everything that the main job needs is here" if not lacking else _sentence(lacking))
    return 4 if lacking else 0


def _sentence(lacking: list[_Finding]) -> str:
    return "the main job cannot run without " + ", ".join(finding.name for finding in lacking)


def _packages() -> Iterator[_Finding]:
    version = sys.version.split()[0]
    yield _Finding(
        "python", "everything", version if sys.version_info >= (3, 11) else "", "3.11 or newer", True
    )
    for name, (purpose, extra) in PACKAGES.items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            # a program on the PATH serves as well as the wheel
            found = shutil.which(name) or ""
        needed = extra not in ("flash", "report") and name not in ("tflite-runtime", "ziglang")
        yield _Finding(name, purpose, found, f"pip install 'edgegrf[{extra}]'", needed)


def _compilers() -> Iterator[_Finding]:
    from edgegrf.toolchain import arm_compiler, core_compiler, host_compiler

    pip = "pip install 'edgegrf[build]'"
    yield _Finding("C compiler (host)", "parity, native board", _version(host_compiler), pip, True)
    yield _Finding("C compiler (Cortex-M)", "build", _version(arm_compiler), pip, True)
    riscv = _version(lambda: core_compiler("RV32IMC"))
    yield _Finding("C compiler (RISC-V)", "build for ESP32-C3", riscv, pip)
    gcc = "install arm-none-eabi-gcc (optional: zig serves)"
    yield _Finding("arm-none-eabi-gcc", "build, preferred", _version(lambda: arm_compiler("gcc")), gcc)


def _version(find: Callable[[], object]) -> str:
    from edgegrf.errors import MissingToolError

    try:
        return str(getattr(find(), "version", ""))
    except MissingToolError:
        return ""


def _surroundings() -> Iterator[_Finding]:
    from edgegrf.gait.readers import default_data
    from edgegrf.link.ports import plugged_in
    from edgegrf.resources import shipped_students

    yield _Finding("shipped students", "defaults", ", ".join(shipped_students()), "reinstall edgegrf", True)
    walks = default_data()
    yield _Finding(
        "walks",
        "accuracy on real gait",
        str(walks or ""),
        "edgegrf data fetch gaitpdb (else synthetic walks)",
    )
    boards = ", ".join(
        f"{port.device} ({' or '.join(board.name for board in port.boards) or port.description})"
        for port in plugged_in()
    )
    esptool = shutil.which("esptool") or shutil.which("esptool.py") or ""
    yield _Finding(
        "esptool", "flash ESP32 boards", esptool, "pip install esptool (GPL; only run as a program)"
    )
    yield _Finding("boards", "bench on hardware", boards, "plug one in (else --port virtual:nrf52840dk)")
