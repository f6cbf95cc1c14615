# SPDX-License-Identifier: Apache-2.0
"""What an estimate costs of a battery, estimated from its cycles and the chip's data sheet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from edgegrf.boards import boards

__all__ = ["BATTERY_MAH", "DAY_HOURS", "energy_of", "rows_of"]

#: the example day of an insole: worn for so long on a battery of so much
DAY_HOURS, BATTERY_MAH = 14.0, 300.0


def energy_of(
    board: str, cycles: int, clock_hz: int, *, inputs: int, estimates: int, sample_rate_hz: float
) -> dict[str, Any]:
    """The energy of one inference of `cycles`, which takes `inputs` samples and gives `estimates`.

    Keys: per_estimate_uj above sleep, duty, average_ma, hour_mah, hour_mwh, and for a day of DAY_HOURS
    day_mah, battery_share of BATTERY_MAH; active_ma, sleep_ma, supply_v, sources.  {} where the board's
    figures, its clock or the sample rate are not known.  The core alone: no sensors, radio or converter.
    """
    row = boards().get(board)
    figures = row.energy if row else None
    if figures is None or not (cycles and clock_hz and estimates and sample_rate_hz > 0):
        return {}
    active_s = cycles / clock_hz
    duty = min(1.0, active_s * sample_rate_hz / inputs)
    average = figures.active_ma * duty + figures.sleep_ma * (1.0 - duty)
    above = (figures.active_ma - figures.sleep_ma) * figures.supply_v * active_s * 1e3
    return {
        "per_estimate_uj": above / estimates,
        "duty": duty,
        "average_ma": average,
        "hour_mah": average,
        "hour_mwh": average * figures.supply_v,
        "day_hours": DAY_HOURS,
        "day_mah": average * DAY_HOURS,
        "battery_mah": BATTERY_MAH,
        "battery_share": average * DAY_HOURS / BATTERY_MAH,
        "active_ma": figures.active_ma,
        "sleep_ma": figures.sleep_ma,
        "supply_v": figures.supply_v,
        "sources": list(figures.sources),
        "is": "an estimate from typical currents: the chip alone, without sensors, radio and converter",
    }


def rows_of(energy: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The rows of a table: (what, value with its unit)."""
    if not energy:
        return [("energy", "unknown: no data sheet currents for this board")]
    share = f"{100 * energy['battery_share']:.1f} % of {energy['battery_mah']:g} mAh"
    return [
        ("per estimate, above sleep", f"{energy['per_estimate_uj']:.2f} µJ (estimate)"),
        ("core awake", f"{100 * energy['duty']:.2f} % of the time"),
        ("average current", f"{energy['average_ma']:.3f} mA at {energy['supply_v']:g} V (estimate)"),
        ("per hour", f"{energy['hour_mah']:.3f} mAh, {energy['hour_mwh']:.2f} mWh (estimate)"),
        (f"a day of {energy['day_hours']:g} h", f"{energy['day_mah']:.1f} mAh, {share}"),
        ("energy is", energy["is"]),
    ]
