"""File lists, JSON and tables: read file by file, whatever their length, and refused in a sentence where they are none."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy.archives.bia_choice import Choice, Named
from lightmicroscopy.archives.bia_files import FileIndex, write_files
from lightmicroscopy.archives.bia_lists import read_list
from lightmicroscopy.archives.bia_pagetab import Attribute, File
from lightmicroscopy.errors import UnreadableError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list"


def read(path: Path, content: bytes | str | list[Any]) -> list[File]:
    if isinstance(content, list):
        content = json.dumps(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return list(read_list(path, "The list"))


def entry(name: str, **more: Any) -> dict[str, Any]:
    return {"path": name, "size": 3, "type": "file", "attributes": [], **more}


def test_files_have_paths_sizes_types_and_attributes(path: Path) -> None:
    attributes = [{"name": "Gene", "value": "TP53"}, {}, {"name": "empty", "value": "null"}, {"name": "none", "value": None}, "text", {"value": "x"}]
    (one, folder) = read(path, [entry("a/b c.tif", attributes=attributes), entry("z.zarr", type="directory", size="12")])
    assert (one.path, one.size, one.type, [(a.name, a.value) for a in one.attributes]) == ("a/b c.tif", 3, "file", [("Gene", "TP53")])
    assert (folder.size, folder.type) == (12, "directory")


def test_lists_within_the_list_are_laid_out_flat(path: Path) -> None:
    assert [file.path for file in read(path, [[entry("a"), entry("b")], entry("c"), [[entry("d")]], []])] == ["a", "b", "c", "d"]


def test_attributes_may_be_in_inner_lists_or_not_be_a_list_at_all(path: Path) -> None:
    files = read(path, [entry("a", attributes=[[{"name": "k", "value": "v"}]]), entry("b", attributes={}), entry("c", attributes=None)])
    assert [[(a.name, a.value) for a in file.attributes] for file in files] == [[("k", "v")], [], []]


@pytest.mark.parametrize("bad", [{"path": ""}, {"path": None}, {"path": 7}, {}, 7, "text", None])
def test_an_entry_without_a_usable_path_is_left_out(path: Path, bad: Any) -> None:
    assert [file.path for file in read(path, [bad, entry("good")])] == ["good"]


@pytest.mark.parametrize("size", [-1, True, 1.5, "many", 10**30, None, [1]])
def test_a_size_that_is_none_is_unknown(path: Path, size: Any) -> None:
    assert read(path, [entry("a", size=size)])[0].size is None


def test_an_empty_list_has_no_files(path: Path) -> None:
    assert read(path, "  [ ] \n") == []


def test_entries_of_any_length_cross_the_borders_of_what_is_read_at_once(path: Path) -> None:
    content = [entry(f"{number}", attributes=[{"name": "text", "value": "ø" * (number * 997 % 90_000)}]) for number in range(60)]
    files = read(path, json.dumps(content, ensure_ascii=False))
    assert [len(file.attributes[0].value) if file.attributes else 0 for file in files] == [number * 997 % 90_000 for number in range(60)]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        ('[{"path": "a", "size": 1}, {"path": "b"', "ends too early"),
        ('[{"path": "a"}', "ends too early"),
        ("[", "ends too early"),
        ('[{"path": "a"}] and more', "after its end"),
        ("[" * 40 + "]" * 40, "nested too deeply"),
        ("<html><body>maintenance</body></html>", "no file list"),
        ("", "no file list"),
        ("{}", "no file list"),
        (b"\xff\xfe\x00[", "no text in UTF-8"),
        ("[" + '{"a":' * 200_000 + "1", "no whole file list"),
        ('[{"path": "' + "x" * 3_000_000, "no whole file list"),
        ("Filez\tGene\na\tb\n", "no file list"),
        ('Files\tGene\na\t"' + "x" * 200_000, "no whole file list"),
        ('Files\tNote\na.tif\t"5 µm\nb.tif\tx\nc.tif\ty\n', "no whole file list"),
        ('Files\n"a" b.tif\n', "no whole file list"),
    ],
)
def test_what_is_no_whole_list_is_refused_in_a_sentence(path: Path, content: bytes | str, what: str) -> None:
    with pytest.raises(UnreadableError, match=what):
        read(path, content)


def test_a_table_has_an_attribute_for_each_column(path: Path) -> None:
    text = 'Files\tGene\tNote\na/b c.tif\tTP53\t"two\nlines"\textra\n\n  \t\nd.tif\n'
    first, second = read(path, text.encode("utf-8-sig"))
    assert (first.path, first.size, [(a.name, a.value) for a in first.attributes]) == ("a/b c.tif", None, [("Gene", "TP53"), ("Note", "two\nlines")])
    assert (second.path, second.attributes) == ("d.tif", ())


def test_columns_of_one_name_are_values_of_one_attribute(path: Path) -> None:
    (file,) = read(path, "Files\tSize\tType\tChannel\tChannel\na.tif\t7\traw\tred\tgreen\n")
    assert (file.size, file.type, file.values("Channel"), file.first("Type")) == (7, "file", ("red", "green"), "raw")


def test_a_path_that_is_no_text_is_listed_all_the_same(path: Path) -> None:
    with FileIndex("S-BIAD1") as index:
        for file in read(path, '[{"path": "a\\ud800.tif"}]'):
            index.add(file, "")
        assert [file.path for file in index.files()] == [r"a\ud800.tif"]


def test_what_two_lists_say_of_a_file_is_kept_and_found() -> None:
    with FileIndex("S-BIAD1") as index:
        for component, values in (("One", ("raw", "TP53")), ("Two", ("mask", "TP53"))):
            said = tuple(map(Attribute, ("Kind", "Gene"), values))
            index.add(File("a.tif", 1, "file", said), component)
        assert [dict(file.attributes) for file in index.files()] == [{"Kind": "raw; mask", "Gene": "TP53"}]
        assert len(list(Choice(attributes=(("kind", "mask"),)).of(index))) == 1
        assert len(list(Choice(attributes=(("kind", "raw; mask"), ("Gene", "TP53"))).of(index))) == 1
        assert not list(Choice(attributes=(("kind", "mas"),)).of(index))


def test_a_file_without_an_attribute_has_no_value_of_any_kind() -> None:
    with FileIndex("S-BIAD1") as index:
        index.add(File("a.tif", 1, "file", (Attribute("Gene", "TP53"),)), "")
        index.add(File("b.tif", 1, "file"), "")
        for pattern, path in (("*", "a.tif"), ("tp*", "a.tif"), ("", "b.tif")):
            assert [file.path for file in Choice(attributes=(("Gene", pattern),)).of(index)] == [path]


def test_memory_does_not_grow_with_the_list(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        path = tmp_path / "list"
        with path.open("w", encoding="utf-8") as stream:
            stream.write("[")
            for number in range(count):
                text = json.dumps(entry(f"plate/{number:07d}.tif", attributes=[{"name": "Well", "value": f"W{number}"}]))
                stream.write(f"{',' if number else ''}{text}")
            stream.write("]")
        tracemalloc.start()
        with FileIndex("S-BIAD1") as index:
            for file in read_list(path, "The list"):
                index.add(file, "Component")
            assert sum(1 for _ in index.files()) == index.count == count
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    peak(100)
    few, many = peak(10_000), peak(22_000)
    assert many - few < 300_000, "12,000 entries in memory take more than ten times as much"


def test_a_file_in_two_components_is_one_file_of_both(tmp_path: Path) -> None:
    with FileIndex("S-BIAD1") as index:
        index.add(File("b", 1, "file"), "One")
        index.add(File("a", None, "file"), "One")
        index.add(File("a", 7, "file"), "Two")
        index.add(File("b", 2, "file"), "One")
        found = [(file.path, file.bytes, file.component, file.folder) for file in index.files()]
        assert found == [("a", 7, "One; Two", "One"), ("b", 1, "One", "One")]
        assert (index.count, index.entries, index.conflicts) == (2, 4, ["b"])


def test_a_files_table_given_back_names_the_same_files(tmp_path: Path) -> None:
    with FileIndex("S-BIAD1") as index:
        for name in (" a.tif", "a.tif", "a.tif ", "b\tc.tif", "b c.tif"):
            index.add(File(name, 1, "file"), "")
        write_files(tmp_path / "t.tsv", [(index, lambda file: "")])
        text = (tmp_path / "t.tsv").read_text().splitlines()
        kept = [line for line in text if line.split("\t")[1] not in ("a.tif", "b c.tif")]
        (tmp_path / "cut.tsv").write_text("\n".join(kept) + "\n")
        with Named(tmp_path / "cut.tsv") as named:
            assert [file.path for file in index.files() if named.has("S-BIAD1", file.path)] == [" a.tif", "a.tif ", "b\tc.tif"]


def characters(times: int) -> int:
    """How much is written of a file that is listed many times, always with another component and value."""
    statements: list[str] = []
    with FileIndex("S-BIAD1") as index:
        index._database.set_trace_callback(statements.append)
        for number in range(times):
            index.add(File("a.tif", 1, "file", (Attribute("Gene", f"G{number:06}"),)), f"Part {number:06}")
        (file,) = index.files()
        assert (len(file.component.split("; ")), len(file.attributes["Gene"].split("; ")), file.folder) == (times, times, "Part 000000")
    return sum(map(len, statements))


def test_work_grows_with_the_lines_of_a_list_however_often_it_names_a_file() -> None:
    assert characters(2000) < 2.2 * characters(1000)


def test_a_path_that_is_too_long_is_kept_apart(path: Path) -> None:
    (long, good) = read(path, [entry("deep/" * 1000), entry("good")])
    assert (long.whole, good.whole) == (False, True)
    with FileIndex("S-BIAD1") as index:
        for file in (long, good):
            index.add(file, "")
        assert ([file.path for file in index.files()], index.left_out) == (["good"], 1)
        assert index.say_left_out().startswith("1 file of S-BIAD1 left out, since a path has at most 4,096 characters here: 'deep/deep/")
