"""Whatever a file or series is called, its outputs get a name every file system takes."""

from __future__ import annotations

import os
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightmicroscopy.names import LONGEST, readable, sanitise, unique, visible, without_extension


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("HeLa cells 01", "HeLa_cells_01"),
        ("../../etc/passwd", "etc_passwd"),
        ("Ærlig ø #3 (µm)", "Ærlig_ø_3_µm"),
        ("a'b\"c`d$HOME;rm -rf *", "a_b_c_d_HOME_rm_-rf_"),
        ("line\nbreak\ttab", "line_break_tab"),
        ("細胞 α", "細胞_α"),
        ("e\u0301", "é"),
        ("😀", "image"),
        ("", "image"),
        ("...", "image"),
        ("-rf", "rf"),
        (".hidden", "hidden"),
        ("C:\\data\\x", "C_data_x"),
    ],
)
def test_names_from_the_wild(name: str, safe: str) -> None:
    assert sanitise(name) == safe


@given(st.text(max_size=400))
def test_any_text_becomes_a_safe_name(text: str) -> None:
    name = sanitise(text)
    assert 0 < len(name.encode()) <= LONGEST
    assert not set(name) & set("/\\\0\n\r\t '\"`$;&|<>*?:")
    assert name[0] not in ".-"
    assert name == unicodedata.normalize("NFC", name)


def test_long_names_are_cut_between_characters() -> None:
    assert sanitise("ø" * 300) == "ø" * 60


@pytest.mark.parametrize("text", ["A", "_", " ", "\n", ".", "-", "ø", "😀", "a/"])
def test_a_name_of_millions_of_characters_takes_no_time(text: str) -> None:
    began = time.process_time()
    assert 0 < len(sanitise(text * 3_000_000).encode()) <= LONGEST
    assert time.process_time() - began < 1


def test_thousands_of_one_name_take_no_time() -> None:
    began = time.process_time()
    made = unique(["Position"] * 5000)
    assert time.process_time() - began < 2
    assert (made[0], made[-1], len(set(made))) == ("Position", "Position~5000", 5000)


def test_the_name_of_a_file_that_is_no_text_becomes_text() -> None:
    assert readable(os.fsdecode(b"bad\xff\xfe.czi")) == "bad\ufffd\ufffd.czi"
    assert readable("\ud800ø😀") == "\ufffdø😀"


@given(st.lists(st.sampled_from(["a", "A", "a~2", "b", "x" * LONGEST]), max_size=8))
def test_clashing_names_are_told_apart(names: list[str]) -> None:
    made = unique(names)
    assert len({name.casefold() for name in made}) == len(names)
    assert all(len(name.encode()) <= LONGEST for name in made)


def test_the_second_of_a_name_is_numbered() -> None:
    assert unique(["a", "a", "A"]) == ["a", "a~2", "A~3"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.ome.tiff", "a"),
        ("a.b.OME.TIF", "a.b"),
        ("x.ome.zarr.zip", "x"),
        ("plain", "plain"),
        (".tif", ".tif"),
        ("a.czi", "a"),
        ("a.b.lif", "a.b"),
        ("Stage.LOF", "Stage"),
        ("a.xlef", "a"),
        ("a.xlif", "a"),
        ("a.xlcf", "a"),
        ("a.nd2", "a"),
        ("a.ims", "a"),
        ("a.lifelong", "a.lifelong"),
        ("s.companion.ome", "s"),
    ],
)
def test_extensions_of_images_are_cut(name: str, stem: str) -> None:
    assert without_extension(name) == stem


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("HeLa µm – שלום\u200f 細胞\n\tline", "HeLa µm – שלום\u200f 細胞\n\tline"),
        ("\x1b]0;title\x07", "␛]0;title␇"),
        ("a\u202egpj.exe\u2066\x9b", "a\ufffdgpj.exe\ufffd\ufffd"),
        ("\ud800", "\ufffd"),
    ],
)
def test_what_is_unseen_in_a_text_is_shown_on_a_page(text: str, shown: str) -> None:
    assert visible(text) == shown
