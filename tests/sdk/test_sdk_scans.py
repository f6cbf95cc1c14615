# SPDX-License-Identifier: Apache-2.0
"""The scans of the SDK ports, compiled for this computer and run on what plays the SDK's drivers."""

from __future__ import annotations

import ctypes
import re
import shutil
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from edgegrf.boards import board
from edgegrf.image.project import write_project
from edgegrf.image.sdk import sdk_for
from edgegrf.process import run
from edgegrf.resources import shipped_file
from edgegrf.toolchain import host_compiler

HERE = Path(__file__).parent
#: sensors on the columns, and a matrix of 16 x 8
MODELS = {"direct": "insole4-dstcn16", "matrix": "matrix16x8-st"}
KEPT = 4  # PORT_SCAN_KEPT


class Scan:
    """One scan.c with the SDK around it played; `at(us)` lets time pass, `frames()` takes what waits."""

    def __init__(self, library, channels):
        class Frame(ctypes.Structure):
            _fields_ = [
                ("number", ctypes.c_uint32),
                ("ticks", ctypes.c_uint32),
                ("counts", ctypes.c_uint16 * channels),
            ]

        self.library, self._frame = library, Frame
        library.port_scan_fetch.restype = ctypes.c_bool
        library.play.argtypes = [ctypes.c_uint64]
        self.start, self.stop = library.port_scan_start, library.port_scan_stop

    def set(self, **values):
        for name, value in values.items():
            ctypes.c_uint32.in_dll(self.library, f"play_{name}").value = value

    def get(self, name):
        return ctypes.c_uint32.in_dll(self.library, f"play_{name}").value

    def frames(self):
        found = []
        frame = self._frame()
        while self.library.port_scan_fetch(ctypes.byref(frame)):
            found.append((frame.number, frame.ticks, list(frame.counts)))
        return found

    def after(self, us, step=1000):
        """What a main loop that looks each `step` gets in `us` microseconds."""
        found, end = [], self.library.port_scan_ticks() + us
        while self.library.port_scan_ticks() < end:
            self.library.play(self.library.port_scan_ticks() + step)
            found += self.frames()
        return found


def built(folder, kind, name, target):
    """The library of one port's scan, and the sensors that it scans."""
    sdk, chip = sdk_for(board(target), name, "aot")
    model = shipped_file(MODELS[kind], "student_int8.tflite")
    project = write_project(board(target), model, folder / "project", sdk, chip)
    root, generated = project.folder / sdk.root, folder / "binary" / "generated"
    script = folder / "list.cmake"
    script.write_text(
        f"set(CMAKE_CURRENT_BINARY_DIR {generated.parent})\ninclude({root}/cmake/project.cmake)\n"
    )
    run([str(Path(sys.executable).parent / "cmake"), "-P", str(script)])
    library, port = folder / "scan.so", root / "port" / name
    folders = [f"-I{each}" for each in (generated, port.parent, port)] + [f"-isystem{HERE / name}"]
    player = HERE / f"play_{name.removeprefix('esp-')}.c"
    options = ["-std=gnu17", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC"]
    run([*host_compiler().argv, *options, *folders, str(port / "scan.c"), str(player), "-o", str(library)])
    channels = re.search(r"SCAN_CHANNELS (\d+)", (generated / "scan.h").read_text()).group(1)
    return library, int(channels)


@pytest.fixture(
    scope="module", params=[("esp-idf", "esp32s3"), ("zephyr", "nrf52840dk")], ids=["idf", "zephyr"]
)
def libraries(request, tmp_path_factory):
    return {kind: built(tmp_path_factory.mktemp(kind), kind, *request.param) for kind in MODELS}


@pytest.fixture
def played(libraries, tmp_path):
    """played(kind) -> Scan of a board with sensors on its columns ("direct") or as a matrix, just booted."""

    def make(kind):
        library, channels = libraries[kind]
        return Scan(ctypes.CDLL(str(shutil.copy(library, tmp_path / f"{kind}.so"))), channels)

    return make


@pytest.mark.parametrize(("kind", "rate_hz"), [("direct", 100), ("matrix", 50)])
def test_every_period_gives_its_frame_in_its_time(played, kind, rate_hz):
    scan = played(kind)
    assert scan.start(1000 * rate_hz) == 1000 * rate_hz
    scan.set(latency_us=3)
    found = scan.after(1_000_000)
    assert [number for number, _, _ in found] == list(range(len(found)))
    assert len(found) in (rate_hz - 1, rate_hz)
    steps = {late[1] - early[1] for early, late in pairwise(found)}
    assert steps == {1_000_000 // rate_hz}
    for _, _, counts in found:
        assert counts == found[0][2] and len(set(counts)) == len(counts)
    assert scan.get("early") == 0 and scan.get("most_rows") == (1 if kind == "matrix" else 0)


def test_a_matrix_is_read_row_by_row(played):
    scan = played("matrix")
    scan.start(50_000)
    (_, _, counts), *_ = scan.after(50_000)
    rows = [counts[start : start + 8] for start in range(0, 128, 8)]
    assert all([each - row[0] for each in row] == list(range(8)) for row in rows)
    assert len({row[0] for row in rows}) == 16


def test_what_delays_a_frame_is_told_by_its_stamp(played):
    scan = played("direct")
    scan.start(100_000)
    first = scan.after(50_000)
    scan.set(latency_us=700)
    late = scan.after(50_000)
    assert late[0][1] - first[-1][1] == 10_700
    assert {b[1] - a[1] for a, b in pairwise(late)} == {10_000}


@pytest.mark.parametrize("kind", ["direct", "matrix"])
def test_periods_that_passed_meanwhile_are_holes_in_the_numbers(played, kind):
    scan = played(kind)
    scan.start(100_000)
    scan.set(latency_us=34_000)
    found = scan.after(200_000)
    scan.set(latency_us=0)
    found += scan.after(60_000)
    numbers = [number for number, _, _ in found]
    assert sorted(set(numbers)) == numbers and numbers[0] == 0
    assert {b - a for a, b in pairwise(numbers)} > {1}
    assert (found[-1][1] - found[-2][1], numbers[-1] - numbers[-2]) == (10_000, 1)
    # a frame's number says when it was due, so that the last ones, in time again, lie on the first's raster
    due = [ticks - 10_000 * number for number, ticks, _ in found[-3:]]
    assert len(set(due)) == 1 and found[0][1] - due[0] == 34_000


def test_frames_that_nobody_takes_and_conversions_that_fail_are_lost(played):
    scan = played("direct")
    scan.start(100_000)
    found = scan.after(100_000, step=100_000)
    assert len(found) >= KEPT and [number for number, _, _ in found] == list(range(len(found)))
    scan.set(fails=1)
    found = scan.after(60_000)
    numbers = [number for number, _, _ in found]
    assert len(numbers) == numbers[-1] - numbers[0] + 1 and numbers[0] > KEPT


def test_an_adc_that_died_gives_no_frame_and_refuses_to_start(played):
    scan = played("direct")
    scan.set(fails=1_000_000)
    assert scan.start(100_000) == 0
    scan.set(fails=0)
    assert scan.start(100_000) == 100_000
    assert scan.after(50_000)
    scan.set(fails=1_000_000)
    assert scan.after(100_000) == []


@pytest.mark.parametrize("kind", ["direct", "matrix"])
def test_rates_that_a_scan_does_not_fit_into(played, kind):
    scan = played(kind)
    scan.set(conversion_us=30)  # 8 columns: 240 us; 16 rows of them: 3.84 ms and what they take to settle
    for rate_mhz in (0, 100_000_000, 260_000 if kind == "matrix" else 4_200_000):
        assert scan.start(rate_mhz) == 0
    assert scan.after(20_000) == []
    assert scan.start(100_000) == 100_000 and len(scan.after(50_000)) > 3


def test_stop_forgets_what_waits_and_a_new_start_begins_at_0(played):
    scan = played("matrix")
    scan.stop()
    scan.start(50_000)
    scan.library.play(scan.library.port_scan_ticks() + 100_000)
    scan.stop()
    assert scan.frames() == [] and scan.after(100_000) == []
    scan.start(60_000)
    assert [number for number, _, _ in scan.after(100_000)][:2] == [0, 1]
    assert scan.get("most_rows") == 1


@pytest.mark.parametrize("libraries", [("zephyr", "nrf52840dk")], indirect=True, ids=["zephyr"])
def test_the_interface_chips_pin_is_let_go_while_sensors_are_read(played):
    scan = played("direct")
    assert scan.get("held") == 1
    assert scan.start(100_000_000) == 0 and scan.get("held") == 1
    scan.start(100_000)
    assert scan.get("held") == 0
    scan.after(50_000)
    assert scan.get("wakes") >= 4  # the main loop, once a period
    scan.stop()
    assert scan.get("held") == 1


@pytest.mark.parametrize("libraries", [("esp-idf", "esp32c3")], indirect=True, ids=["idf"])
def test_a_multiplexers_address_and_a_decoders_are_driven_before_each_conversion(played):
    """GPIO1, 3 and 4 carry the column, GPIO5, 6, 7 and 10 the row."""
    columns, rows = (1, 3, 4), (5, 6, 7, 10)
    for kind, channels in (("direct", 8), ("matrix", 128)):
        scan = played(kind)
        scan.set(shows_levels=1)
        assert scan.start(100_000) == 100_000
        (_, _, counts), *_ = scan.after(50_000)
        assert scan.get("early") == 0
        for channel, count in enumerate(counts[:channels]):
            row, column = divmod(channel, 8)
            levels = [*((column, pin, bit) for bit, pin in enumerate(columns))]
            levels += [(row, pin, bit) for bit, pin in enumerate(rows)]
            assert count == sum((number >> bit & 1) << pin for number, pin, bit in levels), (row, column)
