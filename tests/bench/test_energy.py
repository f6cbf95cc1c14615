# SPDX-License-Identifier: Apache-2.0
"""The energy estimate: by hand, in its limits, and its figures' sources."""

from __future__ import annotations

import pytest

from edgegrf.bench.energy import energy_of, rows_of
from edgegrf.boards import boards

DK = boards()["nrf52840dk"].energy


def of(cycles, **changes):
    options = {"inputs": 1, "estimates": 1, "sample_rate_hz": 100.0, **changes}
    return energy_of("nrf52840dk", cycles, 64_000_000, **options)


def test_one_millisecond_of_every_ten():
    found = of(64_000)
    average = 0.1 * DK.active_ma + 0.9 * DK.sleep_ma
    assert found["duty"] == pytest.approx(0.1)
    assert found["per_estimate_uj"] == pytest.approx((DK.active_ma - DK.sleep_ma) * DK.supply_v)
    assert found["hour_mah"] == found["average_ma"] == pytest.approx(average)
    assert found["hour_mwh"] == pytest.approx(average * DK.supply_v)
    assert found["battery_share"] == pytest.approx(average * 14 / 300)
    assert "estimate" in found["is"] and len(found["sources"]) == 2


def test_a_window_is_shared_by_its_estimates_and_no_core_is_awake_more_than_always():
    window = of(6_400_000, inputs=200, estimates=200)
    assert window["duty"] == pytest.approx(0.05)
    assert window["per_estimate_uj"] == pytest.approx(of(32_000)["per_estimate_uj"])
    assert of(10**9)["duty"] == 1.0 and of(10**9)["average_ma"] == DK.active_ma


def test_what_is_not_known_is_not_made_up():
    assert energy_of("native", 10, 10**9, inputs=1, estimates=1, sample_rate_hz=100.0) == {}
    assert energy_of("unheard of", 10, 64, inputs=1, estimates=1, sample_rate_hz=100.0) == {}
    assert of(0) == of(10, sample_rate_hz=0.0) == of(10, estimates=0) == {}
    assert rows_of({})[0][1].startswith("unknown")


def test_rows_have_units_and_say_estimate():
    rows = dict(rows_of(of(5_000)))
    assert all(
        "estimate" in rows[name] for name in ("per estimate, above sleep", "average current", "per hour")
    )
    assert "300 mAh" in rows["a day of 14 h"]


def test_every_figure_of_a_board_has_its_source():
    for board in boards().values():
        if board.energy:
            assert board.energy.active_ma > board.energy.sleep_ma > 0 and board.energy.supply_v > 0
            said = " ".join(board.energy.sources)
            assert "active:" in said and "sleep:" in said
