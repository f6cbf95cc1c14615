# SPDX-License-Identifier: Apache-2.0
"""The wearer's calibration: what it recovers of simulated sensors, and what it refuses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edgegrf.boards import board, boards
from edgegrf.errors import DataError
from edgegrf.gait.insole import Electronics
from edgegrf.link.live_messages import ScanFacts
from edgegrf.live.conditioning import loads_n
from edgegrf.live.phases import Schedule
from edgegrf.live.wearer import calibrated
from edgegrf.live.wearing import Wiring, electronics, guided_wearer, walking_wearer, wiring
from edgegrf.manifest import Manifest
from edgegrf.resources import shipped_file

SCHEDULE = Schedule()


@pytest.fixture(scope="module", params=["insole4-dstcn16", "matrix16x8-st"])
def wired(request):
    return wiring(
        board("native"), Manifest.read(shipped_file(request.param, "student_int8.tflite")).interface
    )


@pytest.fixture(scope="module")
def eight():
    return Wiring(tuple(f"s{n}" for n in range(1, 9)), 0, 100.0)


def facts(wired):
    return ScanFacts(wired.rows, 8, len(wired.names), 100_000, 0, 10**7, 8, 4080, 4095, 7, (0,))


def phases(wired, seed=1, **changes):
    worn = guided_wearer(wired, SCHEDULE, seed)
    return replace(SCHEDULE.cut(worn.counts, wired.rate_hz), **changes)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_total_force_is_right_within_three_percent_of_body_weight(wired, seed):
    found = calibrated(phases(wired, seed), facts(wired), wired.names)
    walk = walking_wearer(wired, seed=seed)  # the same person and sensors, another walk
    shown = loads_n(walk.counts, found.record).sum(axis=1) / found.weight_n
    made = electronics(wired, seed)
    half, offset = made.halves_n(), made.offsets()
    share = np.clip((walk.counts - offset) / (4095 - offset), 0, 0.99)
    true = (share / (1 - share) * half).sum(axis=1)
    weight = 2 * true.mean()
    assert np.sqrt(np.mean((shown - true / weight) ** 2)) < 0.03
    assert found.strides >= 15 and abs(found.weight_n / found.standing_n - 1) < 0.1


def test_offsets_noise_and_gains_are_recovered(eight):
    found = calibrated(phases(eight), facts(eight), eight.names, weight_n=715.0)
    made = Electronics(8, 1)
    assert np.abs(found.offset - made.offsets()).max() <= 1.5
    assert (np.abs(found.noise - 0.75) < 0.25).all()
    plain = phases(eight)
    equal = calibrated(replace(plain), facts(eight), eight.names)
    assert found.standing_n == 715.0 and found.findings != equal.findings
    assert found.gain_n / equal.gain_n == pytest.approx(np.full(8, 715 / 700), rel=1e-6)


def test_gains_make_the_standing_weight_steadier_than_equal_ones(eight):
    found = calibrated(phases(eight, 3), facts(eight), eight.names)
    same = replace(
        found.record,
        sensors=tuple(
            replace(each, gain_mn=round(1000 * found.gain_n.mean())) for each in found.record.sensors
        ),
    )
    standing = phases(eight, 3).standing
    fitted, plain = (loads_n(standing, record).sum(axis=1) for record in (found.record, same))
    assert fitted.std() / fitted.mean() < 0.5 * plain.std() / plain.mean()


def broken(counts, sensor, value):
    made = counts.copy()
    made[:, sensor] = value
    return made


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda p: {"walking": broken(p.walking, 2, 0)}, "sensor s3 is not connected"),
        (lambda p: {"standing": broken(p.standing, 4, 4095)}, "sensor s5 is saturated"),
        (lambda p: {"unloaded": p.standing[:300]}, "without load"),
        (lambda p: {"standing": p.unloaded}, "no load on the insole while standing"),
        (lambda p: {"walking": p.standing}, "whole strides while walking"),
        (lambda p: {"walking": p.walking[:150]}, "whole strides while walking"),
        (lambda p: {"unloaded": p.unloaded[:0]}, "has no samples"),
        (
            lambda p: {
                name: np.full((300, 8), 100, np.uint16) for name in ("unloaded", "standing", "walking")
            },
            "no count of any sensor ever changed",
        ),
    ],
)
def test_what_is_not_plausible_is_named(eight, damage, said):
    good = phases(eight)
    with pytest.raises(DataError, match=said):
        calibrated(replace(good, **damage(good)), facts(eight), eight.names)


def test_standing_on_both_feet_is_found_out(eight):
    good = phases(eight)
    offset = Electronics(8, 1).offsets()
    made = Electronics(8, 1)
    share = (good.standing - offset) / (4095 - offset)
    half = made.counts(0.4 * np.clip(share / (1 - share), 0, None) * made.halves_n())
    with pytest.raises(DataError, match="walking shows a body weight"):
        calibrated(replace(good, standing=half), facts(eight), eight.names)


def test_a_wearer_too_light_is_refused(eight):
    with pytest.raises(DataError, match="implausible"):
        calibrated(phases(eight), facts(eight), eight.names, weight_n=90.0)


def test_a_recording_that_is_too_short_is_refused(eight):
    with pytest.raises(DataError, match="a calibration takes 39"):
        SCHEDULE.cut(guided_wearer(eight, SCHEDULE).counts[:2000], 100.0)


def test_a_walk_without_the_boards_sensors_cannot_be_worn(tmp_path, eight):
    from edgegrf.gait.readers.archive import write_archive
    from edgegrf.gait.walker import walk

    write_archive(tmp_path / "walk.npz", [walk(1, duration_s=4)])
    worn = walking_wearer(eight, tmp_path / "walk.npz", foot="right")
    assert worn.counts.shape == (400, 8) and worn.counts.max() > 1000
    with pytest.raises(DataError, match="has no sensor 'heel'"):
        walking_wearer(Wiring(("heel",), 0, 100.0), tmp_path / "walk.npz")
    with pytest.raises(DataError, match="sampled at 100 Hz, not at 200 Hz"):
        walking_wearer(Wiring(eight.names, 0, 200.0), tmp_path / "walk.npz")


@pytest.mark.parametrize("name", sorted(name for name, each in boards().items() if each.scan))
def test_every_board_that_scans_has_a_wearer_to_calibrate(name):
    model = Manifest.read(shipped_file("insole4-dstcn16", "student_int8.tflite"))
    wired = wiring(board(name), model.interface)
    found = calibrated(phases(wired), facts(wired), wired.names, weight_n=700.0)
    assert found.names == board(name).scan.sensors and found.strides >= 15
    spread = found.gain_n.max() / found.gain_n.min()
    assert (spread > 2) == any("no sensor sees" in line for line in found.findings)
    assert spread < 1.3 or len(found.names) < 8  # all of the sole is seen by eight
