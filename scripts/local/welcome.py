"""The page that opens in the middle of a local Galaxy."""

from __future__ import annotations

import html
import json
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

if TYPE_CHECKING:
    from collections.abc import Iterable

_PAGE = Path(__file__).with_name("welcome.html")


def welcome_page(tools: Iterable[Path], workflows: Iterable[Path]) -> str:
    """Return the HTML of the page, with every tool and workflow under its own name.

    Parameters
    ----------
    tools
        XML files of tools.
    workflows
        ``.ga`` files.
    """
    page = _PAGE.read_text(encoding="utf-8")
    return page.replace("<!-- tools -->", _items(map(_tool, tools))).replace("<!-- workflows -->", _items(map(_workflow, workflows)))


def _tool(path: Path) -> tuple[str, str]:
    root = ElementTree.parse(path).getroot()  # noqa: S314
    return root.get("name", path.stem), (root.findtext("description") or "").strip()


def _workflow(path: Path) -> tuple[str, str]:
    workflow = json.loads(path.read_text(encoding="utf-8"))
    return workflow["name"], workflow.get("annotation", "")


def _items(named: Iterable[tuple[str, str]]) -> str:
    return "\n".join(f"<li><strong>{html.escape(name)}</strong>: {html.escape(text)}</li>" for name, text in named)
