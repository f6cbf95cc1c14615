# SPDX-License-Identifier: Apache-2.0
"""What one board says of itself: firmware, model, sensors, calibration, and why it last restarted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgegrf.cli.console import print_json, print_table, progress_bar

if TYPE_CHECKING:
    from edgegrf.link import Device

__all__ = ["greet"]

_CAUSES = ("unknown", "power-on", "reset pin", "watchdog", "software", "lock-up", "brown-out")


def greet(spec: str, model: Path, *, as_json: bool) -> None:
    """Greet the board at `spec` and print what it says; the fault that it tells is kept."""
    from edgegrf.link import Device, open_port

    with progress_bar(quiet=as_json) as progress:
        transport = open_port(spec, model=model, progress=progress)
    with Device(transport) as device:
        record = _record(device)
    if as_json:
        print_json(record)
        return
    print_table(
        f"{record['board']} at {spec}",
        ("", "value"),
        [(key.replace("_", " "), _shown(record[key])) for key in record],
    )


def _record(device: Device) -> dict[str, Any]:
    from edgegrf.link.hello import Mode
    from edgegrf.link.insole import Insole, fault_of
    from edgegrf.link.personal import personal_of
    from edgegrf.live.stream import describe, sensor_names

    hello, stats = device.hello(), device.stats()
    personal = personal_of(device)
    insole = Insole(device) if hello.modes & Mode.LIVE else None
    causes = dict(enumerate(_CAUSES))
    return {
        "board": hello.board,
        "virtual": hello.virtual,
        "device_id": hello.device_id.hex(),
        "firmware": f"{hello.version}, SHA-256 {hello.firmware_sha256.hex()}",
        "model": f"{hello.model}, SHA-256 {hello.model_sha256.hex()}",
        "engine": hello.engine,
        "uptime_s": stats.uptime_ms / 1000,
        "reset_cause": causes.get(hello.reset_cause, str(hello.reset_cause)),
        "last_fault": describe(fault_of(device), hello) or None,
        "sensors": list(sensor_names(insole)) if insole else [],
        "calibration": insole.status().generation if insole else None,
        "personalisation": personal.personal_sha256.hex() if personal else None,
    }


def _shown(value: Any) -> str:
    if isinstance(value, list):
        return f"{len(value)}: {', '.join(value[:8])}{', ...' if len(value) > 8 else ''}" if value else "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value in (None, 0) else str(value)
