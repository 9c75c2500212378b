"""Licence of studies and how to cite them, as Markdown for files and as a page for Galaxy; the same for every archive."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Final

from .untrusted import LONGEST_TEXT, line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .study import Study

_HEADING: Final = "How to cite these images"
_NO_STUDY: Final = "No study is known of these images."
_WEB_ADDRESS: Final = re.compile(r"https?://[^\s<>\"'`\\]+")
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]<>#|~])")
# In a comment, so that it is not shown as text where Galaxy takes the element away.
_STYLE: Final = """<style><!--
body { margin: 0 auto; padding: 1rem 1.5rem; max-width: 56rem; overflow-wrap: anywhere;
  font: 16px/1.5 system-ui, sans-serif; color: #1d2126; background: #fff; }
h1 { font-size: 1.4rem; margin: 0 0 .8rem; }
h2 { font-size: 1.1rem; margin: 1.4rem 0 .4rem; }
p { margin: .4rem 0; }
th, td { text-align: left; vertical-align: top; padding: .2rem 1rem .2rem 0; font-weight: 400; }
th { color: #5b636c; white-space: nowrap; }
--></style>"""


class _Link(str):
    """An address in a text."""

    __slots__ = ()


_Text = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """What to cite for the archive itself.

    Attributes
    ----------
    text
        A sentence, up to the DOI.
    """

    text: str
    doi: str


def citation_text(studies: Iterable[Study], archive: Paper) -> str:
    """Write in Markdown under which licence the studies are, and what to cite.

    Each study once, by accession and component. What a study's record does not say is called unknown.
    """
    known = _each_once(studies)
    parts = [f"# {_HEADING}"]
    for study in known:
        facts = "\n".join(f"- {name}: {_in_markdown(value)}" for name, value in _facts(study))
        parts.append(f"## {_in_markdown(_title(study))}\n\n{facts}\n\n{_in_markdown(_advice(study))}")
    if not known:
        parts.append(_NO_STUDY)
    parts.append(f"## The archive\n\n{_in_markdown(_archive(archive))}")
    return "\n\n".join(parts) + "\n"


def citation_page(studies: Iterable[Study], archive: Paper) -> str:
    """Write the same as a page of HTML that loads nothing and runs nothing, what to cite first."""
    known = _each_once(studies)
    body = [f"<h1>{_HEADING}</h1>"]
    for study in known:
        rows = "\n".join(f"<tr><th>{name}</th><td>{_in_html(value)}</td></tr>" for name, value in _facts(study))
        body.append(f"<h2>{_in_html(_title(study))}</h2>\n<p>{_in_html(_advice(study))}</p>\n<table>\n{rows}\n</table>")
    if not known:
        body.append(f"<p>{_NO_STUDY}</p>")
    body.append(f"<h2>The archive</h2>\n<p>{_in_html(_archive(archive))}</p>")
    head = f'<meta charset="utf-8">\n<title>Licence and citation</title>\n{_STYLE}'
    return f'<!DOCTYPE html>\n<html lang="en">\n<head>\n{head}\n</head>\n<body>\n' + "\n".join(body) + "\n</body>\n</html>\n"


def _each_once(studies: Iterable[Study]) -> list[Study]:
    by_key = {(study.accession, study.component, study.url): study for study in studies}
    return [by_key[key] for key in sorted(by_key)]


def _title(study: Study) -> _Text:
    return (_said(study.name) or "A study without accession",)


def _said(value: str) -> str:
    return line(value, LONGEST_TEXT)


def _facts(study: Study) -> list[tuple[str, _Text]]:
    facts: list[tuple[str, _Text]] = [
        ("Study", (_said(study.name) or "unknown",)),
        ("Page", (_Link(study.url),)),
        ("Title", (_said(study.title),)),
        ("Authors", (_said(study.authors),)),
        ("Publication", (_said(study.publication_title),)),
        ("Publication DOI", _links(study.publication_doi)),
        ("Data DOI", _links(study.data_doi)),
        ("Licence", _licence(study)),
        ("Copyright", (_said(study.copyright),)),
        ("Released", (_said(study.release_date),)),
    ]
    return [(name, value) for name, value in facts if any(value)]


def _licence(study: Study) -> _Text:
    if not study.licence:
        return ("unknown: the study's record names none, so ask the authors before you use the images again",)
    if _WEB_ADDRESS.fullmatch(study.licence_url) and study.licence != study.licence_url:
        return (_said(study.licence), " ", _Link(study.licence_url))
    return (_said(study.licence),)


def _advice(study: Study) -> _Text:
    paper: _Text = ("the study by its page, since its record names neither paper nor authors",)
    if study.publication_doi:
        paper = ("the paper (", *_links(study.publication_doi), ")")
    elif study.title or study.authors:
        paper = ("the study by its title and authors",)
    data: _Text = (" and the data (", *_links(study.data_doi), ")") if study.data_doi else ()
    return ("Cite ", *paper, *data, ".")


def _archive(paper: Paper) -> _Text:
    return (f"{paper.text} ", _Link(f"https://doi.org/{paper.doi}"))


def _links(dois: str) -> _Text:
    links = [_Link(f"https://doi.org/{doi}") for doi in dois.split("; ") if doi]
    return tuple(part for number, link in enumerate(links) for part in ((", ", link) if number else (link,)))


def _in_markdown(value: _Text) -> str:
    """Text that Markdown shows as it is, without links, pictures or HTML of its own."""
    return _written(value, lambda text: _MARKDOWN.sub(r"\\\1", text), lambda url: f"<{url}>")


def _in_html(value: _Text) -> str:
    return _written(value, escape, lambda url: f'<a href="{escape(url)}" target="_blank" rel="noreferrer">{escape(url)}</a>')


def _written(value: _Text, of_text: Callable[[str], str], of_link: Callable[[str], str]) -> str:
    return "".join(of_link(part) if isinstance(part, _Link) else of_text(part) for part in value)
