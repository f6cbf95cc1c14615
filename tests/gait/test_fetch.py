# SPDX-License-Identifier: Apache-2.0
"""Fetching from a local HTTP server that breaks in every way a real one does."""

from __future__ import annotations

import hashlib
import http.server
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgegrf.errors import DataError, OutputError
from edgegrf.gait.fetch import Fetched, fetch_gaitpdb

_FILES = {
    "GaCo01_01.txt": bytes(range(256)) * 2000,
    "GaCo02_01.txt": b"0.0000\t1\r\n" * 900,
    "format.txt": b"19 columns",
}


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = dict(_FILES)
        sums = "".join(f"{hashlib.sha256(data).hexdigest()} {name}\n" for name, data in _FILES.items())
        evil = "0" * 64 + " ../evil.txt\n" + "0" * 64 + " sub/x.txt\n" + "0" * 64 + " sheet.xls\n"
        self.files["SHA256SUMS.txt"] = (sums + evil).encode()
        self.asked: list[tuple[str, str | None]] = []
        self.cut_after: dict[str, list[int]] = {}  # name -> bytes to send of its next answers
        self.busy: dict[str, int] = {}  # name -> how often to answer 503 first
        self.ranges = True
        self.stalled = threading.Event()  # set once an answer waits in its middle
        self.stall: set[str] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/files/"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/files/")
        span = self.headers.get("Range")
        self.server.asked.append((name, span))
        data = self.server.files.get(name)
        if self.server.busy.get(name, 0):
            self.server.busy[name] -= 1
            self.send_error(503)
        elif data is None:
            self.send_error(404)
        else:
            self._send(name, data, int(span[6:-1]) if span and self.server.ranges else None)

    def _send(self, name: str, data: bytes, start: int | None) -> None:
        if start is not None and start >= len(data):
            self.send_error(416)
            return
        self.send_response(200 if start is None else 206)
        if start is not None:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        body = data[start or 0 :]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        cuts = self.server.cut_after.get(name)
        if name in self.server.stall:
            self.server.stall.remove(name)
            self.wfile.write(body[:200_000])
            self.wfile.flush()
            self.server.stalled.set()
            self.connection.recv(1)  # until the client goes away
            return
        self.wfile.write(body[: cuts.pop(0)] if cuts else body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[_Server]:
    with _Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def _fetch(server: _Server, folder: Path) -> Fetched:
    return fetch_gaitpdb(folder, url=server.url, wait_s=0)


def _whole(folder: Path) -> bool:
    names = sorted(path.name for path in folder.iterdir())
    return names == sorted([*_FILES, "SHA256SUMS.txt"]) and all(
        (folder / name).read_bytes() == data for name, data in _FILES.items()
    )


def test_it_brings_every_file_and_nothing_else(server: _Server, tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    folder = tmp_path / "new" / "gaitpdb"
    done = fetch_gaitpdb(folder, url=server.url, progress=lambda *told: seen.append(told))
    assert _whole(folder) and not (tmp_path / "new" / "evil.txt").exists()
    sent = sum(map(len, _FILES.values())) + len(server.files["SHA256SUMS.txt"])
    assert done == Fetched(folder, 3, 0, sent)
    assert seen[0] == ("fetch gaitpdb", 0, 3) and seen[-1] == ("fetch gaitpdb", 3, 3)


def test_a_second_time_nothing_comes_again(server: _Server, tmp_path: Path) -> None:
    _fetch(server, tmp_path)
    server.asked.clear()
    assert _fetch(server, tmp_path).kept == 3
    assert server.asked == [("SHA256SUMS.txt", None)]
    (tmp_path / "GaCo01_01.txt").write_bytes(b"damaged on disk")
    assert _fetch(server, tmp_path).kept == 2 and _whole(tmp_path)


def test_a_connection_that_breaks_is_resumed_where_it_broke(server: _Server, tmp_path: Path) -> None:
    server.cut_after["GaCo01_01.txt"] = [100_000, 1, 300_000]
    _fetch(server, tmp_path)
    assert _whole(tmp_path)
    spans = [span for name, span in server.asked if name == "GaCo01_01.txt"]
    assert spans == [None, "bytes=100000-", "bytes=100001-", "bytes=400001-"]


def test_a_fetch_given_up_goes_on_the_next_time(server: _Server, tmp_path: Path) -> None:
    server.cut_after["GaCo01_01.txt"] = [1000, 1000, 1000, 1000]
    with pytest.raises(DataError, match="cannot fetch") as caught:
        _fetch(server, tmp_path)
    assert "bytes early" in caught.value.why and "resumes" in caught.value.fix
    assert not (tmp_path / "GaCo01_01.txt").exists()  # a half is never called by the whole's name
    server.asked.clear()
    done = _fetch(server, tmp_path)
    assert _whole(tmp_path) and ("GaCo01_01.txt", "bytes=4000-") in server.asked
    assert done.received_bytes < sum(map(len, _FILES.values())) + len(server.files["SHA256SUMS.txt"])


def test_a_server_without_ranges_sends_it_whole_again(server: _Server, tmp_path: Path) -> None:
    server.cut_after["GaCo01_01.txt"] = [1000]
    server.ranges = False
    _fetch(server, tmp_path)
    assert _whole(tmp_path)


@pytest.mark.parametrize("half", [b"not how the file begins", bytes(range(256)) * 2000 + b"too long"])
def test_a_half_of_another_file_is_thrown_away(server: _Server, tmp_path: Path, half: bytes) -> None:
    (tmp_path / ".GaCo01_01.txt.part").write_bytes(half)
    _fetch(server, tmp_path)
    assert _whole(tmp_path)


def test_a_half_that_was_whole_already_is_taken(server: _Server, tmp_path: Path) -> None:
    (tmp_path / ".GaCo01_01.txt.part").write_bytes(_FILES["GaCo01_01.txt"])
    _fetch(server, tmp_path)
    assert _whole(tmp_path)


def test_a_wrong_checksum_is_refused_and_leaves_nothing(server: _Server, tmp_path: Path) -> None:
    server.files["GaCo02_01.txt"] = b"tampered"
    with pytest.raises(DataError, match=r"GaCo02_01.txt: SHA-256 [0-9a-f]{12}\.\.\. where"):
        _fetch(server, tmp_path)
    assert (tmp_path / "GaCo01_01.txt").exists()
    assert not list(tmp_path.glob("*GaCo02_01*"))


def test_a_missing_file_is_named(server: _Server, tmp_path: Path) -> None:
    del server.files["GaCo02_01.txt"]
    with pytest.raises(DataError, match=r"GaCo02_01\.txt: the server answers 404"):
        _fetch(server, tmp_path)
    assert [name for name, _ in server.asked].count("GaCo02_01.txt") == 1  # asking again would not help


def test_a_busy_server_is_asked_again(server: _Server, tmp_path: Path) -> None:
    server.busy = {"SHA256SUMS.txt": 1, "format.txt": 3}
    _fetch(server, tmp_path)
    assert _whole(tmp_path)


def test_a_login_page_instead_of_the_list_is_refused(server: _Server, tmp_path: Path) -> None:
    server.files["SHA256SUMS.txt"] = b"<html>Welcome to the hotel</html>"
    with pytest.raises(DataError, match="lists no files"):
        _fetch(server, tmp_path)


def test_offline_is_said_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]  # bound, not listening: connections are refused
        with pytest.raises(DataError, match=f"cannot reach 127.0.0.1:{port}") as caught:
            fetch_gaitpdb(tmp_path, url=f"http://127.0.0.1:{port}/")
    assert "offline" in caught.value.why and "edgegrf data make" in caught.value.fix
    with pytest.raises(DataError, match=r"cannot reach no-such-host\.invalid"):
        fetch_gaitpdb(tmp_path, url="http://no-such-host.invalid/")
    with pytest.raises(DataError, match="no address"):
        fetch_gaitpdb(tmp_path / "deep" / "gaitpdb", url="gaitpdb")
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_exits_130_and_leaves_a_half_to_resume(server: _Server, tmp_path: Path) -> None:
    server.stall.add("GaCo01_01.txt")
    program = "from edgegrf.cli import main; main()"
    words = ["data", "fetch", "gaitpdb", "--to", str(tmp_path), "--url", server.url]
    with subprocess.Popen([sys.executable, "-c", program, *words], stderr=subprocess.PIPE) as fetch:
        assert server.stalled.wait(20)
        part = tmp_path / ".GaCo01_01.txt.part"
        while not part.exists() or not part.stat().st_size:
            time.sleep(0.01)
        fetch.send_signal(signal.SIGINT)
        _, told = fetch.communicate(timeout=20)
    assert fetch.returncode == 130 and b"Traceback" not in told
    assert not (tmp_path / "GaCo01_01.txt").exists() and part.stat().st_size > 0
    server.asked.clear()
    _fetch(server, tmp_path)
    assert _whole(tmp_path)
    spans = [span for name, span in server.asked if name == "GaCo01_01.txt"]
    assert len(spans) == 1 and spans[0] is not None


def test_a_place_that_cannot_be_written_is_refused(server: _Server, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot write"):
        _fetch(server, tmp_path / "file" / "gaitpdb")
