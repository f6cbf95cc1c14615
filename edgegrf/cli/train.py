# SPDX-License-Identifier: Apache-2.0
"""`edgegrf train`: a student learns from walks, alone, and at the end as its int8 model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from edgegrf.cli.console import print_json, progress_bar, say
from edgegrf.cli.learning import learn, learning_options, planned
from edgegrf.errors import UsageError
from edgegrf.resources import shipped_file

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
@click.option("--from", "source", metavar="STUDENT.pt|NAME", help="Start from this student; needs --qat.")
@click.option(
    "--qat",
    type=click.IntRange(min=1),
    metavar="EPOCHS",
    help="Last epochs in which the student computes as its int8 model; the export takes what they leave.",
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
    source: str | None,
    qat: int | None,
    **plan: Any,
) -> int:
    from edgegrf.students import require_torch

    require_torch()
    if source is None:
        name, chosen = planned(**plan)
        return learn(
            name, chosen, data=data, columns=columns, walks=walks, device=device, threads=threads, out=out,
            as_json=as_json, qat=qat or 0,
        )  # fmt: skip
    if not qat:
        raise UsageError("--from needs --qat", fix="edgegrf train --from STUDENT.pt --qat 5")
    given = {key: plan[key] for key in ("rate", "batch", "seed") if plan[key] is not None}
    return _go_on(source, qat, given, data, columns, walks, out, as_json=as_json)


def _go_on(
    source: str,
    epochs: int,
    given: dict[str, Any],
    data: Path | None,
    columns: Path | None,
    walks: int | None,
    out: Path | None,
    *,
    as_json: bool,
) -> int:
    """Epochs with the rounding in place for a student that there is."""
    from edgegrf.cli.learning import tune
    from edgegrf.distill.configuration import changed
    from edgegrf.distill.plans import PLANS
    from edgegrf.distill.settings import Settings
    from edgegrf.gait.choice import choose_walks
    from edgegrf.manifest import Manifest
    from edgegrf.students import load

    checkpoint = Path(source) if Path(source).suffix else shipped_file(source, "student.pt")
    interface, name = load(checkpoint).interface, Manifest.read(checkpoint).name
    settings = changed(PLANS[name].settings if name in PLANS else Settings(), given)
    with progress_bar(quiet=as_json) as progress:
        chosen = choose_walks(interface, data, walks=walks, columns=columns, progress=progress)
        for line in chosen.oddities:
            say(line, quiet=as_json)
        into = (out or Path("build") / name) / "student.pt"
        tuned = tune(
            checkpoint, chosen.recordings, epochs, into, settings, as_json=as_json, progress=progress
        )
    if as_json:
        print_json({**asdict(tuned.manifest), "checkpoint": str(into), "ended": tuned.outcome.ended})
    return 0
