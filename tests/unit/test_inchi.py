"""InChI and InChIKey of compounds in a sheet: recomputed, not only looked at."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator

import pytest

from lightmicroscopy.metadata.ontologies import inchi_process
from lightmicroscopy.metadata.ontologies.inchi import LONGEST, check

WATER, WATER_KEY = "InChI=1S/H2O/h1H2", "XLYOFNOQVPJJNP-UHFFFAOYSA-N"
CAFFEINE = "InChI=1S/C8H10N4O2/c1-10-4-9-6-5(10)7(13)12(3)8(14)11(6)2/h4H,1-3H3"
# What is often added to cells that are then imaged: salts, stains, drugs with many stereocentres, a metal.
SMILES = {
    "sodium chloride": "[Na+].[Cl-]",
    "dimethyl sulfoxide": "CS(C)=O",
    "glucose": "OC[C@H]1O[C@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
    "DAPI": "NC(=N)c1ccc(cc1)-c1cc2ccc(cc2[nH]1)C(N)=N",
    "Hoechst 33342": "CCOc1ccc(cc1)-c1nc2cc(ccc2[nH]1)-c1nc2cc(ccc2[nH]1)N1CCN(C)CC1",
    "fluorescein": "OC(=O)c1ccccc1C1=C2C=CC(=O)C=C2Oc2cc(O)ccc12",
    "nocodazole": "COC(=O)Nc1nc2cc(ccc2[nH]1)C(=O)c1cccs1",
    "aspirin": "CC(=O)Oc1ccccc1C(O)=O",
    "taxol's core": "CC1=C2C(C(=O)C3(CCC4C(C3C(C(C2(C)C)(CC1)O))(CO4))C)",
    "deuterated water": "[2H]O[2H]",
}


def written(smiles: str) -> tuple[str, str]:
    """Let RDKit write a molecule that is not read from an InChI."""
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(smiles)
    return Chem.MolToInchi(molecule), Chem.MolToInchiKey(molecule)


@pytest.mark.parametrize("compound", SMILES)
def test_the_right_inchi_and_key_of_a_compound_raise_no_alarm(compound: str) -> None:
    stated, key = written(SMILES[compound])
    found = check(stated, key)
    assert (found.status, found.message, found.inchi, found.key) == ("right", "", stated, key)


@pytest.mark.parametrize("spelling", [WATER, f"  {WATER} ", "inchi=1S/H2O/h1H2", "InChI: 1S/H2O/h1H2", "1S/H2O/h1H2", "InChI=1S/H2O\n/h1H2"])
def test_an_inchi_is_read_in_the_spellings_people_use_and_its_key_computed(spelling: str) -> None:
    found = check(spelling)
    assert (found.status, found.inchi, found.key) == ("right", WATER, WATER_KEY)


@pytest.mark.parametrize(
    ("stated", "key"),
    [
        ("InChI=1S/2ClH.2H3N.Pt/h2*1H;2*1H3;/q;;;;+2/p-2", "LXZZYRPGZAFOLE-UHFFFAOYSA-L"),
        ("InChI=1S/B2H6/c1-3-2-4-1/h1-2H2", ""),
        ("InChI=1S/2C5H5.Fe/c2*1-2-4-5-3-1;/h2*1-5H;/q2*-1;+2", ""),
    ],
)
def test_salts_of_metals_and_unusual_bonds_raise_no_alarm(stated: str, key: str) -> None:
    found = check(stated, key)
    assert (found.status, found.message) == ("right", "")


def test_a_key_of_another_compound_is_wrong_and_the_right_one_is_told() -> None:
    found = check(CAFFEINE, WATER_KEY)
    assert found.status == "wrong"
    assert found.key in found.message
    assert check(CAFFEINE, found.key).status == "right"


@pytest.mark.parametrize(
    "mistyped",
    [
        CAFFEINE.replace("1-3H3", "1-3H2"),
        CAFFEINE[:-8],
        CAFFEINE.replace("C8H10", "C9H10"),
        CAFFEINE.replace("(13)", "(31)"),
        "InChI=1S/Xy2",
        "InChI=1S/C8H10N4O2",
    ],
)
def test_an_inchi_that_fits_the_pattern_and_no_molecule_is_wrong(mistyped: str) -> None:
    found = check(mistyped)
    assert found.status == "wrong"
    assert "do not fit together" in found.message


@pytest.mark.parametrize("text", ["caffeine", "CN1C=NC2=C1C(=O)N(C)C(=O)N2C", "InChI=", "InChI=2S/H2O", "InChI=1S/H2O/h1H2<script>", "InChI=1S/Ĥ2O"])
def test_what_is_no_inchi_at_all_is_called_so(text: str) -> None:
    found = check(text)
    assert found.status == "wrong"
    assert "is no InChI" in found.message


def test_a_non_standard_inchi_gets_the_standard_one() -> None:
    found = check(CAFFEINE.replace("=1S/", "=1/"))
    assert (found.status, found.inchi) == ("doubtful", CAFFEINE)


def test_another_order_of_layers_is_doubted_and_not_condemned() -> None:
    # The hydrogens' layer written in full instead of as a range: the same molecule.
    found = check(CAFFEINE.replace("1-3H3", "1H3,2-3H3"))
    assert found.status in ("doubtful", "wrong")
    assert found.status == "wrong" or found.key


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [
        (WATER_KEY, "not-checked", "without the InChI"),
        (f"InChIKey={WATER_KEY}", "not-checked", "without the InChI"),
        ("XLYOFNOQVPJJNP-UHFFFAOYNA-N", "doubtful", "non-standard"),
        (WATER_KEY.lower(), "wrong", "capitals"),
        (WATER_KEY[:-2], "wrong", "cut off"),
        ("XLYOFNOQVPJJNP", "wrong", "no InChIKey"),
        ("XLYOFNOQVPJJNP-UHFFFAOYXA-N", "wrong", "no InChIKey"),
    ],
)
def test_a_key_alone_is_checked_for_its_form(key: str, status: str, said: str) -> None:
    found = check("", key)
    assert found.status == status
    assert said in found.message


def test_neither_inchi_nor_key_is_nothing() -> None:
    assert check().status == check("  ", " ").status == "wrong"


def test_an_inchi_longer_than_any_real_one_is_not_recomputed() -> None:
    found = check("InChI=1S/" + "C" * LONGEST)
    assert found.status == "not-checked"
    assert f"{LONGEST:,}" in found.message


def test_thousands_of_damaged_texts_get_an_answer_each_and_no_false_confidence() -> None:
    random_ = random.Random(20260117)  # noqa: S311 - the same texts on every run
    base, _ = written("CC1=C2[C@@]([C@]([C@H]([C@@H]3[C@]4([C@H](OC4)C[C@@H]([C@]3(C(=O)[C@@H]2OC(=O)C)C)O)OC(=O)C)OC(=O)c2ccccc2)(C[C@@H]1O)O)(C)C")
    assert check(base).status == "right"
    for _ in range(500):
        letters = list(base)
        for _ in range(random_.randint(1, 3)):
            letters[random_.randrange(9, len(letters))] = random_.choice("0123456789CHNO-(),/+")
        found = check("".join(letters))
        assert found.status in ("right", "wrong", "doubtful"), found.message
        if found.status == "right":
            # Some other molecule, with a key of its own.
            assert found.inchi == "".join(letters)
            assert check(found.inchi, found.key).status == "right"


@pytest.fixture
def ended() -> Iterator[None]:
    """End the process that holds RDKit, as a crash in it would."""
    assert check(WATER).status == "right"
    running = inchi_process._PROCESS._running
    assert running is not None
    os.kill(running.pid, signal.SIGSEGV)
    running.wait(10)
    yield


def test_after_a_crash_the_next_text_is_checked_again(ended: None) -> None:
    assert check(CAFFEINE).status == "right"


def test_a_text_on_which_rdkit_takes_too_long_is_not_checked_and_the_next_one_is() -> None:
    assert check(WATER).status == "right"
    running = inchi_process._PROCESS._running
    assert running is not None
    # Stopped, it reads no request; ended by the timer's signal, it never answers.
    os.kill(running.pid, signal.SIGSTOP)
    os.kill(running.pid, signal.SIGPROF)
    os.kill(running.pid, signal.SIGCONT)
    running.wait(10)
    assert inchi_process._why(running.returncode).startswith("RDKit did not come to an end")
    assert check(CAFFEINE).status == "right"
