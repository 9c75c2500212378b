"""The page that a local Galaxy opens with."""

from __future__ import annotations

import json
import re
from pathlib import Path

from local.accounts import workflow_files
from local.configuration import our_tools
from local.welcome import welcome_page


def named_in(page: str) -> list[str]:
    """What the page lists by name, in any place."""
    return re.findall(r"<li><strong>([^<]+)</strong>: \S", page)


def test_every_tool_and_workflow_is_on_the_first_page() -> None:
    page = welcome_page(our_tools().values(), workflow_files())
    tools = [re.findall(r'<tool id="\w+" name="([^"]+)"', path.read_text(encoding="utf-8"))[0] for path in our_tools().values()]
    workflows = [json.loads(path.read_text(encoding="utf-8"))["name"] for path in workflow_files()]
    assert named_in(page) == [*workflows, *tools]
    assert "<!--" not in page


def test_what_the_page_advises_is_the_name_of_something_that_is_there() -> None:
    page = welcome_page(our_tools().values(), workflow_files())
    steps = page[page.index("<ol>") : page.index("</ol>")]
    advised = {
        name
        for name in re.findall(r"<em>([^<]+)</em>", steps)
        if any(word in name for word in ("microscopy images", "metadata", "IDR", "BioImage", "Describe"))
    }
    assert len(advised) == len(our_tools())
    assert advised <= set(named_in(page))


def test_names_are_written_so_that_they_are_shown_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "lm_a.xml").write_text('<tool id="lm_a" name="A &lt;b&gt; &amp; c"><description>x &lt; y</description></tool>')
    assert "<li><strong>A &lt;b&gt; &amp; c</strong>: x &lt; y</li>" in welcome_page([tmp_path / "lm_a.xml"], [])
