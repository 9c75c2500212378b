"""The manifest: rows on disk, a table at any moment, and what may be believed of one that is given back."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import tracemalloc
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lightmicroscopy.archives.manifest import Earlier, Manifest, Row, finished, read_rows, row_of
from lightmicroscopy.errors import UnreadableError, UnwritableError
from lightmicroscopy.reports.tables import MANIFEST

COLUMNS = "\t".join(MANIFEST)


def a_row(item: str = "image-1", **values: object) -> Row:
    return dataclasses.replace(Row(item, "done", path="1_a.ome.tiff", bytes=3, sha256=hashlib.sha256(b"abc").hexdigest()), **values)  # type: ignore[arg-type]


@pytest.fixture
def manifest() -> Iterator[Manifest]:
    with closing(Manifest()) as made:
        yield made


def written(folder: Path, *rows: Row) -> Path:
    manifest = Manifest()
    for number, row in enumerate(rows):
        manifest.put(number, row)
    manifest.write(folder / "manifest.tsv")
    manifest.close()
    return folder / "manifest.tsv"


def test_the_columns_are_the_contracts() -> None:
    assert tuple(field.name for field in dataclasses.fields(Row)) == MANIFEST


def test_what_is_said_of_an_item_replaces_what_was_said(manifest: Manifest) -> None:
    manifest.put(2, Row("image-2", "planned", path="a"), Row("image-2", "planned", path="b"))
    manifest.put(1, Row("image-1", "planned", path="c"))
    manifest.put(2, Row("image-2", "failed", "gone"))
    assert [(row.item, row.status) for row in manifest.rows()] == [("image-1", "planned"), ("image-2", "failed")]
    assert manifest.of(3) == []


def test_a_file_that_several_items_need_counts_once(manifest: Manifest) -> None:
    assert manifest.planned_bytes() == 0
    manifest.put(1, Row("image-1", "planned", path="a", bytes=10))
    manifest.put(2, Row("image-2", "planned", path="a", bytes=10))
    manifest.put(3, Row("image-3", "planned", path="b", bytes=5), Row("image-3", "planned", path="c"))
    manifest.put(4, Row("image-4", "done", path="d", bytes=100))
    assert manifest.planned_bytes() == 15


def test_sums_beyond_32_bits_are_exact(manifest: Manifest) -> None:
    for number in range(10):
        manifest.put(number, Row(f"image-{number}", "planned", path=str(number), bytes=10**12 + 1))
    assert manifest.planned_bytes() == 10**13 + 10


def test_any_text_makes_one_line(tmp_path: Path) -> None:
    text = "a\tb\nc\r\nd\x00\u2028e; \"f\" 'g' ' OR 1=1; --"
    path = written(tmp_path, Row("image-1", "failed", text, text, licence=text))
    (cells,) = read_rows(path, MANIFEST)
    assert cells["reason"] == cells["licence"] == "a b c d e; \"f\" 'g' ' OR 1=1; --"


def test_a_table_is_written_again_and_again_and_is_whole_each_time(manifest: Manifest, tmp_path: Path) -> None:
    for number in range(5):
        manifest.put(number, Row(f"image-{number}", "planned"))
        manifest.write(tmp_path / "manifest.tsv")
        assert len(list(read_rows(tmp_path / "manifest.tsv", MANIFEST))) == number + 1
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.tsv"]


def test_memory_does_not_grow_with_rows(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        manifest = Manifest()
        for number in range(count):
            manifest.put(number, a_row(f"image-{number}", reason="x" * 200, path=f"{number}.ome.tiff"))
        manifest.write(tmp_path / "manifest.tsv")
        manifest.close()
        largest = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return largest

    peak(10)
    assert peak(2000) < 2000 * 250, "a row takes about 1,000 bytes if it is kept"


def test_a_full_folder_for_temporary_files_is_told() -> None:
    manifest = Manifest()
    manifest._database.execute("PRAGMA max_page_count = 10")
    with pytest.raises(UnwritableError, match=r"The folder for temporary files cannot be written \(database or disk is full\)"):
        for number in range(100):
            manifest.put(number, Row(f"image-{number}", "failed", "x" * 10_000))
    manifest.close()


class InterruptedRow:
    """A row in the middle of whose writing somebody presses Ctrl-C."""

    @property
    def item(self) -> str:
        raise KeyboardInterrupt


def test_an_interruption_half_way_loses_no_row(manifest: Manifest, tmp_path: Path) -> None:
    planned = [dataclasses.replace(a_row(f"image-{number}"), status="planned") for number in range(3)]
    for number, row in enumerate(planned):
        manifest.put(number, row)
    with pytest.raises(KeyboardInterrupt):
        manifest.put(1, InterruptedRow())  # type: ignore[arg-type]
    assert list(manifest.rows()) == planned
    with pytest.raises(KeyboardInterrupt):
        manifest.put(1, InterruptedRow())  # type: ignore[arg-type]
    manifest.put(2, a_row("image-2"))
    assert list(manifest.rows()) == [*planned[:2], a_row("image-2")]


def test_what_is_there_unchanged_is_kept(tmp_path: Path) -> None:
    (tmp_path / "1_a.ome.tiff").write_bytes(b"abc")
    row = a_row(source_url="https://example.org/a", reason="Its original file.", attempts=2)
    assert finished(written(tmp_path, row), tmp_path) == Earlier({"image-1": [row]}, {"https://example.org/a": row})


def test_a_folder_is_kept_only_if_every_file_in_it_is_as_it_was(tmp_path: Path) -> None:
    store = tmp_path / "a.ome.zarr"
    store.mkdir()
    (store / ".zgroup").write_bytes(b"{}")
    (store / "0").write_bytes(b"abc")
    lines = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in ((".zgroup", b"{}"), ("0", b"abc")))
    path = written(tmp_path, a_row(path="a.ome.zarr", sha256=hashlib.sha256(lines.encode()).hexdigest()))
    assert list(finished(path, tmp_path).items) == ["image-1"]
    (store / "1").write_bytes(b"new")
    assert finished(path, tmp_path) == Earlier()


@pytest.mark.parametrize(
    "change",
    [
        {"status": "failed"},
        {"status": "planned"},
        {"status": "skipped"},
        {"sha256": ""},
        {"sha256": "0" * 64},
        {"path": ""},
        {"path": "2_b.ome.tiff"},
        {"path": "../outside"},
        {"path": "."},
        {"path": "link"},
        {"path": "round"},
        {"path": "pipe"},
    ],
    ids=str,
)
def test_what_is_not_done_or_not_there_is_fetched_again(change: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"abc")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "1_a.ome.tiff").write_bytes(b"abc")
    (folder / "link").symlink_to(tmp_path / "outside")
    (folder / "round").symlink_to(folder / "and round")
    (folder / "and round").symlink_to(folder / "round")
    os.mkfifo(folder / "pipe")
    earlier = finished(written(tmp_path, a_row(**change)), folder)
    assert (earlier.items, earlier.files) == ({}, {})
    assert earlier.begun == ({"1_a.ome.tiff"} if change == {"status": "planned"} else set())


def test_a_column_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("image_id\timage_id\n6001240\t6001247\n")
    with pytest.raises(UnreadableError, match=r"t\.tsv has two columns image_id\."):
        list(read_rows(path, ("image_id",)))


def test_an_item_is_complete_only_with_all_its_rows(tmp_path: Path) -> None:
    (tmp_path / "1_a.ome.tiff").write_bytes(b"abc")
    whole, rest = a_row(source_url="https://example.org/a"), Row("image-1", "failed", "gone", "https://example.org/b")
    for rows in ((whole, rest), (rest, whole)):
        earlier = finished(written(tmp_path, *rows), tmp_path)
        assert earlier.items == {}
        assert list(earlier.files) == ["https://example.org/a"]


def test_a_table_of_a_foreign_hand_gives_rows_or_a_sentence(tmp_path: Path) -> None:
    cells = dict.fromkeys(MANIFEST, "") | {"item": "image-1", "status": "DONE", "bytes": "9" * 5000, "attempts": "²"}
    row = row_of(cells)
    assert (row.status, row.attempts) == ("failed", None)
    assert row.bytes is not None
    assert row.bytes < 2**63
    path = tmp_path / "manifest.tsv"
    path.write_text(f"{COLUMNS}\nimage-1" + "\t" * 40 + "\n")
    with pytest.raises(UnreadableError, match=r"manifest\.tsv, line 2: 41 values where the header names 12 columns\. Mend that line\."):
        list(read_rows(path, MANIFEST))


def test_a_line_without_end_is_not_read_into_memory(tmp_path: Path) -> None:
    path = tmp_path / "manifest.tsv"
    with path.open("wb") as stream:
        stream.write(b"item\tstatus\n")
        stream.truncate(1 << 30)
    tracemalloc.start()
    with pytest.raises(UnreadableError):
        list(read_rows(path, ("item", "status")))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50_000_000
