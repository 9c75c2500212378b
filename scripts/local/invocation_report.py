"""The report of an invocation as one page that needs no Galaxy: pictures and tables inside, files linked."""

from __future__ import annotations

import base64
import csv
import html
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from bioblend.galaxy import GalaxyInstance

# A directive is one call on a line of its own in a fence of its own.
_FENCE = re.compile(r"^```\s*galaxy\s*\n(.*?)^```\s*$", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"(\w+)\((.*)\)", re.DOTALL)
_ARGUMENT = re.compile(r"(\w+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^,\s)]+))")
PICTURES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".svg": "image/svg+xml"}
MAX_ROWS = 500
MAX_TEXT = 20_000
MAX_PAGE = 5 << 20
SHORT_PAGE = 8_000

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 system-ui, sans-serif; color: #1c2430; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }}
h1, h2, h3 {{ line-height: 1.2; margin-top: 2em; }}
h1 {{ margin-top: 0; }}
img {{ max-width: 100%; height: auto; }}
.wide {{ overflow-x: auto; }}
iframe {{ width: 100%; height: 45rem; resize: vertical; border: 1px solid #d7dce2; }}
iframe.short {{ height: 30rem; }}
table {{ border-collapse: collapse; font-size: .875rem; }}
th, td {{ text-align: left; vertical-align: top; padding: .35rem .7rem; border-bottom: 1px solid #d7dce2; }}
th {{ background: #f2f4f7; }}
pre {{ overflow-x: auto; background: #f2f4f7; padding: .7rem; }}
summary {{ cursor: pointer; font-weight: 600; }}
.note, footer {{ color: #5a6472; }}
</style>
</head>
<body>
{body}
<footer><p>{footer}</p></footer>
</body>
</html>
"""


@dataclass(frozen=True)
class ReportContext:
    """What the directives of one report can refer to.

    Attributes
    ----------
    folder
        Where the results are; links are relative to it.
    report
        Galaxy's answer to ``/api/invocations/{id}/report``.
    invocation, workflow
        Galaxy's records.
    saved
        Saved files by output label.
    """

    folder: Path
    report: dict[str, Any]
    invocation: dict[str, Any]
    workflow: dict[str, Any]
    saved: dict[str, list[Path]] = field(default_factory=dict)


def save_report(galaxy: GalaxyInstance, invocation: dict[str, Any], folder: Path, saved: dict[str, list[Path]]) -> None:
    """Write ``report.html``, for reading and sending on."""
    report = galaxy.invocations.get_invocation_report(invocation["id"])
    workflow = galaxy.workflows.show_workflow(invocation["workflow_id"], instance=True)
    context = ReportContext(folder, report, invocation, workflow, saved)
    (folder / "report.html").write_text(render(context), encoding="utf-8")


def render(context: ReportContext) -> str:
    """Return the whole page."""
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")
    parts, end = [], 0
    text = context.report["markdown"]
    for fence in _FENCE.finditer(text):
        parts.append(markdown.render(text[end : fence.start()]))
        parts.append(_directive(fence[1], context))
        end = fence.end()
    parts.append(markdown.render(text[end:]))
    title = context.report.get("title") or context.workflow["name"]
    made = f"Galaxy {context.report.get('generate_version', '')}, {str(context.report.get('generate_time', ''))[:19].replace('T', ' ')} UTC"
    return _PAGE.format(title=html.escape(title), body="\n".join(parts), footer=html.escape(made))


def _directive(text: str, context: ReportContext) -> str:
    call = _CALL.search(text)
    if call is None:
        return f"<pre>{html.escape(text)}</pre>"
    arguments = {name: double or single or bare for name, double, single, bare in _ARGUMENT.findall(call[2])}
    writer = _WRITERS.get(call[1])
    if writer is None:
        return f'<p class="note">This part of the report ({html.escape(call[1])}) can be seen in Galaxy only.</p>'
    written = writer(arguments, context)
    if "collapse" in arguments and _files(arguments, context):
        return f"<details open><summary>{html.escape(arguments['collapse'])}</summary>\n{written}\n</details>"
    return written


def _files(arguments: dict[str, str], context: ReportContext) -> list[Path]:
    return context.saved.get(arguments.get("output", ""), [])


def _missing(arguments: dict[str, str]) -> str:
    return f'<p class="note">“{html.escape(arguments.get("output") or arguments.get("input") or "this")}” is not among the saved results.</p>'


def _link(path: Path, context: ReportContext) -> str:
    name = path.relative_to(context.folder).as_posix()
    return f'<a href="{quote(name)}">{html.escape(name)}</a>'


def _image(arguments: dict[str, str], context: ReportContext) -> str:
    parts = []
    for path in _files(arguments, context):
        kind = PICTURES.get(path.suffix.lower())
        if kind:
            data = base64.b64encode(path.read_bytes()).decode()
            parts.append(f'<p><img src="data:{kind};base64,{data}" alt="{html.escape(arguments.get("output", path.name))}"></p>')
    return "\n".join(parts) or _missing(arguments)


def _table(arguments: dict[str, str], context: ReportContext) -> str:
    paths = _files(arguments, context)
    if not paths:
        return _missing(arguments)
    with paths[0].open(encoding="utf-8", errors="replace", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows:
        return f'<p class="note">{_link(paths[0], context)} is empty.</p>'
    # Columns that say nothing here would only push the others off the page.
    filled = [number for number in range(len(rows[0])) if len(rows) == 1 or any(number < len(row) and row[number] for row in rows[1:])]
    head = "".join(f"<th>{html.escape(rows[0][number])}</th>" for number in filled)
    body = "\n".join(
        "<tr>" + "".join(f"<td>{_cell(row[number] if number < len(row) else '')}</td>" for number in filled) + "</tr>"
        for row in rows[1 : MAX_ROWS + 1]
    )
    more = f'<p class="note">{len(rows) - 1 - MAX_ROWS} more lines in {_link(paths[0], context)}.</p>' if len(rows) - 1 > MAX_ROWS else ""
    title = f"<p><strong>{html.escape(arguments['title'])}</strong></p>" if arguments.get("title") else ""
    return f'{title}<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}\n</tbody></table></div>{more}'


def _cell(text: str) -> str:
    if re.fullmatch(r"https?://\S+", text):
        return f'<a href="{html.escape(text)}" rel="noreferrer">{html.escape(text.partition("://")[2].partition("/")[0])}</a>'
    return html.escape(text)


def _display(arguments: dict[str, str], context: ReportContext) -> str:
    paths = _files(arguments, context)
    if not paths:
        return _missing(arguments)
    path = paths[0]
    if path.suffix.lower() in PICTURES:
        return _image(arguments, context)
    if path.suffix.lower() in {".tsv", ".tabular"}:
        return _table(arguments, context)
    if path.is_file() and path.suffix.lower() in {".txt", ".json", ".md", ".csv"}:
        return f"<pre>{html.escape(path.read_text(encoding='utf-8', errors='replace')[:MAX_TEXT])}</pre>"
    if path.suffix.lower() == ".html" and path.stat().st_size <= MAX_PAGE:
        return f"{_frame(path, arguments.get('output', path.name))}\n<p>{_link(path, context)}</p>"
    return f"<p>{_link(path, context)}</p>"


def _frame(path: Path, title: str) -> str:
    """Show a page inside this one.

    Sandboxed, and under the policy of the page around it: it can run nothing and load nothing. A link in it opens a tab of its
    own, since it could not open in the frame.
    """
    page = path.read_text(encoding="utf-8", errors="replace")
    short = ' class="short"' if len(page) <= SHORT_PAGE else ""
    page = page.replace("<head>", '<head><base target="_blank">', 1)
    sandbox = "allow-popups allow-popups-to-escape-sandbox"
    return f'<iframe sandbox="{sandbox}"{short} title="{html.escape(title)}" srcdoc="{html.escape(page)}"></iframe>'


def _links(arguments: dict[str, str], context: ReportContext) -> str:
    paths = _files(arguments, context)
    if len(paths) == 1 and arguments.get("label"):
        return f'<p><a href="{quote(paths[0].relative_to(context.folder).as_posix())}">{html.escape(arguments["label"])}</a></p>'
    return _list([_link(path, context) for path in paths]) if paths else _missing(arguments)


def _list(items: list[str]) -> str:
    return "<ul>\n" + "\n".join(f"<li>{item}</li>" for item in items) + "\n</ul>"


def _inputs(_: dict[str, str], context: ReportContext) -> str:
    given = [*context.invocation.get("inputs", {}).values(), *context.invocation.get("input_step_parameters", {}).values()]
    items = []
    for entry in given:
        value = entry.get("parameter_value", entry.get("name"))
        items.append(
            html.escape(str(entry.get("label") or "input")) + (f": {html.escape(str(value))}" if value not in {None, entry.get("label")} else "")
        )
    return _list(items)


def _outputs(_: dict[str, str], context: ReportContext) -> str:
    return _list(
        [f"{html.escape(label)}: {', '.join(_link(path, context) for path in paths) or 'nothing'}" for label, paths in context.saved.items()]
    )


def _workflow(_: dict[str, str], context: ReportContext) -> str:
    rows = []
    # The workflow's record has no labels; the invocation's steps have them, in the same order.
    labels = {step["order_index"]: step.get("workflow_step_label") for step in context.invocation.get("steps", [])}
    for number, step in enumerate(sorted(context.workflow["steps"].values(), key=lambda step: step["id"])):
        name = labels.get(number) or step.get("tool_id") or step["type"].replace("_", " ")
        tool = f"{step['tool_id']} {step.get('tool_version') or ''}" if step.get("tool_id") else "input"
        rows.append(
            f"<tr><td>{html.escape(str(name))}</td><td>{html.escape(tool)}</td><td>{html.escape(str(step.get('annotation') or ''))}</td></tr>"
        )
    head = "<tr><th>Step</th><th>Tool</th><th>What it does</th></tr>"
    return f'<div class="wide"><table><thead>{head}</thead><tbody>\n{"".join(rows)}\n</tbody></table></div>'


def _licence(_: dict[str, str], context: ReportContext) -> str:
    return f"<p>The workflow's licence: {html.escape(str(context.workflow.get('license') or 'none stated'))}</p>"


def _time(_: dict[str, str], context: ReportContext) -> str:
    return f"<p>{html.escape(str(context.invocation['create_time'])[:19].replace('T', ' '))} UTC</p>"


_WRITERS: dict[str, Callable[[dict[str, str], ReportContext], str]] = {
    "generate_time": _time,
    "history_dataset_as_image": _image,
    "history_dataset_as_table": _table,
    "history_dataset_collection_display": _links,
    "history_dataset_display": _display,
    "history_dataset_embedded": _display,
    "history_dataset_link": _links,
    "history_dataset_name": _links,
    "history_dataset_peek": _display,
    "invocation_inputs": _inputs,
    "invocation_outputs": _outputs,
    "invocation_time": _time,
    "workflow_display": _workflow,
    "workflow_license": _licence,
}
