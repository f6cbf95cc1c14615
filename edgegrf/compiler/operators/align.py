# SPDX-License-Identifier: Apache-2.0
"""Values that meet in one operator of a stream: the rows of the earlier ones wait for those of the latest."""

from __future__ import annotations

from collections.abc import Sequence

from edgegrf.compiler.lowering import Lowering, Node
from edgegrf.compiler.plan import Layer, Ring
from edgegrf.compiler.timing import Clock

__all__ = ["align"]


def align(lowering: Lowering, node: Node, values: Sequence[int]) -> tuple[int, ...]:
    """`values` with one clock, in their order: where needed, what a DELAY makes of them.

    Over a window a delayed value is the value itself.  Rates that differ are refused.
    """
    clocks = [lowering.values[value].timing.clock for value in values]
    if len({clock.period for clock in clocks}) > 1:
        rates = " and ".join(f"every {period} samples" for period in sorted({c.period for c in clocks}))
        lowering.refuse(f"{node.place}: its inputs come {rates}")
        return tuple(values)
    latest = max(clocks, key=lambda clock: clock.first)
    return tuple(
        value if clock == latest else _delay(lowering, node, value, latest)
        for value, clock in zip(values, clocks, strict=True)
    )


def _delay(lowering: Lowering, node: Node, index: int, clock: Clock) -> int:
    value = lowering.values[index]
    wait = clock.first - value.timing.clock.first
    rows = -(-wait // clock.period)
    late = lowering.copy(index, timing=value.timing.delayed(wait))
    before, after = "(const int8_t *)({in0})", "(int8_t *)({out})"
    step, put, get = (
        f"eg_delay({rows}, {value.step}, {{ring}}, {{head}}, {before}, {after})",
        f"eg_delay_put({rows}, {value.step}, {{ring}}, {{head}}, {before})",
        f"eg_delay_get({value.step}, {{ring}}, *{{head}}, {after})",
    )
    lowering.layers.append(
        Layer(
            name=f"delay_{late}",
            kind="DELAY",
            place=f"DELAY of {wait} samples before {node.place}",
            shape=(1, value.step),
            inputs=(index,),
            output=late,
            window="",
            step=step,
            sources=("eg_delay.c",),
            ring=Ring(rows, value.step, 0),
            clock=clock,
            source=value.timing.clock,
            keep=put,
            hold=get,
        )
    )
    return late
