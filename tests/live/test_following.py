# SPDX-License-Identifier: Apache-2.0
"""Following a native board: every bit proven; two hosts, a board that restarts, a line that damages."""

from __future__ import annotations

import socket
import threading

import numpy as np
import pytest

from edgegrf.errors import DataError, LinkError, PortError, UsageError
from edgegrf.gait.insole import Worn
from edgegrf.gait.readers import read_walks
from edgegrf.link import Device
from edgegrf.link.exchange import Patience, TakenOverError
from edgegrf.link.insole import Insole
from edgegrf.link.live_messages import Content, LiveFlag
from edgegrf.link.native_port import NativePort
from edgegrf.link.serial_port import SerialPort
from edgegrf.link.socket_port import SocketPort
from edgegrf.live.checking import prove
from edgegrf.live.keeping import write_stream
from edgegrf.live.stream import Terms, follow
from edgegrf.live.summary import summary
from edgegrf.live.wearing import walking_wearer, wiring
from edgegrf.manifest import Manifest
from edgegrf.parity.host import HostModel

ALL = Content.RAW | Content.PRESSURE | Content.ESTIMATE


def test_every_bit_of_a_stream_is_the_hosts_own(student, student_program, opened):
    from edgegrf.boards import board

    worn = walking_wearer(wiring(board("native"), Manifest.read(student).interface), seed=5)
    device = opened(student_program, worn)
    stream = follow(device, Terms(ALL, rate_hz=400.0), 0.8)
    insole = Insole(device)
    assert (stream.missing, len(stream.frames), stream.names[:2]) == (0, 320, ("s1", "s2"))
    assert (stream.counts() == worn.counts[:320]).all()
    assert insole.facts.sensor_of_input == (0, 2, 3, 6)  # s1, s3, s4, s7 of the board's eight, by name
    proof = prove(stream, HostModel(student), insole.facts, insole.calibration())
    assert (proof.mismatches, proof.estimates.outputs, proof.pressure.outputs) == (0, 320, 320 * 8)
    assert all(frame.flags & LiveFlag.OFF_RATE for frame in stream.frames)


def test_a_bit_that_differs_is_found(student, student_program, opened, wavy):
    from dataclasses import replace

    device = opened(student_program, Worn(wavy, 100.0))
    stream = follow(device, Terms(ALL, rate_hz=400.0), 0.2)
    insole, host = Insole(device), HostModel(student)
    calibration = insole.calibration()
    one = stream.frames[40]
    stream.frames[40] = replace(one, estimate=one.estimate ^ np.int8(1))
    assert prove(stream, host, insole.facts, calibration).estimates.mismatches == 1
    del stream.frames[60]  # from a hole on nothing can be repeated
    assert prove(stream, host, insole.facts, calibration).samples == 60
    sensors = (replace(calibration.sensors[0], offset=50), *calibration.sensors[1:])
    assert prove(stream, host, insole.facts, replace(calibration, sensors=sensors)).pressure.mismatches > 0
    with pytest.raises(DataError, match="first sample"):
        prove(replace(stream, frames=stream.frames[1:]), host, insole.facts, calibration)
    with pytest.raises(DataError, match="not every sample"):
        prove(replace(stream, terms=Terms(ALL, every=2)), host, insole.facts, calibration)


def test_faulty_sensors_are_counted_by_name(trivial_program, opened, wavy):
    counts = wavy.copy()
    counts[:, 1], counts[:, 6] = 0, 4095
    counts[25:, 6] = 900
    stream = follow(opened(trivial_program, Worn(counts, 100.0)), Terms(Content.RAW, rate_hz=500.0), 0.1)
    assert stream.faults == {"open": {"s2": 50}, "saturated": {"s7": 25}}


class Shared:
    """Two hosts on one board, as through a socket: each sees all that the board sends."""

    def __init__(self, transport):
        self.name, self.transport, self.views = transport.name, transport, []

    def view(self):
        shared, name = self, self.name

        class View:
            waiting = b""

            def __init__(self):
                self.name = name

            def write(self, data):
                shared.transport.write(data)

            def read(self, timeout_s):
                if not self.waiting:
                    data = shared.transport.read(timeout_s)
                    for each in shared.views:
                        each.waiting += data
                data, self.waiting = self.waiting, b""
                return data

            def close(self):
                pass

        self.views.append(View())
        return self.views[-1]


def test_the_second_host_takes_the_board_and_the_first_is_told(trivial_program):
    transport = NativePort(trivial_program)
    shared = Shared(transport)
    first, second = (Device(shared.view(), Patience(0.2, 6)) for _ in range(2))
    try:
        insole = Insole(first)
        insole.start(Content.RAW, rate_mhz=200_000)
        frames = insole.frames()
        for _ in range(5):
            next(frames)
        second.hello()
        second.stats()
        with pytest.raises(TakenOverError, match="another program"):
            for _ in range(100):
                next(frames)
        assert follow(second, Terms(Content.RAW, rate_hz=500.0), 0.05).missing == 0
    finally:
        transport.close()


def test_a_serial_port_has_one_host(trivial_program):
    port = NativePort(trivial_program)
    try:
        with pytest.raises(PortError, match="busy"):
            SerialPort(port._port.name)
    finally:
        port.close()


class Failing:
    """Native boards in a row: each loses its power in the middle of a frame after `reads` reads."""

    def __init__(self, program, reads):
        self.name, self._program, self._reads = "failing", program, list(reads)
        self._port = NativePort(program)
        self._left = self._reads.pop(0)

    def write(self, data):
        self._port.write(data)

    def read(self, timeout_s):
        data = self._port.read(timeout_s)
        self._left -= 1
        if self._left == 0:
            self._port.close()
            self._port = NativePort(self._program)
            self._left = self._reads.pop(0) if self._reads else -1
            return data[: len(data) // 2]
        return data

    def close(self):
        self._port.close()


def test_a_brown_out_in_the_middle_of_a_frame_is_told_and_the_stream_goes_on(trivial_program, tmp_path):
    device = Device(Failing(trivial_program, [40]), Patience(0.2, 6))
    try:
        stream = follow(device, Terms(Content.RAW, rate_hz=200.0, keep_alive_ms=600), 0.3)
        assert len(stream.restarts) == 1 and stream.restarts[0].startswith("after 0.")
        assert stream.total_seconds == pytest.approx(0.3) and stream.missing == 0
        assert [bool(part.frames) for part in stream.parts()] == [True, True]
        files = write_stream(tmp_path / "w.npz", stream, foot="left", weight_n=700.0)
        assert [file.name for file in files] == ["w.npz", "w-2.npz"]
        lengths = [len(read_walks(file)[0].pressure) for file in files]
        assert lengths == [len(part.frames) for part in stream.parts()]
    finally:
        device.close()


def test_a_board_that_always_restarts_is_given_up(trivial_program):
    device = Device(Failing(trivial_program, [40] * 20), Patience(0.1, 6))
    try:
        stream = follow(device, Terms(Content.RAW, rate_hz=200.0, keep_alive_ms=300), 5.0)
        assert len(stream.restarts) == 5 and isinstance(stream.broken, LinkError)
    finally:
        device.close()


class Unplugged:
    """A native board whose line is gone after `reads` reads."""

    def __init__(self, program, reads):
        self.name, self._port, self._left = "unplugged", NativePort(program), reads

    def write(self, data):
        self._port.write(data)

    def read(self, timeout_s):
        self._left -= 1
        if self._left < 0:
            raise LinkError("unplugged went away")
        return self._port.read(timeout_s)

    def close(self):
        self._port.close()


def test_what_came_before_the_line_broke_is_kept(trivial_program):
    device = Device(Unplugged(trivial_program, 40))
    try:
        stream = follow(device, Terms(Content.RAW, rate_hz=200.0), 5.0)
        assert 0 < len(stream.frames) < 60 and stream.status is None
        assert stream.broken is not None and stream.broken.what == "unplugged went away"
        assert summary(stream)["broken"] == "unplugged went away" and summary(stream)["lost_on_board"] is None
    finally:
        device.close()
    with pytest.raises(LinkError):
        follow(Device(Unplugged(trivial_program, 3)), Terms(Content.RAW), 1.0)


class Lossy:
    """Damages every n-th frame that the board sends."""

    def __init__(self, transport, every):
        self.name, self._transport, self._every, self._seen = transport.name, transport, every, 0

    def write(self, data):
        self._transport.write(data)

    def read(self, timeout_s):
        out = bytearray()
        for byte in self._transport.read(timeout_s):
            self._seen += byte == 0
            damaged = byte != 0 and self._seen // 2 % self._every == self._every - 1
            out.append(byte ^ 0xFF if damaged and byte != 0xFF else byte)
        return bytes(out)

    def close(self):
        self._transport.close()


def test_frames_that_the_line_damages_are_missing_and_no_more(trivial_program, wavy):
    device = Device(Lossy(NativePort(trivial_program, worn=Worn(wavy, 1.0)), 7))
    try:
        stream = follow(device, Terms(Content.RAW, rate_hz=400.0), 0.5)
        assert stream.status.lost == 0
        assert 15 <= stream.missing <= 40 and len(stream.frames) + stream.missing >= 200
        samples = [frame.sample for frame in stream.frames]
        assert samples == sorted(set(samples))
        assert (stream.counts() == wavy[np.array(samples) % 50]).all()
    finally:
        device.close()


def test_a_host_that_vanishes_leaves_a_board_that_answers_the_next(trivial_program):
    """Through a socket, whose other end is cut without a STOP."""
    board = NativePort(trivial_program)
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]

    def serve():
        for _ in range(2):
            line, _ = server.accept()
            line.settimeout(0.02)
            alive = True
            while alive:
                try:
                    data = line.recv(4096)
                    alive = bool(data)
                    board.write(data)
                except TimeoutError:
                    pass
                except OSError:
                    break
                try:
                    line.sendall(board.read(0.01))
                except OSError:
                    break
            line.close()

    worker = threading.Thread(target=serve, daemon=True)
    worker.start()
    try:
        with Device(SocketPort(f"socket://127.0.0.1:{port}")) as device:
            insole = Insole(device)
            insole.start(Content.RAW, rate_mhz=100_000, keep_alive_ms=200)
            assert next(frame for frame in insole.frames() if frame) is not None
        with Device(SocketPort(f"socket://127.0.0.1:{port}")) as device:
            assert follow(device, Terms(Content.RAW, rate_hz=200.0), 0.1).missing == 0
    finally:
        worker.join(5)
        server.close()
        board.close()


def test_what_cannot_be_streamed_is_refused(trivial_program, opened):
    device = opened(trivial_program)
    with pytest.raises(UsageError, match="cannot scan 8 sensors at 200000 Hz"):
        follow(device, Terms(Content.RAW, rate_hz=200_000.0), 0.1)
    assert follow(device, Terms(Content.RAW), 0.02).frames  # and the board is as before
