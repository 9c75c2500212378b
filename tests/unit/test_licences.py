"""One name and one address for a licence, however it is spelled; and no licence for what is none."""

from __future__ import annotations

import pytest

from lightmicroscopy.archives.licences import licence_of

ZERO = ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/")
BY = ("CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/")


@pytest.mark.parametrize(
    ("stated", "address", "expected"),
    [
        ("CC0", "", ZERO),
        ("cc0", "https://creativecommons.org/publicdomain/zero/1.0/legalcode", ZERO),
        ("CC0 1.0 Universal", "", ZERO),
        ("CC-0", "", ZERO),
        ("https://creativecommons.org/publicdomain/zero/1.0/", "", ZERO),
        ("CC BY 4.0", "", BY),
        ("CC-BY-4.0", "", BY),
        ("cc_by_4.0", "", BY),
        ("CC BY 4.0 https://creativecommons.org/licenses/by/4.0/", "", BY),
        ("Creative Commons Attribution 4.0 International", "", BY),
        ("Creative Commons Attribution 4.0 International License", "", BY),
        ("http://creativecommons.org/licenses/by/4.0", "", BY),
        ("", "https://www.creativecommons.org/licenses/by/4.0/legalcode", BY),
        ("CC BY-NC-SA 4.0", "", ("CC BY-NC-SA 4.0", "https://creativecommons.org/licenses/by-nc-sa/4.0/")),
        ("Creative Commons Attribution-NonCommercial-NoDerivs 3.0", "", ("CC BY-NC-ND 3.0", "https://creativecommons.org/licenses/by-nc-nd/3.0/")),
        ("CC BY", "", ("CC BY", "")),
        ("CC BY", "https://creativecommons.org/licenses/by/4.0/", ("CC BY", "https://creativecommons.org/licenses/by/4.0/")),
    ],
)
def test_a_known_licence_has_its_usual_name_and_address(stated: str, address: str, expected: tuple[str, str]) -> None:
    found = licence_of(stated, address)
    assert (found.name, found.url) == expected


@pytest.mark.parametrize(
    ("stated", "name"),
    [
        ("All rights reserved", "All rights reserved"),
        ("CC BY 9.0", "CC BY 9.0"),
        ("CC NC 4.0", "CC NC 4.0"),
        ("CC BY-ND-SA 4.0", "CC BY-ND-SA 4.0"),
        ("CC BY 4.0 except for figure 3", "CC BY 4.0 except for figure 3"),
        ("MIT", "MIT"),
        ("", ""),
    ],
)
def test_what_is_no_known_licence_is_kept_as_it_was_said_and_gets_no_address(stated: str, name: str) -> None:
    assert licence_of(stated).name == name
    assert licence_of(stated).url == ""


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://exa mple.org/x", "ftp://example.org", "  "])
def test_an_address_that_is_none_is_not_passed_on(address: str) -> None:
    assert licence_of("Our own licence", address).url == ""
