# SPDX-License-Identifier: Apache-2.0
"""`edgegrf train`: a student learns from walks, alone."""

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
    out: Path | None,
    as_json: bool,
    **plan: Any,
) -> int:
    from edgegrf.students import require_torch

    require_torch()
    name, chosen = planned(**plan)
    return learn(
        name, chosen, data=data, columns=columns, walks=walks, device=device, threads=threads, out=out,
        as_json=as_json,
    )  # fmt: skip
