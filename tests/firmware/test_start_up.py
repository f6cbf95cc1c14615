# SPDX-License-Identifier: Apache-2.0
"""What the nRF52840 port sets up before it listens, as a debugger finds it afterwards."""

from __future__ import annotations

import pytest

from edgegrf.boards import board
from edgegrf.image import read_image
from edgegrf.image.elf import Segment
from edgegrf.image.formats import to_hex

UICR_APPROTECT, APPROTECT_DISABLE, ICACHECNF = 0x1000_1208, 0x4000_0558, 0x4001_E540
PIN_CNF = 0x5000_0700


@pytest.fixture
def started(image_of):
    """started(uicr_approtect) -> the board after its start, with that word beside the image."""
    pytest.importorskip("unicorn")
    from edgegrf.virtual import VirtualBoard

    boards = []

    def start(word):
        _, segments = read_image(image_of("nrf52840dk", "trivial").hex)
        segments = [*segments, Segment(UICR_APPROTECT, word.to_bytes(4, "little"))]
        boards.append(VirtualBoard(to_hex(segments).encode(), board("nrf52840dk"), strict=True))
        boards[-1].run(0.05, until="idle")
        return boards[-1]

    yield start
    for one in boards:
        one.close()


@pytest.mark.parametrize(
    ("chosen", "copied"),
    [(0xFFFF_FF5A, 0x5A), (0x0000_005A, 0x5A), (0xFFFF_FFFF, 0), (0xFFFF_FF00, 0)],
)
def test_the_debug_port_stays_open_where_uicr_says_so(started, chosen, copied):
    """Chips of revision 3 lock it at each reset unless UICR and the firmware agree."""
    one = started(chosen)
    assert one.peek(APPROTECT_DISABLE) == copied
    one.reset()
    assert one.peek(APPROTECT_DISABLE) == 0
    one.run(0.05, until="idle")
    assert one.peek(APPROTECT_DISABLE) == copied


def test_the_instruction_cache_is_on(started):
    assert started(0xFFFF_FFFF).peek(ICACHECNF) == 1


def test_the_interface_chip_sees_no_flow_control(started):
    """P0.05, its RTS, is an input that is pulled high."""
    assert started(0xFFFF_FFFF).peek(PIN_CNF + 4 * 5) == 0b1100
