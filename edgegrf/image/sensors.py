# SPDX-License-Identifier: Apache-2.0
"""Which scanned sensor of a board feeds which input of a model: by name."""

from __future__ import annotations

from edgegrf.boards import Board
from edgegrf.errors import UsageError
from edgegrf.manifest import Interface

__all__ = ["sensor_map"]


def sensor_map(board: Board, interface: Interface | None) -> tuple[int, ...]:
    """The number of the sensor for each model input; empty: in order.

    In order where the board scans nothing, the model does not name its sensors, or the board knows none of
    the names.  Raises UsageError when it knows some of them only.
    """
    if board.scan is None or interface is None:
        return ()
    rows = board.scan.rows_for(len(interface.sensors))
    if rows is None:
        return ()
    place = {name: number for number, name in enumerate(board.scan.names(rows))}
    missing = [name for name in interface.sensors if name not in place]
    if missing and len(missing) < len(interface.sensors):
        raise UsageError(
            f"{board.name} scans no sensor '{missing[0]}'",
            why=f"the model wants {', '.join(interface.sensors)}; the board has {', '.join(place)}",
            fix=f"name the sensors as the model does: [scan] in firmware/boards/{board.name}/board.toml",
        )
    return () if missing else tuple(place[name] for name in interface.sensors)
