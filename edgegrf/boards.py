# SPDX-License-Identifier: Apache-2.0
"""The boards that edgegrf knows: one `firmware/boards/NAME/board.toml` each, read here and by CMake."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatch
from typing import Any

from edgegrf.errors import UnknownNameError, UsageError
from edgegrf.pins import CHIP_PINS, ChipPins
from edgegrf.resources import firmware_folder

__all__ = ["MOST_SENSORS", "Board", "Energy", "Scan", "board", "boards"]

#: that a frame of the link carries (SPEC.md section 8)
MOST_SENSORS = 128


@dataclass(frozen=True)
class Scan:
    """How a board scans an insole: its analog inputs (`columns`), and the pins that select what they see.

    With `column_address` a multiplexer lies before each input: column a * len(columns) + i is input i at
    address a.  Rows of a matrix have a pin each (`rows`) or share the address lines of a decoder
    (`row_address`); lowest bit first.  `sensors` are the names of sensors wired to one column each; those of
    a matrix are "r0c0", "r0c1", ...  `settle_us` passes between selecting and a conversion; counts are
    0..4095.
    """

    rate_hz: float  # where the model does not say its own
    settle_us: int
    columns: tuple[int, ...]
    sensors: tuple[str, ...]
    full_scale_n: int  # at the highest count, without a calibration
    open_below: int  # counts that a connected sensor never falls under; 0: it cannot be told
    saturated_from: int  # counts
    rows: tuple[int, ...] = ()
    column_address: tuple[int, ...] = ()
    row_address: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Columns."""
        return len(self.columns) << len(self.column_address)

    @property
    def depth(self) -> int:
        """Rows that a matrix may have."""
        return 1 << len(self.row_address) if self.row_address else len(self.rows)

    def names(self, rows: int) -> tuple[str, ...]:
        """The sensors in the order of a scan: the columns' own for 0 rows, else a matrix row by row."""
        if rows == 0:
            return self.sensors
        return tuple(f"r{row}c{column}" for row in range(rows) for column in range(self.width))

    def rows_for(self, inputs: int) -> int | None:
        """Rows scanned for a model of `inputs` channels; 0: each column is a sensor; None: too many."""
        rows = -(-inputs // self.width)
        if rows <= 1:
            return 0
        return rows if rows <= self.depth else None


@dataclass(frozen=True)
class Energy:
    """Typical currents of a chip at `supply_v`: the core at work, and between samples as the firmware sleeps.

    `sources` say where each figure stands.
    """

    supply_v: float
    active_ma: float
    sleep_ma: float
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Board:
    """One board: its core, its memory in bytes, the way to talk to it and the ways to flash it.

    `flash_origin` and `flash_size` are the slot of the image, behind what a boot loader keeps; sizes are 0
    for the host.  `usb` lists "VID:PID" in hexadecimal of its serial port, `*` for any PID.
    """

    name: str
    title: str
    core: str
    chip: str  # "host" for this computer
    port: str  # folder of firmware/port/
    clock_hz: int
    flash_origin: int
    flash_size: int
    ram_origin: int
    ram_size: int
    stack_size: int
    baud: int
    dtr: bool  # asserted while talking
    usb: tuple[str, ...]
    flashers: tuple[str, ...]  # in the order of preference
    verified: str  # what was checked, and what was not
    note: str = ""
    dcdc: bool = False  # the chip's converter has its inductor
    pin_txd: int | None = None  # 32 * port + number
    pin_rxd: int | None = None
    pin_rts: int | None = None  # kept high where the other end looks at it; flow control is never used
    pyocd_target: str | None = None
    boot_settings: int | None = None  # the page where the boot loader keeps whether it has a program
    uf2_family: int | None = None
    uf2_boards: tuple[str, ...] = ()  # beginnings of the Board-ID in INFO_UF2.TXT
    uf2_softdevice: str | None = None  # what must lie below `flash_origin`
    uf2_drive: str = ""  # the label of the boot loader's drive, as its makers ship it
    scan: Scan | None = None  # None: no sensors
    rts: bool | None = None  # level while talking; None: as the system opens a port
    bridges: tuple[str, ...] = ()  # USB numbers of adapters it comes with, which others come with too
    boot_loader_usb: tuple[str, ...] = ()  # USB numbers of its boot loader's serial port
    dfu_softdevice: int | None = None  # FWID of the SoftDevice below the slot, for its serial boot loader
    flash_baud: int = 460_800  # while esptool writes
    boot: str = ""  # how an ESP chip's ROM starts a bare image: "direct" from flash, "ram" when loaded there
    store_origin: int = 0  # of the calibration's pages in flash
    store_size: int = 0  # bytes; 0: none, or kept by the SDK
    idf_target: str | None = None  # what ESP-IDF calls the chip, where a project can be written for it
    zephyr_board: str | None = None  # what Zephyr calls the board
    energy: Energy | None = None  # None: no figures are known

    def has_usb(self, vid: int, pid: int) -> bool:
        """True if a USB serial port of these numbers may be this board."""
        return _listed(vid, pid, self.usb)

    def may_have_usb(self, vid: int, pid: int) -> bool:
        """True if such a port may be this board, or as well an adapter that anything hangs on."""
        return _listed(vid, pid, (*self.usb, *self.bridges))

    def boot_loader_has_usb(self, vid: int, pid: int) -> bool:
        """True if its boot loader may serve such a port."""
        return _listed(vid, pid, self.boot_loader_usb)


def _listed(vid: int, pid: int, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch(f"{vid:04X}:{pid:04X}", pattern.upper()) for pattern in patterns)


@functools.cache
def boards() -> dict[str, Board]:
    """All known boards by name, in alphabetical order."""
    files = sorted((firmware_folder() / "boards").glob("*/board.toml"))
    return {file.parent.name: _board(file.parent.name, file.read_text()) for file in files}


def board(name: str) -> Board:
    """The board of that name; raises UnknownNameError."""
    known = boards()
    if name not in known:
        raise UnknownNameError("board", name, known)
    return known[name]


def _board(name: str, text: str) -> Board:
    record = tomllib.loads(text)
    scan, energy = record.pop("scan", None), record.pop("energy", None)
    made = Board(
        name=name,
        scan=Scan(**_frozen(scan)) if scan else None,
        energy=Energy(**_frozen(energy)) if energy else None,
        **_frozen(record),
    )
    trouble = _trouble(made)
    if trouble:
        raise UsageError(
            f"firmware/boards/{name}/board.toml: {trouble}",
            fix="wire the insole otherwise: docs/boards.md, Sensors",
        )
    return made


def _trouble(board: Board) -> str:
    """What is wrong with the wiring of the board's insole; "" where nothing is."""
    scan = board.scan
    if scan is None:
        return ""
    if scan.rows and scan.row_address:
        return "rows have a pin each (rows) or a decoder (row_address), not both"
    if len(scan.sensors) != scan.width:
        return f"{len(scan.sensors)} names of sensors for {scan.width} columns"
    if scan.width * max(1, scan.depth) > MOST_SENSORS:
        return f"{scan.depth} rows of {scan.width} columns are more than {MOST_SENSORS} sensors"
    pins = CHIP_PINS.get(board.chip)
    if pins is None:  # this computer
        return ""
    selecting = (*scan.column_address, *scan.rows, *scan.row_address)
    if selecting and scan.settle_us < 1:
        return "settle_us is 0, where pins select what is converted"
    return _not_analog(scan, pins) or _conflict(board, scan, pins, selecting)


def _not_analog(scan: Scan, pins: ChipPins) -> str:
    other = [pin for pin in scan.columns if pin not in pins.analog]
    return f"{other[0]} is no analog input of the chip" if other else ""


def _conflict(board: Board, scan: Scan, pins: ChipPins, selecting: tuple[int, ...]) -> str:
    """A pin that has two uses, is kept by the chip, or cannot drive."""
    used: dict[int, str] = {}
    inputs = tuple(pins.analog[column] for column in scan.columns)
    uses = (
        ("the UART's", tuple(pin for pin in (board.pin_txd, board.pin_rxd) if pin is not None)),
        ("an analog input", inputs),
        ("an address line of the columns", scan.column_address),
        ("a row's", scan.rows),
        ("an address line of the rows", scan.row_address),
    )
    for use, theirs in uses:
        for pin in theirs:
            if pin in used:
                return f"pin {pin} is {use} and {used[pin]}"
            used[pin] = use
    for pin in (*inputs, *selecting):
        if not 0 <= pin < pins.count or pin in pins.taken:
            return f"pin {pin} is {pins.taken.get(pin, 'none of the chip')}, not {used[pin]}"
    for pin in selecting:
        if pin in pins.inputs_only or pin == board.pin_rts:
            return (
                f"pin {pin} cannot be {used[pin]}: it does not drive, or is kept high for the interface chip"
            )
    return ""


def _frozen(record: dict[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in record.items()}
