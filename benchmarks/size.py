# SPDX-License-Identifier: Apache-2.0
"""`make size`: flash, RAM and stack of every shipped student on its boards, against size_budget.toml.

The image is that of `edgegrf build`: both modes, the link, everything.  The stack is the deepest that the
virtual board has seen after a greeting, a stream and a window.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.marks import table
from edgegrf.boards import board
from edgegrf.errors import CheckFailedError, EdgegrfError, UsageError
from edgegrf.image import build_image
from edgegrf.link import Device
from edgegrf.link.hello import Mode
from edgegrf.link.virtual_port import VirtualPort
from edgegrf.resources import MODEL_FILE, shipped_file, shipped_students

__all__ = ["BUDGET", "KINDS", "Size", "check", "main", "measure", "read_budget"]

BUDGET = Path(__file__).with_name("size_budget.toml")
KINDS = ("flash", "ram", "stack")
_SAMPLES = 64

#: board -> model -> kind -> bytes
Budget = Mapping[str, Mapping[str, Mapping[str, int]]]


@dataclass(frozen=True)
class Size:
    """Bytes of one image: flash, RAM with the reserved stack, the deepest that it was seen."""

    board: str
    model: str
    flash: int
    ram: int
    stack: int


def main(arguments: Sequence[str]) -> int:
    """Measure what the budget names and compare; 1 past a budget, with the numbers."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.size", description="Sizes against a budget.")
    parser.add_argument("--json", action="store_true", help="print the sizes and the excesses as JSON")
    parser.add_argument("--budget", type=Path, default=BUDGET, help="default: benchmarks/size_budget.toml")
    parser.add_argument("--compiler", choices=("gcc", "zig"), help="default: gcc, else zig")
    options = parser.parse_args(arguments)
    try:
        budget = read_budget(options.budget)
        sizes = [
            measure(target, model, options.compiler) for target, models in budget.items() for model in models
        ]
        _show(sizes, budget, as_json=options.json)
        check(sizes, budget)
    except EdgegrfError as error:
        print("size: " + "\n  ".join(error.lines()), file=sys.stderr)
        return error.exit_code
    return 0


def read_budget(path: Path) -> Budget:
    """The budget; raises UsageError where it is no budget or leaves a shipped student out."""
    try:
        budget: Budget = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise UsageError(f"cannot read the budget {path}", why=str(error)) from error
    if not budget:
        raise UsageError(f"{path} names no board", fix="[BOARD.STUDENT] with flash, ram and stack")
    for target, models in budget.items():
        board(target)
        if not isinstance(models, dict) or set(models) != set(shipped_students()):
            raise UsageError(
                f"{path}: {target} does not have a budget for each shipped student and no other",
                why=f"the shipped students are {', '.join(shipped_students())}",
                fix=f"[{target}.STUDENT] with flash, ram and stack",
            )
        for model, kinds in models.items():
            sound = isinstance(kinds, dict) and set(kinds) == set(KINDS)
            if not sound or not all(isinstance(limit, int) for limit in kinds.values()):
                raise UsageError(f"{path}: {target}.{model} is not flash, ram and stack in bytes")
    return budget


def measure(target: str, model: str, compiler: str | None = None) -> Size:
    """Build the image of a shipped student and let the virtual board run it."""
    tflite, chosen = shipped_file(model, MODEL_FILE), board(target)
    with tempfile.TemporaryDirectory(prefix="edgegrf-") as folder:
        image = build_image(chosen, tflite, Path(folder), compiler=compiler)
        with Device(VirtualPort(image.elf, chosen)) as device:
            info = device.info
            count = max(_SAMPLES, info.window_samples)
            samples = np.random.default_rng(0).integers(-128, 128, (count, info.input_channels))
            if info.modes & Mode.STREAM:
                device.stream(samples[:_SAMPLES].astype(np.int8))
            if info.modes & Mode.WINDOW:
                device.window(samples[: info.window_samples].astype(np.int8))
            stack = device.stats().stack_used
    return Size(target, model, image.sizes.flash_bytes, image.sizes.all_ram_bytes, stack)


def check(sizes: Sequence[Size], budget: Budget) -> None:
    """Raise CheckFailedError, with the numbers, when an image is past its budget."""
    over = _excesses(sizes, budget)
    if over:
        lines = [
            f"{one['model']} on {one['board']}: {one['kind']} {one['bytes']} B, budget {one['budget']} B"
            for one in over
        ]
        raise CheckFailedError(
            "; ".join(lines),
            why=f"{len(over)} of {len(KINDS) * len(sizes)} sizes are past their budget",
            fix="make it smaller, or raise benchmarks/size_budget.toml and say why in its line",
        )


def _excesses(sizes: Sequence[Size], budget: Budget) -> list[dict[str, Any]]:
    return [
        {"board": size.board, "model": size.model, "kind": kind, "bytes": taken, "budget": allowed}
        for size in sizes
        for kind in KINDS
        if (taken := getattr(size, kind)) > (allowed := budget[size.board][size.model][kind])
    ]


def _show(sizes: Sequence[Size], budget: Budget, *, as_json: bool) -> None:
    if as_json:
        record = {"sizes": [vars(size) for size in sizes], "over": _excesses(sizes, budget)}
        print(json.dumps(record, indent=1))
        return
    rows = [
        (size.board, size.model,
         *(f"{getattr(size, kind)} of {budget[size.board][size.model][kind]}" for kind in KINDS))
        for size in sizes
    ]  # fmt: skip
    print(table(("board", "model", "flash, B", "RAM, B", "stack, B"), rows))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
