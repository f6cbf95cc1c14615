# SPDX-License-Identifier: Apache-2.0
"""A personalisation on a board: in force at once and after a reset, judged against its own model, refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgegrf.boards import board
from edgegrf.errors import DataError, FirmwareMismatchError
from edgegrf.files import sha256_file
from edgegrf.image import build_image, build_image_of_c
from edgegrf.link import Device
from edgegrf.link.exchange import RefusedError
from edgegrf.link.hello import MalformedError, Mode
from edgegrf.link.insole import Insole
from edgegrf.link.kept import write_kept
from edgegrf.link.live_messages import Content
from edgegrf.link.messages import ErrorCode, MessageType
from edgegrf.link.native_port import NativePort
from edgegrf.link.personal import erase_personal, expect_file, personal_of, personalise, sensor_gains
from edgegrf.link.personal_record import PersonalRecord
from edgegrf.link.virtual_port import VirtualPort
from edgegrf.live.checking import prove
from edgegrf.live.keeping import recording
from edgegrf.live.stream import Terms, follow
from edgegrf.live.wearing import walking_wearer, wiring
from edgegrf.manifest import Manifest
from edgegrf.parity.c_board import board_link
from edgegrf.parity.host import HostModel
from edgegrf.personal.files import read_personal, write_personal
from edgegrf.personal.fitting import Fit, LastLayer, Option
from edgegrf.personal.student import Student
from edgegrf.resources import shipped_file

TRIVIAL = Path(__file__).parents[2] / "firmware/tests/trivial"
STUDENT = shipped_file("insole4-dstcn16", "student_int8.tflite")


@pytest.fixture(scope="module")
def worn(tmp_path_factory):
    """A personalisation of the default student that nobody walked for."""
    student, rng = Student(STUDENT), np.random.default_rng(8)
    own = student.last
    layer = LastLayer(own.weights * rng.uniform(-1, 1.5, own.weights.shape), own.bias + 0.05)
    option = Option(True, 0.1, 0.02)
    fit = Fit((0.75, 1.0, 1.25, 1.5), layer, option, (option,), 0.05)
    folder = tmp_path_factory.mktemp("worn")
    write_personal(folder, student, fit, {}, {"subject": "nobody"})
    return read_personal(folder / "personal.json")


@pytest.fixture
def trivial(tmp_path_factory, monkeypatch, tmp_path):
    """Switches the native board with the trivial model on, its flash in a file."""
    monkeypatch.setenv("EDGEGRF_STORE", str(tmp_path / "flash"))
    program = build_image_of_c(
        board("native"), TRIVIAL, tmp_path_factory.getbasetemp() / "personal-trivial"
    ).elf
    return lambda: Device(NativePort(program))


def record(**changes):
    fields = {
        "model_sha256": bytes([0xAA, 0x55, 1, 2, 3]) + bytes(27), "personal_sha256": b"p" * 32,
        "gains": (4096, 5000, 3000), "scales": np.array([[0, 1 << 30, -1]], np.int32),
        "weights": np.array([[1, 2, 3]], np.int8),
    }  # fmt: skip
    return PersonalRecord(**{**fields, **changes})


@pytest.mark.parametrize("name", ["native", "nrf52840dk", "esp32c3"])
def test_the_board_computes_the_personalised_tflite(worn, name, tmp_path, needs_compiler):
    target = board(name)
    if name != "native":
        pytest.importorskip("unicorn")
        needs_compiler(target.core, None)
    image = build_image(target, STUDENT, tmp_path / "image").elf
    port = NativePort(image) if name == "native" else VirtualPort(image, target)
    x = np.random.default_rng(1).integers(-128, 128, (400, 4)).astype(np.int8)
    general, personal = HostModel(STUDENT), HostModel(worn.tflite)
    with Device(port) as device:
        expect_file(device, STUDENT)
        with pytest.raises(FirmwareMismatchError, match="as it was made; asked for its personalisation"):
            expect_file(device, worn.tflite)
        assert personalise(device, worn.record) == worn.record
        assert expect_file(device, worn.tflite).modes & Mode.PERSONAL
        with pytest.raises(FirmwareMismatchError, match="personalised for a wearer"):
            expect_file(device, STUDENT)
        for mode, walks in (("stream", [x]), ("window", list(x.reshape(2, 200, 4)))):
            assert board_link(device, personal, walks, mode=mode).ok
            assert not board_link(device, general, walks, mode=mode).ok
        if isinstance(port, VirtualPort):
            port.board.power_on()
            device.hello()
            assert personal_of(device) == worn.record
            assert board_link(device, personal, [x], mode="stream").ok
        erase_personal(device)
        assert personal_of(device) is None and board_link(device, general, [x], mode="stream").ok


def test_live_bits_are_the_hosts_with_gains(worn, tmp_path):
    """Counts come to pressure by calibration and gains; the record of the walk is without the gains."""
    target, interface = board("native"), Manifest.read(STUDENT).interface
    program = build_image(target, STUDENT, tmp_path / "image").elf
    walker = walking_wearer(wiring(target, interface), seed=2)
    content = Content.RAW | Content.PRESSURE | Content.ESTIMATE
    with Device(NativePort(program, worn=walker)) as device:
        personalise(device, worn.record)
        insole = Insole(device)
        gains = sensor_gains(personal_of(device), insole.facts)
        stream = follow(device, Terms(content), 2)
        host, kept = HostModel(worn.tflite), insole.calibration()
        assert prove(stream, host, insole.facts, kept, gains).mismatches == 0
        assert prove(stream, host, insole.facts, kept).pressure.mismatches > 0
    assert sorted(gains) == sorted([3072, 4096, 5120, 6144] + 4 * [4096])
    stream.terms = Terms(Content.PRESSURE)
    seen, plain = (recording(stream, "w", "left", 700, some).pressure for some in ((), gains))
    assert np.allclose(plain * (np.array(gains) / 4096), seen, atol=1e-6) and not np.allclose(plain, seen)


def test_it_is_in_force_after_a_restart(trivial):
    x = np.array([[10, 0, 0], [0, 10, 0], [0, 0, 10]], np.int8)
    with trivial() as device:
        assert device.stream(x)[0].ravel().tolist() == [5, 15, 15]
        personalise(device, record())
        assert device.stream(x)[0].ravel().tolist() == [5, 20, 35]
    with trivial() as device:
        assert personal_of(device) == record()
        assert device.stream(x)[0].ravel().tolist() == [5, 20, 35]
        device.expect_model((b"p" * 32).hex())
        erase_personal(device)
    with trivial() as device:
        assert personal_of(device) is None
        assert device.stream(x)[0].ravel().tolist() == [5, 15, 15]


def test_another_models_is_refused_on_both_ends(trivial, worn):
    with trivial() as device:
        with pytest.raises(DataError, match="belongs to model"):
            personalise(device, worn.record)
        assert refused(device, record(model_sha256=b"m" * 32)) == 2
        assert personal_of(device) is None


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"gains": (4096, 1023, 4096)}, 3 + 256),
        ({"gains": (4096, 4096, 16385)}, 3 + 512),
        ({"scales": np.array([[0, 1 << 30, 0]], np.int32)}, 4),
    ],
)
def test_what_is_implausible_changes_nothing(trivial, changes, detail):
    with trivial() as device:
        personalise(device, record())
        assert refused(device, record(**changes)) == detail
        assert personal_of(device) == record()


def test_a_record_that_was_damaged_on_the_way_is_refused(trivial):
    with trivial() as device:
        personalise(device, record())
        device.ask(MessageType.PERSONAL_WRITE, (90).to_bytes(2, "little") + b"\x07")
        with pytest.raises(RefusedError) as caught:
            device.ask(MessageType.PERSONAL_COMMIT, bytes(4))
        assert (caught.value.error.code, caught.value.error.detail) == (ErrorCode.IMPLAUSIBLE, 1)
        assert personal_of(device) == record()
        for place in (b"\xff\xff\x01", (104).to_bytes(2, "little") + b"\x01"):
            with pytest.raises(RefusedError) as caught:
                device.ask(MessageType.PERSONAL_WRITE, place)
            assert caught.value.error.code == ErrorCode.OUT_OF_RANGE


def test_a_file_that_was_changed_is_refused(worn, tmp_path):
    for name in ("personal.json", "student_int8.tflite", "student_int8.tflite.json"):
        (tmp_path / name).write_bytes(worn.tflite.with_name(name).read_bytes())
    path, text = tmp_path / "personal.json", (tmp_path / "personal.json").read_text()
    assert read_personal(path).record == worn.record
    for was, made, error in (
        ('"s1": 0.75', '"s1": 7.5', "a gain of 7.5"),
        ('"schema": 1', '"schema": 2', "schema 2"),
        ('"weights"', '"loads"', "no personalisation"),
        (sha256_file(worn.tflite), "0" * 64, "not the model"),
    ):
        assert was in text
        path.write_text(text.replace(was, made))
        with pytest.raises(Exception, match=error) as caught:
            read_personal(path)
        assert caught.value.exit_code == 2


def test_records_are_read_strictly():
    data = record().encode()
    assert PersonalRecord.decode(data) == record()
    for damaged in (data[:-1], data + b"\0", b"\0" + data[1:], data[:4], data[:4] + b"\0\0" + data[6:]):
        with pytest.raises(MalformedError):
            PersonalRecord.decode(damaged)


def test_the_refusal_names_what_the_board_carries(trivial):
    with trivial() as device:
        personalise(device, record())
        with pytest.raises(FirmwareMismatchError, match=r"personalised for a wearer \(707070"):
            device.expect_model("ab" * 32, general=device.info.model_sha256.hex())
        with pytest.raises(FirmwareMismatchError, match="asked for abababababab") as caught:
            device.expect_model("ab" * 32, name="mine.tflite")
        assert "flash" in caught.value.fix


def refused(device: Device, one: PersonalRecord) -> int:
    """The detail of the board's own refusal of a record."""
    with pytest.raises(RefusedError) as caught:
        write_kept(device, MessageType.PERSONAL_WRITE, MessageType.PERSONAL_COMMIT, one.encode())
    assert caught.value.error.code == ErrorCode.IMPLAUSIBLE
    return int(caught.value.error.detail)
