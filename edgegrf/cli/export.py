# SPDX-License-Identifier: Apache-2.0
"""`edgegrf export`: a student becomes ONNX and an integer `.tflite`."""

from __future__ import annotations

from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import click

from edgegrf.cli.console import print_json, print_table, progress_bar, say
from edgegrf.errors import UsageError
from edgegrf.resources import DEFAULT_STUDENT, shipped_file

if TYPE_CHECKING:
    from edgegrf.export import Exported, Source
    from edgegrf.manifest import Interface

__all__ = ["command"]

_EPILOG = """\b
Examples:
  edgegrf export --quantize int8                     the shipped student, into build/
  edgegrf export --explain --report explain.html     which layers cost accuracy
  edgegrf export --quantize int16x8                  16-bit activations: slower, next to nothing lost
  edgegrf export my/student.pt --data my/walks       your own, calibrated on your walks
  edgegrf export net.onnx --sensors s1,s3,s4,s7 --rate 100 --window 200
"""


_SHOWN = 15  # of the costs, in the terminal
_CHECKPOINTS = (".pt", ".pth", ".safetensors")


def _names(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in value.split(",") if name.strip()) if value else ()


@click.command(epilog=_EPILOG)
@click.argument("student", default=DEFAULT_STUDENT, metavar="[STUDENT.pt|MODEL.onnx|NAME]")
@click.option("--quantize", type=click.Choice(["int8", "int16x8", "none"]), default="int8", show_default=True)
@click.option("--data", type=click.Path(path_type=Path), help="Walks to calibrate and measure on.")
@click.option("--columns", type=click.Path(path_type=Path), help="Column map of CSV files.")
@click.option("--calibration", default="auto", show_default=True, help="auto, minmax, mse or percentile.")
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder for the files.  [default: beside a checkpoint, else build/NAME]",
)
@click.option("--sensors", callback=_names, help="Of a foreign ONNX: its sensors, in order.")
@click.option("--outputs", callback=_names, default="vertical_force", help="Of a foreign ONNX: its forces.")
@click.option("--unit", default="BW", show_default=True, help="Of a foreign ONNX: N, BW, kPa or raw.")
@click.option("--rate", type=float, help="Of a foreign ONNX: samples per second.")
@click.option("--window", type=int, help="Of a foreign ONNX with an open time axis: samples.")
@click.option("--lookahead", type=int, help="Of a foreign ONNX: samples, -1 for whole windows; measured.")
@click.option("--explain", "explained", is_flag=True, help="Say which layers cost accuracy, and what to try.")
@click.option("--report", type=click.Path(path_type=Path), help="With --explain: a page of it, HTML.")
@click.option(
    "--cross-check",
    "other",
    type=click.Choice(["tensorflow"]),
    help="The same model by that converter, beside ours.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def command(
    student: str,
    quantize: str,
    data: Path | None,
    columns: Path | None,
    calibration: str,
    folder: Path | None,
    explained: bool,
    report: Path | None,
    other: str | None,
    as_json: bool,
    **foreign: Any,
) -> int:
    """Turn a student into ONNX and an integer .tflite, each with its manifest.

    STUDENT is a checkpoint, an ONNX file from anywhere, or the name of a shipped student.
    """
    started = perf_counter()
    from edgegrf.distill.card import has_card, write_card
    from edgegrf.export import export_model
    from edgegrf.parity.onnx_int8 import run_tflm

    source = _source(student, foreign)
    beside = Path(student).suffix in _CHECKPOINTS
    folder = folder or (Path(student).parent if beside else Path("build") / source.name)
    carded = beside and folder == Path(student).parent and has_card(Path(student))
    with progress_bar(quiet=as_json) as progress:
        exported = export_model(
            source,
            folder,
            run=run_tflm,
            data=data,
            columns=columns,
            calibration=calibration,
            quantize=quantize,
            explained=explained or report is not None,
            cross_checked=other is not None,
            progress=progress,
        )
    if carded:
        write_card(Path(student))
    if exported.synthetic:
        say(f"NOTE: calibrated and measured on {exported.data}")
    for line in exported.oddities:
        say(line, quiet=as_json)
    record = exported.as_json() | {"seconds": round(perf_counter() - started, 2)}
    if as_json:
        print_json(record)
    else:
        _show(source, exported, record)
        if beside and exported.tflite:
            given = "".join(
                f" --{key} {path}" for key, path in (("data", data), ("columns", columns)) if path
            )
            say(f"next: edgegrf bench --model {exported.tflite} --port virtual:nrf52840dk{given}")
        if "cross_check" in record:
            _show_other(exported, record)
        if "explain" in record:
            _show_explanation(source.name, record["explain"])
    if report:
        from edgegrf.explain import write_explain_page

        write_explain_page(source.name, exported.data, record["explain"], report)
        say(f"report: {report}", quiet=as_json)
    return 0


def _show_other(exported: Exported, record: dict[str, Any]) -> None:
    """Ours and the other converter's, side by side."""
    other, base = record["cross_check"], record["float_rmse_bw"]

    def row(tool: str, error: float | None, operators: dict[str, int], size: int) -> tuple[str, ...]:
        against = "" if error is None else f"{100 * (error / base - 1):+z.2f} %"
        told = "" if error is None else f"{error:.5f} BW"
        return tool, told, against, str(sum(operators.values()) or ""), f"{size} bytes"

    assert exported.tflite is not None
    ours = record[f"{exported.scheme}_rmse_bw"]
    rows = [
        row("edgegrf", ours, record["operators"], exported.tflite.stat().st_size),
        row(other["tool"], other["rmse_bw"], other["operators"], other["bytes"]),
    ]
    print_table("cross-check", ("converter", "RMSE", "against float", "operators", "size"), rows)
    if other["note"]:
        click.echo(f"  {other['note']}")


def _show_explanation(name: str, record: dict[str, Any]) -> None:
    from edgegrf.explain import COLUMNS, headline, rows, totals

    print_table(headline(name, record), COLUMNS, rows(record, _SHOWN))
    print_table("together", ("rounded", "RMSE", "increase"), totals(record))
    for line in record["advice"]:
        click.echo(f"  {line}")


def _source(student: str, foreign: dict[str, Any]) -> Source:
    from edgegrf.export import from_checkpoint, from_onnx

    path = Path(student)
    if path.suffix == ".onnx":
        return from_onnx(path, _interface(path, foreign), open_lookahead=_is_open(foreign))
    if path.suffix in _CHECKPOINTS:
        return from_checkpoint(path)
    if path.suffix or path.exists():
        raise UsageError(
            f"{student} is neither a checkpoint nor an ONNX file",
            why="known: .pt, .safetensors, .onnx",
            fix="give such a file, or the name of a shipped student",
        )
    return from_checkpoint(shipped_file(student, "student.pt"))


def _is_open(foreign: dict[str, Any]) -> bool:
    """True if the options describe a foreign ONNX file, but not how far it looks ahead."""
    return bool(foreign["sensors"]) and foreign["lookahead"] is None


def _interface(path: Path, foreign: dict[str, Any]) -> Interface | None:
    """What the options say of a foreign ONNX file; None if they say nothing."""
    from edgegrf.manifest import Interface

    if not foreign["sensors"]:
        return None
    if not foreign["rate"] or not foreign["window"]:
        raise UsageError(
            f"{path}: --sensors needs --rate and --window beside it",
            fix="edgegrf export net.onnx --sensors s1,s3,s4,s7 --rate 100 --window 200",
        )
    return Interface(
        sensors=foreign["sensors"],
        sensor_unit=foreign["unit"],
        outputs=foreign["outputs"],
        output_unit="BW",
        sample_rate_hz=foreign["rate"],
        window=foreign["window"],
        lookahead=foreign["lookahead"] or 0,
    )


def _show(source: Source, exported: Exported, record: dict[str, Any]) -> None:
    rows: list[tuple[str, str]] = [(name, f"{size} bytes") for name, size in record["bytes"].items()]
    rows.append(("operators", ", ".join(f"{count} {kind}" for kind, count in exported.operators.items())))
    rows += [
        (f"{kind} RMSE", f"{record[f'{kind}_rmse_bw']:.4f} BW = {record[f'{kind}_rmse_n']:.1f} N")
        for kind in ("float", "int8", "int16x8")
        if f"{kind}_rmse_bw" in record
    ]
    if exported.calibration:
        loss = record[f"{exported.scheme}_rmse_bw"] / record["float_rmse_bw"] - 1
        rows.append(
            (f"{exported.scheme} against float", f"{100 * loss:+z.2f} % ({exported.calibration} ranges)")
        )
    rows.append(("measured on", f"{record['samples']} samples, {exported.data}"))
    rows.append(("time", f"{record['seconds']:.1f} s"))
    print_table(f"{source.name} -> {exported.onnx.parent}", ("what", "value"), rows)
