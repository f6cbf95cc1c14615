# SPDX-License-Identifier: Apache-2.0
"""Fetching gaitpdb from PhysioNet: file by file, resumable, each checked against the published SHA-256."""

from __future__ import annotations

import hashlib
import http.client
import re
import socket
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edgegrf.errors import DataError, OutputError
from edgegrf.files import filled_folder, sha256_file, write_file
from edgegrf.progress import Progress, silent

__all__ = ["GAITPDB_NOTICE", "GAITPDB_URL", "Fetched", "fetch_gaitpdb"]

GAITPDB_URL = "https://physionet.org/files/gaitpdb/1.0.0/"

GAITPDB_NOTICE = (
    "Gait in Parkinson's Disease 1.0.0, PhysioNet, Open Data Commons Attribution License v1.0: "
    "cite Goldberger et al. 2000, Circulation 101(23):e215, and the studies that its page names."
)

_SUMS = "SHA256SUMS.txt"
_LINE = re.compile(r"([0-9a-f]{64})[ \t]+\*?(\S.*)")
_PLAIN_NAME = re.compile(r"\w[\w.-]*\.txt")  # walks and notes; no path, so nothing leaves the folder
_ATTEMPTS = 4
_PIECE = 1 << 16
_TRY_AGAIN = (408, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Fetched:
    """What a fetch did: files now in the folder, of which `kept` were there already; bytes that came."""

    folder: Path
    files: int
    kept: int
    received_bytes: int


class _Interrupted(Exception):  # noqa: N818 - not an error yet: the next attempt resumes
    """The connection ended, or the server was busy, before the file was whole."""


def fetch_gaitpdb(
    folder: Path, *, url: str = GAITPDB_URL, wait_s: float = 2.0, progress: Progress = silent
) -> Fetched:
    """Bring every text file of gaitpdb into `folder`; what is there and right is kept, halves are resumed.

    Raises DataError when the server cannot be reached, lacks a file, or its file has another checksum;
    what came so far stays, and the next call goes on from there.  OutputError when `folder` refuses.
    """
    base = url if url.endswith("/") else url + "/"
    try:
        with filled_folder(folder):
            return _fetch_all(folder, base, wait_s, progress)
    except OSError as error:
        raise _cannot_write(folder, error) from error


def _fetch_all(folder: Path, base: str, wait_s: float, progress: Progress) -> Fetched:
    sums_file = folder / f".{_SUMS}.part"
    sums_file.unlink(missing_ok=True)
    received = _download(base + _SUMS, sums_file, wait_s)
    sums = _parse_sums(sums_file, base)
    kept = 0
    for done, (name, digest) in enumerate(sums.items()):
        progress("fetch gaitpdb", done, len(sums))
        if (folder / name).is_file() and sha256_file(folder / name) == digest:
            kept += 1
        else:
            received += _fetch_one(base + name, folder / name, digest, wait_s)
    progress("fetch gaitpdb", len(sums), len(sums))
    write_file(folder / _SUMS, sums_file.read_bytes())
    sums_file.unlink()
    return Fetched(folder, len(sums), kept, received)


def _parse_sums(path: Path, base: str) -> dict[str, str]:
    found = (_LINE.fullmatch(line.strip()) for line in path.read_text(errors="replace").splitlines())
    sums = {match[2]: match[1] for match in found if match and _PLAIN_NAME.fullmatch(match[2])}
    sums.pop(_SUMS, None)
    if not sums:
        raise DataError(
            f"{base}{_SUMS} lists no files",
            why="a proxy or login page in between?",
            fix="open it in a browser",
        )
    return sums


def _fetch_one(url: str, path: Path, digest: str, wait_s: float) -> int:
    """Download, check, rename; a resumed half that turns out wrong is thrown away once."""
    part = path.with_name(f".{path.name}.part")
    resumed = part.is_file() and part.stat().st_size > 0
    received = _download(url, part, wait_s)
    if sha256_file(part) != digest and resumed:
        part.unlink()
        received += _download(url, part, wait_s)
    found = hashlib.sha256(part.read_bytes()).hexdigest()
    if found != digest:
        part.unlink()
        raise DataError(
            f"{url}: SHA-256 {found[:12]}... where {digest[:12]}... was published",
            why="the file was damaged on its way, or changed at its source",
            fix="run the same command again; it keeps what was right",
        )
    part.replace(path)
    return received


def _download(url: str, part: Path, wait_s: float) -> int:
    """Bring `part` to the whole of `url`, resuming up to a few times; the bytes received."""
    received = 0
    why = ""
    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(wait_s * attempt)
        try:
            for size in _pieces(url, part):
                received += size
            return received
        except _Interrupted as error:
            why = str(error)
    raise DataError(
        f"cannot fetch {url}", why=f"{why} ({_ATTEMPTS} attempts)",
        fix="check the network, then run the same command again: it resumes",
    )  # fmt: skip


def _pieces(url: str, part: Path) -> Iterator[int]:
    """Append what is missing of `url` to `part`, yielding the size of each piece as it lands."""
    have = part.stat().st_size if part.is_file() else 0
    headers = {"User-Agent": "edgegrf", **({"Range": f"bytes={have}-"} if have else {})}
    with _network_errors(url, part), _ask(url, headers) as answer:
        resumes = answer.status == 206 and _starts_at(answer.headers.get("Content-Range"), have)
        length = answer.headers.get("Content-Length")
        missing = int(length) if length and length.isdigit() else None
        with _open_part(part, "ab" if resumes else "wb") as file:
            while piece := answer.read(_PIECE):
                file.write(piece)
                missing = None if missing is None else missing - len(piece)
                yield len(piece)
    if missing:
        raise _Interrupted(f"the connection ended {missing} bytes early")


def _ask(url: str, headers: dict[str, str]) -> http.client.HTTPResponse:
    try:
        request = urllib.request.Request(url, headers=headers)
    except ValueError as error:
        raise DataError(f"{url} is no address to fetch from", why=str(error)) from error
    answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=30)
    return answer


def _starts_at(content_range: str | None, have: int) -> bool:
    match = re.fullmatch(r"bytes (\d+)-.*", content_range or "")
    return match is not None and int(match[1]) == have


@contextmanager
def _network_errors(url: str, part: Path) -> Iterator[None]:
    """Turn what the network does into _Interrupted (worth another attempt) or DataError (is not)."""
    try:
        yield
    except urllib.error.HTTPError as error:
        if error.code == 416:  # the half is longer than the file: start over
            part.unlink(missing_ok=True)
        elif error.code not in _TRY_AGAIN:
            raise DataError(
                f"{url}: the server answers {error.code} {error.reason}",
                why="the file has moved, or access is restricted",
                fix="open the address in a browser; another mirror goes with --url",
            ) from error
        raise _Interrupted(f"the server answers {error.code} {error.reason}") from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, (socket.gaierror, ConnectionRefusedError)):
            raise DataError(
                f"cannot reach {urllib.parse.urlparse(url).netloc}",
                why=f"offline, or no such server: {error.reason}",
                fix="connect and run it again, or use the synthetic walker: edgegrf data make",
            ) from error
        raise _Interrupted(str(error.reason)) from error
    except (TimeoutError, ConnectionError, http.client.HTTPException) as error:
        raise _Interrupted(str(error) or type(error).__name__) from error


def _open_part(part: Path, mode: str) -> IO[bytes]:
    try:
        return part.open(mode)
    except OSError as error:
        raise _cannot_write(part, error) from error


def _cannot_write(path: Path, error: OSError) -> OutputError:
    return OutputError(f"cannot write {path}", why=error.strerror or str(error), fix="choose another --to")
