# SPDX-License-Identifier: Apache-2.0
"""Talking to a board: frames, messages, transports, and the device client.

with Device(open_port("virtual:nrf52840dk", model=Path("model.tflite"))) as device:
    estimates, cycles = device.stream(samples)
"""

from edgegrf.link.device import Device
from edgegrf.link.opening import default_port, open_port
from edgegrf.link.ports import plugged_in
from edgegrf.link.transport import Transport

__all__ = ["Device", "Transport", "default_port", "open_port", "plugged_in"]
