# SPDX-License-Identifier: Apache-2.0
"""What a person types at --port becomes a transport; images for virtual boards are built and kept."""

from __future__ import annotations

from pathlib import Path

from edgegrf.boards import Board, board
from edgegrf.errors import UsageError
from edgegrf.files import sha256_file
from edgegrf.gait.insole import Worn
from edgegrf.link.native_port import NativePort
from edgegrf.link.ports import plugged_in
from edgegrf.link.serial_port import SerialPort
from edgegrf.link.socket_port import SocketPort
from edgegrf.link.transport import Transport
from edgegrf.link.virtual_port import VirtualPort
from edgegrf.progress import Progress, silent
from edgegrf.resources import cache_folder

__all__ = ["DEFAULT_BOARD", "default_port", "open_port"]

#: the board that is emulated when none is plugged in, and whose speed an unknown port is opened with
DEFAULT_BOARD = "nrf52840dk"

_VIRTUAL = "virtual:"
_NATIVE = "native:"
_SOCKET = "socket://"


def default_port(board_name: str | None = None) -> str:
    """The port of the known board (or of the one named) that is plugged in, else its virtual one.

    Raises UnknownNameError for a board that is not known.
    """
    wanted = board(board_name) if board_name else None
    if wanted and wanted.port == "native":
        return _NATIVE
    for port in plugged_in():
        if wanted in port.boards if wanted else port.boards:
            return port.device
    return _VIRTUAL + (board_name or DEFAULT_BOARD)


def open_port(
    spec: str,
    *,
    model: Path | None = None,
    image: Path | None = None,
    board_name: str | None = None,
    worn: Worn | None = None,
    progress: Progress = silent,
) -> Transport:
    """Open a device path, `virtual:BOARD`, `native:`, `socket://HOST:PORT` or `rfc2217://HOST:PORT`.

    Virtual and native boards run `image`, or firmware built around the `.tflite` `model`, kept in the
    cache by its content; `worn` is what their sensors see.  `board_name` says whose speed to use where
    the port itself does not tell.
    Raises PortError, UsageError for a name that is none, UnknownNameError for a board that is not known.
    """
    if spec.startswith(_VIRTUAL):
        virtual = board(spec[len(_VIRTUAL) :] or DEFAULT_BOARD)
        return VirtualPort(image or _image(virtual, model, progress), virtual, worn)
    if spec == _NATIVE:
        return NativePort(image or _image(board("native"), model, progress), worn=worn)
    if worn is not None:
        raise UsageError(
            f"{spec} has its own sensors", fix="a walk is worn by virtual: and native: boards only"
        )
    if spec.startswith(_SOCKET):
        return SocketPort(spec)
    if not spec or spec.startswith(_NATIVE):
        raise UsageError(
            f"'{spec}' is no port", fix="edgegrf boards lists what there is; native: stands alone"
        )
    owner = board(board_name) if board_name else _owner(spec) or board(DEFAULT_BOARD)
    return SerialPort(spec, baud=owner.baud, dtr=owner.dtr, rts=owner.rts)


def _image(target: Board, model: Path | None, progress: Progress) -> Path:
    if model is None:
        raise UsageError(
            f"{target.name} needs a model to run",
            why="its firmware is built here",
            fix="give --model FILE.tflite",
        )
    from edgegrf.image import build_image

    folder = cache_folder() / "images" / f"{target.name}-{sha256_file(model)[:16]}"
    return build_image(target, model, folder, progress=progress).elf


def _owner(device: str) -> Board | None:
    path = Path(device).resolve()
    for port in plugged_in():
        if port.boards and Path(port.device).resolve() == path:
            return port.boards[0]
    return None
