# SPDX-License-Identifier: Apache-2.0
"""`edgegrf data`: fetch, check and make walks."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say

if TYPE_CHECKING:
    from edgegrf.gait.readers.format import Walk

__all__ = ["command"]

_MOST_LINES = 12


EXAMPLES = """\b
Examples:
  edgegrf data fetch gaitpdb
  edgegrf data check walks/
  edgegrf data make -o walks/
"""


@click.group(epilog=EXAMPLES)
def command() -> None:
    """Fetch, check and make walks."""


@command.command(epilog="Example: edgegrf data fetch gaitpdb --to ~/gaitpdb")
@click.argument("name", type=click.Choice(["gaitpdb"]))
@click.option("--to", type=click.Path(path_type=Path), help="Where to put it [default: the cache].")
@click.option("--url", help="Another server with the same files.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def fetch(name: str, to: Path | None, url: str | None, as_json: bool) -> None:
    """Bring a public data set here: 306 walks of gaitpdb from PhysioNet, about 300 MB.

    Files that are here already and right are kept, interrupted ones resumed, and each is checked
    against the published SHA-256.
    """
    from edgegrf.gait.fetch import GAITPDB_NOTICE, GAITPDB_URL, fetch_gaitpdb
    from edgegrf.resources import cache_folder

    with progress_bar(quiet=as_json) as progress:
        done = fetch_gaitpdb(to or cache_folder() / name, url=url or GAITPDB_URL, progress=progress)
    if as_json:
        print_json(asdict(done))
        return
    say(f"{done.files} files in {done.folder}: {done.kept} were there, {done.received_bytes} bytes came")
    say(GAITPDB_NOTICE)


@command.command(epilog="Example: edgegrf data check walks/ --columns insole.toml --json")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--columns", type=click.Path(path_type=Path), help="Column map of CSV files.")
@click.option("--walks", type=click.IntRange(1), help="Look at the first N walks only.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def check(path: Path, columns: Path | None, walks: int | None, as_json: bool) -> None:
    """Say what is in PATH, a file or folder of walks, and what is odd about it.

    Exit code 1 when some of a folder's files cannot be read.
    """
    from edgegrf.gait.summary import look_at, summary

    with progress_bar(quiet=as_json) as progress:
        recordings, refused = look_at(path, limit=walks, columns=columns, progress=progress)
    found = {"path": str(path), **summary(recordings), "refused": [error.lines() for error in refused]}
    if as_json:
        print_json(found)
    else:
        _show(found, recordings)
    if refused:
        click.get_current_context().exit(1)


def _show(found: dict[str, Any], recordings: Any) -> None:
    from edgegrf.gait.validation import oddity_lines

    weights = " to ".join(f"{value:.0f} N" for value in sorted({*found["body_weight_n"]})) or "unknown"
    seconds = " to ".join(f"{value:.1f} s" for value in sorted({*found["seconds"]}))
    sensors = "; ".join(_some(names) for names in found["sensors"])
    rows = [
        ("walks (recordings)", f"{found['walks']} ({found['recordings']})"),
        ("subjects (held out)", f"{found['subjects']} ({found['validation_subjects']})"),
        ("sensors of a foot", sensors),
        ("unit", ", ".join(found["units"])),
        ("sample rate", ", ".join(f"{rate:g} Hz" for rate in found["sample_rate_hz"])),
        ("duration", seconds),
        ("force", f"{', '.join(found['force']) or 'none'}"),
        ("measured by", "; ".join(found["force_sources"]) or "-"),
        ("body weight as shown", weights),
        ("synthetic recordings", found["synthetic"]),
    ]
    print_table(str(found["path"]), ("what", "found"), rows)
    for line in oddity_lines(recordings)[:_MOST_LINES]:
        say(line)
    for lines in found["refused"][:_MOST_LINES]:
        say("refused: " + "\n  ".join(lines))


def _some(names: list[str]) -> str:
    return " ".join(names) if len(names) <= _MOST_LINES else f"{names[0]} ... {names[-1]} ({len(names)})"


@command.command(epilog="Example: edgegrf data make -o walks/ --walks 3 --speed 1.6 --plot walk.svg")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True,
    help="A .npz file, or a folder of CSV files with their column maps.",
)  # fmt: skip
@click.option("--walks", type=click.IntRange(1, 10000), default=1, show_default=True, help="How many.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Of the first walk.")
@click.option("--speed", type=float, default=1.3, show_default=True, help="In m/s, 0.8 to 2.0.")
@click.option("--seconds", type=float, default=30.0, show_default=True, help="Length of a walk.")
@click.option("--rate", type=float, default=100.0, show_default=True, help="Samples a second.")
@click.option("--layout", default="gaitpdb8", show_default=True, help="gaitpdb8 or matrix16x8.")
@click.option("--mass", type=click.FloatRange(15, 250), help="Body mass in kg [default: by the seed].")
@click.option("--clean", is_flag=True, help="A perfect insole: no noise, drift, hysteresis, crosstalk.")
@click.option("--dead", multiple=True, help="A sensor that reads 0; may be given again.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the first walk (.svg, .png, .pdf).")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def make(output: Path, walks: int, seed: int, plot: Path | None, as_json: bool, **wish: Any) -> None:
    """Write walks of the synthetic walker; they are marked as synthetic wherever they go."""
    from edgegrf.gait.plot import plot_walk
    from edgegrf.gait.walker import CLEAN, MILD, walk

    faults = replace(CLEAN if wish["clean"] else MILD, dead=tuple(wish["dead"]))
    made = []
    with progress_bar(quiet=as_json) as progress:
        for number in range(walks):
            progress("make walks", number, walks)
            made.append(
                walk(
                    seed + number,
                    speed_mps=wish["speed"],
                    duration_s=wish["seconds"],
                    layout=wish["layout"],
                    sample_rate_hz=wish["rate"],
                    body_mass_kg=wish["mass"],
                    faults=faults,
                )
            )
        files = _write(output, made)
    if plot is not None:
        plot_walk(plot, made[0])
        files.append(plot)
    if as_json:
        print_json({"synthetic": True, "walks": walks, "files": [str(file) for file in files]})
    else:
        say(f"{walks} synthetic walk{'s' if walks > 1 else ''}: {', '.join(map(str, files[:4]))}")


def _write(output: Path, walks: list[Walk]) -> list[Path]:
    from edgegrf.gait.readers.archive import write_archive
    from edgegrf.gait.writing import write_csv

    if output.suffix == ".npz":
        write_archive(output, walks)
        return [output]
    files = []
    for feet in walks:
        files.append(output / f"{feet[0].name.rpartition('/')[0]}.csv")
        write_csv(files[-1], feet)
    return files
