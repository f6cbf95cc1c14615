# SPDX-License-Identifier: Apache-2.0
"""The command table, and the one place where an error becomes text and an exit code."""

from __future__ import annotations

import sys
from importlib import import_module

import click

from edgegrf import __version__
from edgegrf.errors import EdgegrfError

__all__ = ["COMMANDS", "main"]

#: command -> one line of help; the command itself is `command` in edgegrf/cli/<name>.py
COMMANDS = {
    "train": "Train a student on walks.",
    "distill": "Train a student with a teacher, by a recipe.",
    "sweep": "Train recipes x students x seeds x folds; error against cost.",
    "export": "Turn a student into ONNX and an int8 .tflite.",
    "verify": "Prove the chain torch = ONNX ~ int8 = C = board, link by link.",
    "compile": "Turn an int8 .tflite into C: window mode and stream mode.",
    "build": "Build the firmware image of a board with a model inside.",
    "flash": "Write a firmware image to a board.",
    "bench": "Measure latency, accuracy and parity on a board.",
    "stress": "Show how the error grows when the insole misbehaves.",
    "profile": "Show what each layer costs on a virtual board.",
    "calibrate": "Fit a board's sensors to their wearer, and keep that on the board.",
    "personalise": "Fit a model to its wearer from a minute of walking, and put that on the board.",
    "live": "Stream pressure and force from a board as it happens.",
    "data": "Fetch, check and make walks.",
    "boards": "List boards, known and plugged in; serve a virtual one.",
    "doctor": "Say what is installed and what is missing.",
}


class _Table(click.Group):
    """A group that imports a command's module only when that command is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"edgegrf.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands, in the order of the work"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(
    cls=_Table,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="A first run: edgegrf export --quantize int8 && edgegrf bench",
)
@click.version_option(__version__, prog_name="edgegrf")
def _edgegrf() -> None:
    """From a PyTorch gait student to a measured int8 model on a microcontroller."""


def main() -> None:
    """Run the command line; exit codes: 0 done, 1 the answer is no, 2 usage, 3 device, 4 tool, 130 Ctrl-C."""
    try:
        code = _edgegrf.main(standalone_mode=False)
    except click.exceptions.Abort:
        click.echo("stopped", err=True)
        sys.exit(130)
    except KeyboardInterrupt:
        click.echo("stopped", err=True)
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except EdgegrfError as error:
        click.echo("edgegrf: " + "\n  ".join(error.lines()), err=True)
        sys.exit(error.exit_code)
    sys.exit(code if isinstance(code, int) else 0)
