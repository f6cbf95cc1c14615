# SPDX-License-Identifier: Apache-2.0
"""The flasher without a board: the image as a file, for another tool or another computer to write."""

from __future__ import annotations

from edgegrf.errors import UsageError
from edgegrf.files import write_file
from edgegrf.flash.job import FlashJob
from edgegrf.image.formats import to_binary, to_hex, to_uf2

__all__ = ["find", "write"]


def find(job: FlashJob) -> list[str]:
    """The file that was named."""
    return [str(job.to)] if job.to else []


def write(job: FlashJob) -> str:
    """Write the image to `job.to`, in the format of its suffix: .hex, .bin or .uf2."""
    if job.to is None:
        raise UsageError("no file named to write the image to", fix="--via file --to firmware.hex")
    if job.to.suffix == ".uf2" and job.board.uf2_family is not None:
        write_file(job.to, to_uf2(job.segments, job.board.uf2_family))
    elif job.to.suffix == ".hex":
        write_file(job.to, to_hex(job.segments))
    elif job.to.suffix == ".bin":
        write_file(job.to, to_binary(job.segments)[1])
    else:
        raise UsageError(
            f"{job.board.name} has no image format '{job.to.suffix}'",
            fix="name a file that ends in .hex or .bin" + (" or .uf2" if job.board.uf2_family else ""),
        )
    return str(job.to)
