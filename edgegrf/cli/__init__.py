# SPDX-License-Identifier: Apache-2.0
"""The command line: a table of commands, each imported only when it runs."""

from edgegrf.cli.main import main

__all__ = ["main"]
