# SPDX-License-Identifier: Apache-2.0
"""`edgegrf verify`: the chain of proof from torch to the board, link by link."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.cli.model import model_argument, model_name
from edgegrf.errors import CheckFailedError
from edgegrf.resources import MODEL_FILE, shipped_file, shipped_students

if TYPE_CHECKING:
    from edgegrf.parity.link import LinkResult

__all__ = ["command"]

_EPILOG = """\b
Examples:
  edgegrf verify                                    the shipped default student
  edgegrf verify --all                              every shipped student
  edgegrf verify build/mine/student_int8.tflite     your own
  edgegrf verify --mode stream --port none          the stream alone, no board
  edgegrf verify --port /dev/ttyACM0                the last link on a real board
"""


@click.command(epilog=_EPILOG)
@model_argument
@click.option("--all", "everything", is_flag=True, help="Verify every shipped student.")
@click.option("--data", type=click.Path(path_type=Path), help="Walks [default: EDGEGRF_DATA, else fetched "
              "gaitpdb, else synthetic].")  # fmt: skip
@click.option("--columns", type=click.Path(path_type=Path), help="Column map of CSV files.")
@click.option("--outputs", type=click.IntRange(1), default=100_000, show_default=True,
              help="Estimates that each integer link compares at least.")  # fmt: skip
@click.option("--mode", type=click.Choice(["window", "stream"]), help="One mode of the integer links "
              "[default: all that the model has].")  # fmt: skip
@click.option("--port", default="virtual:nrf52840dk", show_default=True,
              help="The board of the last link, as in bench; 'none' leaves it out.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print the links as JSON.")
def command(
    model: Path,
    everything: bool,
    data: Path | None,
    columns: Path | None,
    outputs: int,
    mode: str | None,
    port: str,
    as_json: bool,
) -> int:
    """Prove that torch = ONNX, ONNX ~ int8, TFLM = C on the host, and C on the host = C on a board.

    Integer links must agree on every bit of every estimate. Without a manifest beside the model, random
    bits stand in for walks. Exit code 1 when a link breaks.
    """
    records = []
    for name, tflite in _shipped().items() if everything else ((model_name(model), model),):
        board = None if port == "none" else port
        links = _links(tflite, as_json, data=data, columns=columns, outputs=outputs, mode=mode, port=board)
        oddities = list(dict.fromkeys(line for link in links for line in link.oddities))
        records.append({"model": name, "ok": all(link.ok for link in links),
                        "links": [link.as_json() for link in links], "oddities": oddities})  # fmt: skip
        for line in oddities:
            say(line, quiet=as_json)
        if not as_json:
            _show(name, links)
    broken = [record["model"] for record in records if not record["ok"]]
    if as_json:
        one = {key: value for key, value in records[0].items() if key != "model"}
        print_json({"ok": not broken, "models": records} if everything else one)
    if broken:
        raise CheckFailedError(
            f"the chain is broken for {', '.join(map(str, broken))}", why="a link above has mismatches"
        )
    return 0


def _shipped() -> dict[str, Path]:
    return {name: shipped_file(name, MODEL_FILE) for name in shipped_students()}


def _links(tflite: Path, quiet: bool, **options: Any) -> list[LinkResult]:
    from edgegrf.parity.chain import verify_chain
    from edgegrf.parity.files import find_chain

    chain = find_chain(tflite)
    for missing in chain.missing:
        say(f"{tflite}: {missing} was not found; its link is left out", quiet=quiet)
    with progress_bar(quiet=quiet) as progress:
        return list(verify_chain(chain, progress=progress, **options))


def _difference(link: LinkResult) -> str:
    """What the tolerance is of: the largest difference, or how much larger the RMSE is."""
    if link.increase is not None:
        return f"RMSE {100 * link.increase:+.1f} %"
    return f"{link.max_lsb} LSB" if link.max_abs is None else f"{link.max_abs:.2g} {link.unit}"


def _show(name: str, links: list[LinkResult]) -> None:
    rows = [
        (
            f"{link.source} {'=' if link.increase is None else '~'} {link.target}",
            link.mode,
            f"{link.outputs:,}".replace(",", " "),
            link.mismatches,
            _difference(link),
        )
        for link in links
    ]
    print_table(name, ("link", "mode", "estimates", "outside", "difference"), rows)
    for note in dict.fromkeys(link.note for link in links if link.note):
        click.echo(f"  {note}")
