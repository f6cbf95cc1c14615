# SPDX-License-Identifier: Apache-2.0
"""A power cut in any flash write of a calibration leaves the old one or the new one, whole."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest

from edgegrf.errors import LinkError
from edgegrf.link import Device
from edgegrf.link.exchange import Patience
from edgegrf.link.insole import Insole
from edgegrf.link.native_port import NativePort

WRITES = 1 + (16 + 8 * 24 + 4) // 4  # an erase and the words of a record of 8 sensors


def on_board(program, act):
    """What `act` gives with the native board switched on, or None when its power was cut."""
    with contextlib.suppress(LinkError), Device(NativePort(program), Patience(0.2, 2)) as device:
        return act(Insole(device))


def changed(record, offset):
    return replace(record, sensors=tuple(replace(each, offset=offset) for each in record.sensors))


@pytest.fixture
def kept(trivial_program, tmp_path, monkeypatch):
    """A store with one calibration in it; (file, that calibration)."""
    store = tmp_path / "flash"
    monkeypatch.setenv("EDGEGRF_STORE", str(store))
    old = on_board(trivial_program, lambda insole: insole.calibrate(changed(insole.calibration(), 11)))
    assert old.generation == 1
    return store, old


def test_every_write_of_a_commit_may_be_the_last(trivial_program, kept, monkeypatch):
    store, old = kept
    before, generations = store.read_bytes(), []
    for cut in range(1, WRITES + 2):
        store.write_bytes(before)
        monkeypatch.setenv("EDGEGRF_POWER_CUT", str(cut))
        done = on_board(trivial_program, lambda insole: insole.calibrate(changed(old, 22)))
        assert (done is None) == (cut <= WRITES)
        monkeypatch.delenv("EDGEGRF_POWER_CUT")
        found = on_board(trivial_program, Insole.calibration)
        wanted = old if found.generation == 1 else replace(changed(old, 22), generation=2)
        assert found == wanted, cut
        generations.append(found.generation)
    assert generations == [1] * WRITES + [2]


def test_the_next_commit_works_after_any_cut(trivial_program, kept, monkeypatch):
    _, old = kept
    for cut in (1, 2, WRITES - 1, WRITES):
        monkeypatch.setenv("EDGEGRF_POWER_CUT", str(cut))
        assert on_board(trivial_program, lambda insole: insole.calibrate(changed(old, 22))) is None
    monkeypatch.delenv("EDGEGRF_POWER_CUT")
    assert on_board(trivial_program, lambda insole: insole.calibrate(changed(old, 33))).generation == 2
    assert on_board(trivial_program, lambda insole: insole.calibrate(changed(old, 44))).generation == 3
    assert on_board(trivial_program, Insole.calibration).sensors[0].offset == 44


def test_erasing_may_be_cut_too(trivial_program, kept, monkeypatch):
    store, old = kept
    before = store.read_bytes()
    for cut, left in ((1, 1), (2, 0), (3, 0)):
        store.write_bytes(before)
        monkeypatch.setenv("EDGEGRF_POWER_CUT", str(cut))
        on_board(trivial_program, Insole.erase_calibration)
        monkeypatch.delenv("EDGEGRF_POWER_CUT")
        found = on_board(trivial_program, Insole.calibration)
        assert found.generation == left and (found == old) == bool(left)


def test_any_damaged_byte_is_noticed(trivial_program, kept):
    store, old = kept
    before = store.read_bytes()
    for at in range(0, 4 * (WRITES - 1), 13):
        store.write_bytes(before[:at] + bytes((before[at] ^ 0x10,)) + before[at + 1 :])
        assert on_board(trivial_program, Insole.calibration).generation == 0
    store.write_bytes(before[:100])  # a file that was cut short
    assert on_board(trivial_program, Insole.calibration).generation == 0
    store.write_bytes(before)
    assert on_board(trivial_program, Insole.calibration) == old
