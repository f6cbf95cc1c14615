# SPDX-License-Identifier: Apache-2.0
"""The frame that all pages share: layout.html.j2, its colours for light, dark and paper."""

from __future__ import annotations

from pathlib import Path
from typing import Any

__all__ = ["render"]


def render(template: Path, **words: Any) -> str:
    """The page that `template`, which extends layout.html.j2, makes of `words`; everything is escaped."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader([template.parent, Path(__file__).parent]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template.name).render(**words)
