# SPDX-License-Identifier: Apache-2.0
"""`edgegrf train`: a student learns from walks, alone, and at the end as its int8 model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from edgegrf.cli.learning import learn, learning_options, planned

__all__ = ["command"]

EXAMPLES = """\b
Examples:
  edgegrf train                                        the default student, on the walks at hand
  edgegrf train --data walks.npz --seed 2 -o build/mine
  edgegrf train --student insole4-gru32 --data gaitpdb
  edgegrf train --architecture dstcn --hyper channels=24 --hyper dilations=[2,4,8,16]
  edgegrf train --architecture tcn --hyper channels=64 --lookahead 30      a teacher that looks ahead
  edgegrf train --architecture mynets.small:Net        your own torch class
  edgegrf train --qat 5                                and five epochs with the rounding to int8 in place
  edgegrf train --from build/mine/student.pt --qat 5   only those, of a student that there is
"""


@click.command(
    epilog=EXAMPLES,
    help="Train a student on walks and write its checkpoint, manifest, log and card. "
    "Ctrl-C keeps the best weights so far, marked as partial (exit 130); the same command goes on.",
)
@learning_options
def command(
    data: Path | None,
    columns: Path | None,
    walks: int | None,
    device: str,
    threads: int | None,
    tensorboard: Path | None,
    out: Path | None,
    as_json: bool,
    **plan: Any,
) -> int:
    from edgegrf.students import require_torch

    require_torch()
    return learn(
        planned(**plan), data=data, columns=columns, walks=walks, device=device, threads=threads,
        tensorboard=tensorboard, out=out, as_json=as_json,
    )  # fmt: skip
