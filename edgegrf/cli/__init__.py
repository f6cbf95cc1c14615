# SPDX-License-Identifier: Apache-2.0
"""The command line: a table of commands, each imported only when it runs."""

import sys

__all__ = ["main"]


def main() -> None:
    """Run the command line; Ctrl-C ends with exit code 130 from the first import on."""
    try:
        from edgegrf.cli.table import main as run
    except KeyboardInterrupt:
        sys.exit(130)
    run()
