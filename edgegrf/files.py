# SPDX-License-Identifier: Apache-2.0
"""Writing so that a file is whole or absent: aside first, then renamed; and hashing what was read."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from edgegrf.errors import OutputError

__all__ = ["check_writable", "filled_folder", "new_folder", "sha256_file", "write_file"]


def sha256_file(path: Path) -> str:
    """SHA-256 of a file's bytes, as lower-case hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_file(path: Path, data: bytes | str) -> None:
    """Write `data` to `path` whole or not at all; raises OutputError."""
    raw = data.encode() if isinstance(data, str) else data
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _refused(path, error) from error
    aside = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(raw)
        aside.chmod(0o644)
        aside.replace(path)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        aside.unlink(missing_ok=True)


def check_writable(folder: Path) -> None:
    """Raise OutputError if nothing could be written in `folder`, which is not made for that."""
    try:
        nearest = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        with tempfile.TemporaryFile(dir=nearest):
            pass
    except OSError as error:
        raise _refused(folder, error) from error


@contextlib.contextmanager
def filled_folder(path: Path) -> Iterator[None]:
    """Makes `path`; if the block leaves it empty, it goes again with those above it that were made."""
    made = [place for place in (path, *path.absolute().parents) if not place.exists()]
    try:
        path.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for place in made:
            with contextlib.suppress(OSError):  # not empty, or never made
                place.rmdir()


@contextlib.contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, moved to `path` (replacing what was there) only if the block ends well."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        aside.chmod(0o755)
    except OSError as error:
        raise _refused(path, error) from error
    try:
        yield aside
        _swap(aside, path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _swap(aside: Path, path: Path) -> None:
    old = path.with_name(f".{path.name}.old-{os.getpid()}")
    try:
        if path.exists():
            path.rename(old)
        aside.rename(path)
    except OSError as error:
        raise _refused(path, error) from error
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _refused(path: Path, error: OSError) -> OutputError:
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    return OutputError(
        f"cannot write {path}",
        why=error.strerror or str(error),
        fix=("make room there, or " if full else "") + "choose another place with -o",
    )
