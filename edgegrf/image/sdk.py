# SPDX-License-Identifier: Apache-2.0
"""The SDKs that a project can be written for: how to get each, to build with it, and what it leaves."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from edgegrf.boards import Board
from edgegrf.errors import MissingToolError, UnknownNameError, UsageError
from edgegrf.process import run

__all__ = ["ENGINES", "SDKS", "Sdk", "build_with", "sdk_for"]

#: what runs the model: C made ahead of time, or TFLite Micro from the SDK's own package
ENGINES = ("aot", "tflm")

_TIMEOUT_S = 3600.0


@dataclass(frozen=True)
class Sdk:
    """One SDK.  `{target}` stands for its name of the chip or board, `{folder}` for the project's."""

    name: str
    title: str
    variable: str  # of the environment, set where the SDK is ready for use
    get: tuple[str, str, str]  # commands that install it
    build: tuple[tuple[str, ...], ...]  # commands that build the project
    image: str  # the file to flash, within the project
    root: str  # where in the project the firmware lies

    def commands(self, target: str, folder: Path | str) -> tuple[str, ...]:
        """The build commands as a person types them."""
        return tuple(" ".join(self._argv(words, target, folder)) for words in self.build)

    def _argv(self, words: tuple[str, ...], target: str, folder: Path | str) -> list[str]:
        return [word.format(target=target, folder=folder) for word in words]


SDKS = {
    "esp-idf": Sdk(
        name="esp-idf",
        title="ESP-IDF 5.3 or newer",
        variable="IDF_PATH",
        get=(
            "git clone -b v5.3.2 --recursive https://github.com/espressif/esp-idf.git",
            "esp-idf/install.sh {target}",
            ". esp-idf/export.sh",
        ),
        build=(
            ("idf.py", "-C", "{folder}", "set-target", "{target}"),
            ("idf.py", "-C", "{folder}", "build"),
        ),
        image="build/flasher_args.json",
        root="components/edgegrf",
    ),
    "zephyr": Sdk(
        name="zephyr",
        title="Zephyr 4 with its tflite-micro module",
        variable="ZEPHYR_BASE",
        get=(
            "pip install west && west init zephyrproject && cd zephyrproject",
            "west config manifest.project-filter -- +tflite-micro && west update",
            "west packages pip --install && west sdk install && . zephyr/zephyr-env.sh",
        ),
        build=(("west", "build", "-b", "{target}", "-d", "{folder}/build", "{folder}"),),
        image="build/zephyr/zephyr.hex",
        root="edgegrf",
    ),
}


def sdk_for(board: Board, name: str | None, engine: str) -> tuple[Sdk, str] | None:
    """The SDK to use and what it calls the board; None where the board is built without one.

    Raises UnknownNameError, and UsageError where the board has no project for that SDK or engine.
    """
    if engine not in ENGINES:
        raise UnknownNameError("engine", engine, ENGINES)
    if name is not None and name not in SDKS:
        raise UnknownNameError("SDK", name, SDKS)
    targets = {"esp-idf": board.idf_target, "zephyr": board.zephyr_board}
    able = [key for key, target in targets.items() if target]
    if name is None and engine == "aot" and board.port not in SDKS:
        return None
    chosen = name or next(iter(able), None)
    target = targets[chosen] if chosen else None
    if chosen is None or target is None:
        raise UsageError(
            f"no project of {chosen or 'any SDK'} is known for {board.name}",
            why="TFLite Micro comes from an SDK" if engine == "tflm" else "",
            fix=f"--sdk {able[0]}" if able else "edgegrf build --board nrf52840dk --engine tflm",
        )
    return SDKS[chosen], target


def build_with(sdk: Sdk, target: str, folder: Path) -> Path | None:
    """Build the project where the SDK is ready for use; gives the file to flash, None without the SDK.

    Raises MissingToolError when the SDK is only half there, ToolFailedError when it does not build.
    """
    if not os.environ.get(sdk.variable):
        return None
    if shutil.which(sdk.build[0][0]) is None:
        raise MissingToolError(
            f"{sdk.variable} is set, but {sdk.build[0][0]} is not on the PATH", fix=sdk.get[2]
        )
    for words in sdk.build:
        run([word.format(target=target, folder=folder) for word in words], timeout_s=_TIMEOUT_S)
    return folder / sdk.image
