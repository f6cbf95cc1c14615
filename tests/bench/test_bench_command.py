# SPDX-License-Identifier: Apache-2.0
"""`edgegrf bench` as it is typed: results, exit codes, Ctrl-C."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import threading

import pytest
from click.testing import CliRunner

from edgegrf.cli.bench import command
from edgegrf.errors import CheckFailedError, EdgegrfError, UnknownNameError

EDGEGRF = [sys.executable, "-c", "from edgegrf.cli import main; main()"]


def run(*arguments):
    return CliRunner().invoke(command, [*map(str, arguments)], standalone_mode=False)


def test_json_is_the_record_and_the_files_are_written(student, no_data, tmp_path):
    record, report = tmp_path / "bench.json", tmp_path / "bench.html"
    done = run(
        "--port", "native:", "--model", student, "--walks", 1, "--json", "-o", record, "--report", report
    )
    assert done.exception is None
    assert done.return_value == 0
    shown, written = json.loads(done.stdout), json.loads(record.read_text())
    assert list(shown) == [
        "board", "virtual", "engine", "mode", "model_sha256", "clock_hz", "samples", "cycles", "latency_us",
        "cycles_are", "parity", "accuracy", "memory", "energy", "link", "data",
    ]  # fmt: skip
    assert shown == {key: written[key] for key in shown}
    assert shown["parity"] == {"compared": 6000, "mismatches": 0, "max_lsb": 0}
    assert shown["data"]["synthetic"] is True
    assert "<svg" in report.read_text()


def test_table_has_units_and_says_what_is_synthetic(student, no_data):
    done = run("--port", "native:", "--model", student, "--walks", 1)
    assert done.exception is None
    assert "synthetic" in done.stdout
    assert " BW" in done.stdout
    assert "walks: SYNTHETIC" in done.stderr


def test_without_a_port_the_virtual_board_is_taken_and_said(student, no_data, monkeypatch):
    monkeypatch.setattr("edgegrf.link.opening.plugged_in", list)
    done = run("--model", student, "--walks", 1, "--json")
    assert "taking virtual:nrf52840dk" in done.stderr
    assert json.loads(done.stdout)["virtual"] is True


def test_parity_that_fails_ends_in_code_1(student, no_data, monkeypatch):
    from edgegrf.parity import host

    class Off(host.HostModel):
        def stream(self, x):
            out = super().stream(x).copy()
            out[9] ^= 1
            return out

    monkeypatch.setattr(host, "HostModel", Off)
    done = run("--port", "native:", "--model", student, "--walks", 1, "--json")
    assert isinstance(done.exception, CheckFailedError)
    assert done.exception.exit_code == 1
    assert json.loads(done.stdout)["parity"]["mismatches"] == 2  # one in each foot's walk


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--port", "/dev/ttyACM77"], 3, "no port"),
        (["--port", "virtual:nrf52840kd"], 2, "did you mean"),
        (["--port", "native:", "--data", "nowhere.npz"], 2, "does not exist"),
        (["--port", "native:", "--board", "nrf"], 0, ""),
        (["--port", "/dev/ttyACM77", "--board", "nrf"], 2, "unknown board"),
    ],
)
def test_what_is_asked_wrongly(student, no_data, arguments, code, words):
    done = run("--model", student, "--walks", 1, *arguments)
    if code == 0:
        assert done.return_value == 0
        return
    assert isinstance(done.exception, EdgegrfError)
    assert done.exception.exit_code == code
    assert words in "\n".join(done.exception.lines())


def test_output_that_cannot_be_written(student, no_data, tmp_path):
    (tmp_path / "file").write_text("")
    done = run("--port", "native:", "--model", student, "--walks", 1, "-o", tmp_path / "file" / "bench.json")
    assert isinstance(done.exception, EdgegrfError)
    assert done.exception.exit_code == 2
    assert not done.stdout and "walks:" not in done.stderr  # refused before anything is measured


def test_ctrl_c_in_the_middle_restores_the_terminal_and_keeps_the_partial_result(student, tmp_path):
    """On a terminal of its own, as a person sees it."""
    record = tmp_path / "bench.json"
    ours, theirs = pty.openpty()
    arguments = ["bench", "--port", "virtual:nrf52840dk", "--model", str(student), "-o", str(record)]
    arguments += ["--data", str(long_walk(tmp_path))]
    with subprocess.Popen(
        [*EDGEGRF, *arguments],
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
        env={**os.environ, "TERM": "xterm"},
    ) as process:
        os.close(theirs)
        shown = []
        measuring = threading.Event()

        def watch():
            try:
                while part := os.read(ours, 4096):
                    shown.append(part)
                    if b"stream on" in b"".join(shown):
                        measuring.set()
            except OSError:
                pass

        watcher = threading.Thread(target=watch, daemon=True)
        watcher.start()
        assert measuring.wait(60)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
        watcher.join(10)
    terminal = b"".join(shown).decode(errors="replace")
    assert process.returncode == 130
    assert terminal.rindex("\x1b[?25h") > terminal.rindex("\x1b[?25l")  # the cursor is back
    assert "stopped" in terminal
    assert "PARTIAL" in out
    written = json.loads(record.read_text())
    assert written["partial"] is True
    assert 0 < written["samples"] < 120_000
    assert written["parity"]["mismatches"] == 0


def long_walk(folder):
    """Ten minutes of walking, more than is measured before Ctrl-C."""
    from edgegrf.gait.readers.archive import write_archive
    from edgegrf.gait.walker import walk

    path = folder / "walk.npz"
    write_archive(path, [walk(5, duration_s=600.0)])
    return path


def test_a_board_that_is_not_known_is_refused_and_a_known_one_is_looked_for(student, no_data):
    done = run("--board", "nope", "--model", student, "--walks", 1)
    assert isinstance(done.exception, UnknownNameError)
    done = run("--board", "feather_nrf52840", "--model", student, "--walks", 1, "--json")
    assert json.loads(done.stdout)["board"] == "feather_nrf52840"
    assert "taking virtual:feather_nrf52840" in done.stderr
