"""Licences of data: one name and one address for each, however it is spelled.

Source: names and addresses of the licences of Creative Commons, <https://creativecommons.org/share-your-work/cclicenses/>.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from .untrusted import LONGEST_TEXT, line

ZERO: Final = "CC0 1.0"
_ADDRESSES: Final = {
    ZERO: "https://creativecommons.org/publicdomain/zero/1.0/",
    "Public Domain Mark 1.0": "https://creativecommons.org/publicdomain/mark/1.0/",
    **{
        f"CC {kind} {version}": f"https://creativecommons.org/licenses/{kind.lower()}/{version}/"
        for kind in ("BY", "BY-SA", "BY-ND", "BY-NC", "BY-NC-SA", "BY-NC-ND")
        for version in ("4.0", "3.0", "2.5", "2.0", "1.0")
    },
}
_URL: Final = re.compile(r"https?://[^\s<>\"'`\\()]+")
_CC_URL: Final = re.compile(
    r"https?://(?:www\.)?creativecommons\.org/(?:licenses/(?P<kind>[a-z-]+)/(?P<version>\d\.\d)|publicdomain/(?P<public>zero|mark)/1\.0)"
)
_WORDS: Final = (
    (re.compile(r"creative ?commons"), "cc"),
    (re.compile(r"\battribution\b"), "by"),
    (re.compile(r"\bnon ?commercial\b"), "nc"),
    (re.compile(r"\bshare ?alike\b"), "sa"),
    (re.compile(r"\bno ?deriv(?:ative)?s?\b"), "nd"),
    (re.compile(r"\b(?:licen[cs]ed?|international|generic|unported|public|the|under|a|version|v(?=\s?\d))\b"), " "),
)
_KIND: Final = re.compile(r"cc(?P<kind>( (?:by|nc|sa|nd))+)(?: ?v?(?P<version>\d(?:\.\d)?))?")
_ZERO: Final = re.compile(r"cc ?(?:0|zero)(?: ?v?1(?:\.0)?)?(?: universal)?(?: domain dedication)?")


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence: a name, and an address where one is known; both empty where nothing is."""

    name: str = ""
    url: str = ""


def licence_of(stated: str, address: str = "") -> Licence:
    """Find out which licence is meant; what is none of the known ones is kept as it was said.

    Parameters
    ----------
    stated
        Such as ``CC0``, ``cc-by 4.0``, ``Creative Commons Attribution 4.0 International`` or an address.
    address
        That was given beside it.
    """
    said = line(stated, LONGEST_TEXT)
    found = _URL.search(said)
    url = line(address) or (found[0].rstrip(".,;") if found else "")
    name = _by_words(_URL.sub(" ", said)) or _by_address(url)
    if name:
        return Licence(name, _ADDRESSES.get(name, "") or _http(url))
    return Licence(line(_URL.sub(" ", said)).strip(" ()<>") or url, _http(url))


def _by_words(text: str) -> str:
    words = re.sub(r"[\s_,;:/()-]+", " ", text.casefold()).strip(" .")
    for pattern, short in _WORDS:
        words = pattern.sub(short, words)
    words = re.sub(r"\s+", " ", words).strip()
    words = re.sub(r"^(?!cc)(?=by\b)", "cc ", words)
    if _ZERO.fullmatch(words.replace("cc0 cc0", "cc0")):
        return ZERO
    # The short name is often repeated after the long one.
    match = _KIND.match(words)
    if match is None or _KIND.sub("", words).strip(" ."):
        return ""
    parts = [part for part in ("by", "nc", "nd", "sa") if part in match["kind"].split()]
    if "by" not in parts or {"nd", "sa"} <= set(parts):
        return ""
    kind = "-".join(part.upper() for part in parts)
    version = match["version"]
    if version is None:
        return f"CC {kind}"
    name = f"CC {kind} {version if '.' in version else version + '.0'}"
    return name if name in _ADDRESSES else ""


def _by_address(url: str) -> str:
    match = _CC_URL.match(url.casefold())
    if match is None:
        return ""
    if match["public"]:
        return ZERO if match["public"] == "zero" else "Public Domain Mark 1.0"
    name = f"CC {match['kind'].upper()} {match['version']}"
    return name if name in _ADDRESSES else ""


def _http(url: str) -> str:
    return url if _URL.fullmatch(url) else ""
