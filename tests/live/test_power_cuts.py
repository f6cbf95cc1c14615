# SPDX-License-Identifier: Apache-2.0
"""A power cut in any flash write of a record of the wearer leaves the old one or the new one, whole."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pytest

from edgegrf.errors import LinkError
from edgegrf.link import Device
from edgegrf.link.exchange import Patience
from edgegrf.link.insole import Insole
from edgegrf.link.native_port import NativePort
from edgegrf.link.personal import erase_personal, personal_of, personalise
from edgegrf.link.personal_record import PersonalRecord

WRITES = 1 + (16 + 8 * 24 + 4) // 4  # an erase and the words of a record of 8 sensors

PERSONAL_WRITES = (76 + 8 + 12 + 4 + 4) // 4  # the words of a personalisation of the trivial model


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


def personal(weight):
    """A personalisation of the trivial model whose channels all weigh `weight`."""
    model = bytes([0xAA, 0x55, 1, 2, 3]) + bytes(27)
    scales = np.array([[0, 1 << 30, -1]], np.int32)
    return PersonalRecord(model, bytes([weight]) * 32, (4096,) * 3, scales, np.full((1, 3), weight, np.int8))


def both_of(insole):
    """What the board keeps: calibration and personalisation."""
    return insole.calibration(), personal_of(insole.device)


def test_every_write_of_a_personalisation_may_be_the_last(trivial_program, kept, monkeypatch):
    """The calibration is rewritten beside it, and stays what it was."""
    store, old = kept
    on_board(trivial_program, lambda insole: personalise(insole.device, personal(2)))
    before, weights = store.read_bytes(), []
    writes = WRITES + PERSONAL_WRITES
    for cut in range(1, writes + 2):
        store.write_bytes(before)
        monkeypatch.setenv("EDGEGRF_POWER_CUT", str(cut))
        done = on_board(trivial_program, lambda insole: personalise(insole.device, personal(3)))
        assert (done is None) == (cut <= writes)
        monkeypatch.delenv("EDGEGRF_POWER_CUT")
        calibration, record = on_board(trivial_program, both_of)
        assert record in (personal(2), personal(3))
        assert calibration.sensors == old.sensors and calibration.weight_mn == old.weight_mn
        weights.append(int(record.weights[0, 0]))
    assert weights == [2] * writes + [3]


def test_a_calibration_that_is_cut_leaves_the_personalisation(trivial_program, kept, monkeypatch):
    store, old = kept
    on_board(trivial_program, lambda insole: personalise(insole.device, personal(2)))
    before = store.read_bytes()
    for cut in (1, 2, PERSONAL_WRITES, PERSONAL_WRITES + 2, WRITES + PERSONAL_WRITES):
        store.write_bytes(before)
        monkeypatch.setenv("EDGEGRF_POWER_CUT", str(cut))
        assert on_board(trivial_program, lambda insole: insole.calibrate(changed(old, 22))) is None
        monkeypatch.delenv("EDGEGRF_POWER_CUT")
        calibration, record = on_board(trivial_program, both_of)
        assert (calibration.sensors, record) == (old.sensors, personal(2)), cut


def test_each_is_forgotten_alone(trivial_program, kept, monkeypatch):
    store, old = kept
    on_board(trivial_program, lambda insole: personalise(insole.device, personal(2)))
    before = store.read_bytes()
    on_board(trivial_program, lambda insole: erase_personal(insole.device))
    calibration, record = on_board(trivial_program, both_of)
    assert record is None and calibration.sensors == old.sensors
    store.write_bytes(before)
    on_board(trivial_program, Insole.erase_calibration)
    calibration, record = on_board(trivial_program, both_of)
    assert record == personal(2) and calibration.generation == 0
    on_board(trivial_program, lambda insole: erase_personal(insole.device))
    assert on_board(trivial_program, both_of)[1] is None
    assert set(store.read_bytes()) == {0xFF}  # nothing of the wearer is left
