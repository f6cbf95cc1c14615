# SPDX-License-Identifier: Apache-2.0
"""`edgegrf build`, `flash` and `boards` as a person runs them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from edgegrf.boards import boards
from edgegrf.resources import DEFAULT_STUDENT, shipped_file

MAIN = [sys.executable, "-c", "from edgegrf.cli import main; main()"]
OTHER = "insole4-gru32"

pytestmark = pytest.mark.skipif(
    not shipped_file(DEFAULT_STUDENT, "student_int8.tflite").exists(),
    reason="the default student is not built",
)


def edgegrf(*words, cwd):
    environment = {**os.environ, "COLUMNS": "160"}
    return subprocess.run(
        [*MAIN, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False, env=environment
    )


def asked(*words, cwd):
    """The JSON record of a command that must succeed."""
    done = edgegrf(*words, "--json", cwd=cwd)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@contextmanager
def served(spec, cwd):
    process = subprocess.Popen(
        [*MAIN, "boards", "--serve", spec], cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        yield process.stdout.readline().strip()
    finally:
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=20)
    assert process.returncode == 130 and "stopped" in said, said


def test_build_prints_sizes_and_says_where(tmp_path):
    done = edgegrf("build", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (
        "flash" in done.stdout
        and "bytes" in done.stdout
        and str(boards()["nrf52840dk"].flash_size) in done.stdout
    )
    record = asked("build", cwd=tmp_path)
    assert record["cached"] and record["flash_bytes"] < 32_768
    assert all((tmp_path / file).is_file() for file in record["files"].values())
    assert Path(record["files"]["elf"]).parts[:3] == ("build", DEFAULT_STUDENT, "nrf52840dk")


def test_flash_builds_writes_and_greets(tmp_path):
    """The image is written to a file; the board that answers runs that very firmware, or another."""
    pytest.importorskip("unicorn")
    with served("virtual:nrf52840dk", tmp_path) as port:
        words = ("flash", "--via", "file", "--to", "a.hex", "--port", port)
        record = asked(*words, cwd=tmp_path)
        assert record["greeted"]["board"] == "nrf52840dk" and (tmp_path / "a.hex").is_file()
        erased = asked("flash", "--erase-calibration", "--port", port, cwd=tmp_path)
        assert (erased["via"], erased["where"], erased["bytes"]) == ("link", port, 0x2000)
        other = edgegrf(*words, "--model", shipped_file(OTHER, "student_int8.tflite"), cwd=tmp_path)
    assert other.returncode == 3 and f"the board at {port} runs firmware" in other.stderr


def test_flash_a_uf2_without_a_board(tmp_path):
    record = asked("flash", "--board", "xiao_nrf52840", "--via", "uf2", "--to", ".", cwd=tmp_path)
    assert Path(record["where"]).name == "firmware.uf2" and record["bytes"] % 256 == 0
    again = asked("flash", "--board", "xiao_nrf52840", "--image", "firmware.uf2", "--to", ".", cwd=tmp_path)
    assert again["bytes"] == record["bytes"]


def test_boards_lists_what_is_known(tmp_path):
    record = asked("boards", cwd=tmp_path)
    assert [row["name"] for row in record["boards"]] == list(boards())
    assert all(row["verified"] for row in record["boards"])
    listed = edgegrf("boards", cwd=tmp_path)
    assert listed.returncode == 0 and all(name in listed.stdout for name in boards())


def test_serving_the_native_board_ends_with_ctrl_c(tmp_path):
    from edgegrf.link import Device, open_port

    with served("native:", tmp_path) as port:
        for _ in range(2):
            with Device(open_port(port)) as device:
                assert device.hello().board == "native"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["build", "--board", "nrf52840"], 2, "did you mean 'nrf52840dk'?"),
        (["build", "--model", "none.tflite"], 2, "no such model: none.tflite"),
        (["build", "-o", "file/x"], 2, "cannot write"),
        (["build", "--compiler", "armcc"], 2, "unknown ARM compiler"),
        (["flash", "--image", "a.hex", "--model", "insole4-gru32"], 2, "exclude each other"),
        (["flash", "--image", "none.hex"], 2, "cannot read the image"),
        (["flash", "--board", "native"], 2, "needs no flashing"),
        (["boards", "--serve", "virtual:unknown"], 2, "unknown board"),
        (["boards", "--serve", "/dev/ttyACM0"], 2, "cannot serve"),
    ],
)
def test_bad_input_has_a_message_and_a_code(tmp_path, words, code, said):
    (tmp_path / "file").write_text("")
    done = edgegrf(*words, cwd=tmp_path)
    assert done.returncode == code and said in done.stderr, done.stderr
    assert "Traceback" not in done.stderr and done.stderr.count("\n") <= 3


def test_an_sdk_brings_its_own_compiler(tmp_path):
    done = edgegrf("build", "--board", "esp32", "--compiler", "zig", cwd=tmp_path)
    assert done.returncode == 2 and "the SDK builds it with its own compiler" in done.stderr
    assert not (tmp_path / "build").exists()


@pytest.mark.parametrize("board_and_sdk", [("esp32", "esp-idf"), ("nrf52840dk", "zephyr")])
def test_the_commands_of_a_project_run_from_anywhere(tmp_path, board_and_sdk, monkeypatch):
    monkeypatch.delenv("IDF_PATH", raising=False)
    monkeypatch.delenv("ZEPHYR_BASE", raising=False)
    name, sdk = board_and_sdk
    record = asked("build", "--board", name, "--sdk", sdk, cwd=tmp_path)
    assert all(str(tmp_path / record["project"]) in command for command in record["to_build"])


def test_a_missing_drive_is_called_by_its_label(tmp_path):
    image = tmp_path / "firmware.uf2"
    assert asked("build", "--board", "xiao_nrf52840", "-o", tmp_path, cwd=tmp_path)
    done = edgegrf("flash", "--board", "xiao_nrf52840", "--image", image, "--via", "uf2", cwd=tmp_path)
    assert done.returncode == 3 and "XIAO-SENSE" in done.stderr
