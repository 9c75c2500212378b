"""OME-XML of older schemas brought to that of 2016-06, by the transforms of the OME consortium that ship inside the ome-types package."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Final

from lxml import etree

from ..errors import SuiteError
from .ome_schema import beginning, schema_file

_NEXT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "2003-FC": "2008-09",
        "2007-06": "2008-09",
        "2008-02": "2008-09",
        "2008-09": "2009-09",
        "2009-09": "2010-04",
        "2010-04": "2010-06",
        "2010-06": "2011-06",
        "2011-06": "2012-06",
        "2012-06": "2013-06",
        "2013-06": "2015-01",
        "2015-01": "2016-06",
    }
)
"""Which schema there is a transform to."""
MOST_ELEMENTS: Final = 30_000
"""Elements beside planes; the time that the transforms take grows with their square: 0.4 s for 8,000, 6 s for these."""


class UntransformableError(SuiteError):
    """OME-XML of an older schema could not be brought to 2016-06."""


def as_2016(root: etree._Element, release: str) -> etree._Element:
    """Bring a document to 2016-06, by one transform after the other; of more than a thousand planes the first only.

    Parameters
    ----------
    release
        The schema that it follows: ``2013-06``.

    Raises
    ------
    UntransformableError
        If there is no transform from that schema, the document is too large, or a transform stops at something in it.
    """
    if release not in _NEXT:
        raise UntransformableError(f"There is no transform from the schema {release}.")
    short = beginning(root)
    current = root if short is None else short
    if sum(1 for _ in current.iter(tag=etree.Element)) > MOST_ELEMENTS:
        raise UntransformableError(f"It has more than {MOST_ELEMENTS:,} elements beside planes.")
    while release in _NEXT:
        try:
            current = _transform(release)(current).getroot()
        except etree.XSLTError as error:
            raise UntransformableError(f"The transform from {release} to {_NEXT[release]} stopped: {' '.join(str(error).split())[:200]}") from error
        if current is None:
            raise UntransformableError(f"The transform from {release} to {_NEXT[release]} leaves nothing of it.")
        release = _NEXT[release]
    return current


@cache
def _transform(release: str) -> etree.XSLT:
    file = schema_file().parent / "transforms" / f"{release}-to-{_NEXT[release]}.xsl"
    try:
        # Documents are strangers', and a transform could be made to read or write files through what they name.
        return etree.XSLT(etree.parse(file), access_control=etree.XSLTAccessControl.DENY_ALL)  # type: ignore[attr-defined]  # the stubs lack it
    except (OSError, etree.LxmlError) as error:
        raise UntransformableError(f"The transform {file.name} cannot be used ({error}). Install the ome-types package anew.") from error
