"""InChI and InChIKey of compounds: not only matched by a pattern, but recomputed.

Source: InChI Technical Manual, <https://www.inchi-trust.org/downloads/>; patterns as Bioregistry 0.15.6 has them. RDKit
(<https://www.rdkit.org>) contains the InChI library of the InChI Trust.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from .inchi_process import EndedError, ask

LONGEST: Final = 4000
"""Characters of an InChI that are looked at; of a molecule with a thousand atoms, all that standard InChI allows, it is shorter."""
_FORM: Final = re.compile(r"InChI=1S?/[A-Za-z0-9.]+(?:/[A-Za-z][A-Za-z0-9()+,./?;*-]*)*", re.ASCII)
_KEY_FORM: Final = re.compile(r"[A-Z]{14}-[A-Z]{8}[SN][A-Z]-[A-Z]", re.ASCII)
_PREFIX: Final = re.compile(r"^\s*(?:inchi\s*=\s*|inchi\s*:\s*(?=1)|(?=1S/))", re.IGNORECASE)
_KEY_PREFIX: Final = re.compile(r"^\s*inchi-?key\s*[=:]\s*", re.IGNORECASE)
Status = Literal["right", "wrong", "doubtful", "not-checked"]


@dataclass(frozen=True, slots=True)
class Checked:
    """What came out about an InChI and an InChIKey.

    Parameters
    ----------
    status
        ``right``: recomputed and the same. ``wrong``: certainly no identifier, or not of the same compound. ``doubtful``: RDKit writes
        the molecule otherwise, or the identifier is not a standard one. ``not-checked``: it could not be recomputed.
    message
        A sentence for people; empty where the status is ``right``.
    inchi, key
        As they should be; empty where that is not known.
    """

    status: Status
    message: str = ""
    inchi: str = ""
    key: str = ""


def check(inchi: str = "", key: str = "") -> Checked:
    """Check an InChI, an InChIKey, or both against each other.

    Notes
    -----
    The key of an InChI is a hash and is recomputed from it. Whether the InChI itself is right is found by reading it as a molecule and
    writing that again, but for molecules with unusual bonds, of which it is enough that they can be read. An InChIKey alone can be
    checked for its form only.
    """
    stated, stated_key = inchi.strip(), key.strip()
    if not stated and not stated_key:
        return Checked("wrong", "There is neither an InChI nor an InChIKey here. Leave the field out rather than empty.")
    plain_key = _KEY_PREFIX.sub("", stated_key[:LONGEST]).strip()
    if stated_key and not _KEY_FORM.fullmatch(plain_key):
        return _wrong_key(plain_key)
    return _check_inchi(stated, plain_key) if stated else _key_alone(plain_key)


def _key_alone(key: str) -> Checked:
    if key[23] != "S":
        return Checked("doubtful", f"{key} is the key of a non-standard InChI, which databases do not find. Give the standard one.", key=key)
    return Checked("not-checked", f"{key} has the form of an InChIKey; without the InChI nothing more can be checked.", key=key)


def _check_inchi(stated: str, plain_key: str) -> Checked:
    if len(stated) > LONGEST:
        return Checked("not-checked", f"The InChI has {len(stated):,} characters; longer ones than {LONGEST:,} are not recomputed.")
    plain = _PREFIX.sub("InChI=", "".join(stated.split()), count=1)
    if not _FORM.fullmatch(plain):
        return Checked("wrong", f"“{stated[:80]}” is no InChI. One begins with InChI=1S/ and a formula, such as InChI=1S/H2O/h1H2.")
    try:
        answer = ask(plain)
    except EndedError as error:
        return Checked("not-checked", f"{plain[:80]} has the form of an InChI; it could not be recomputed, since {error}.", inchi=plain)
    again = plain if answer.get("unusual") else str(answer.get("again", ""))
    return _compare(plain, plain_key, again, str(answer.get("key", "")))


def _compare(plain: str, plain_key: str, again: str, computed: str) -> Checked:
    shown = plain if len(plain) <= 80 else plain[:79] + "…"
    if not again:
        return Checked("wrong", f"{shown} is no InChI of any molecule: its layers do not fit together. Copy it again, whole.")
    if plain_key and computed and plain_key != computed:
        return Checked(
            "wrong", f"{plain_key} is not the InChIKey of {shown}, which is {computed}. One of the two is of another compound.", plain, computed
        )
    if not plain.startswith("InChI=1S/"):
        return Checked("doubtful", f"{shown} is not a standard InChI, which databases do not find. The standard one is {again}.", again)
    if again != plain:
        return Checked(
            "doubtful", f"{shown} is written otherwise by RDKit: {again}. Compare both with the compound's entry in a database.", plain, computed
        )
    return Checked("right", "", plain, computed)


def _wrong_key(plain: str) -> Checked:
    shown = f"“{plain[:60]}”"
    if _KEY_FORM.fullmatch(plain.upper()):
        return Checked("wrong", f"{shown} is no InChIKey as it is: all its letters are capitals.", key=plain.upper())
    if re.fullmatch(r"[A-Z]{14}-[A-Z]{10}", plain):
        return Checked("wrong", f"{shown} is cut off: an InChIKey has a third block, a hyphen and one letter.")
    return Checked("wrong", f"{shown} is no InChIKey. One has 14, 10 and 1 capital letters with hyphens, such as XLYOFNOQVPJJNP-UHFFFAOYSA-N.")
