"""Inspect microscopy images: every series of every file, as a table, JSON, OME-XML, pictures and a page to read."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightmicroscopy import cli, flags
from lightmicroscopy.words import path_or_address

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from lightmicroscopy.inputs import Given, Web

PROGRAM = "lm_inspect"
FORM_ONLY = ("source_by", "input", "images", "store", "make_ome_xml")


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    result = cli.build_parser(
        PROGRAM,
        "See what is in microscopy images: every series, its sizes, channels, instrument and dates.",
        output=False,
        examples=(
            "lm_inspect scan.czi",
            "lm_inspect folder/ --html page.html --preview sheet.png",
            "lm_inspect *.lif *.nd2 --table series.tsv --json all.json --ome-xml metadata/",
        ),
    )
    result.add_argument(
        "input",
        nargs="*",
        type=path_or_address,
        metavar="INPUT",
        help="files, OME-Zarr folders, zips, folders of them, or addresses of OME-Zarr on the web; the files of a set together",
    )
    flags.add_url(result, repeatable=True)
    flags.add_reading(result)
    result.add_argument("--table", type=Path, metavar="FILE", help="table (TSV), a row for each series")
    result.add_argument("--json", type=Path, metavar="FILE", help="everything, for programs")
    result.add_argument("--html", type=Path, metavar="FILE", help="page for people")
    result.add_argument("--preview", type=Path, metavar="PNG", help="pictures of the first 24 series on one sheet")
    result.add_argument(
        "--ome-xml", type=Path, metavar="DIR", help="folder for the metadata of each input as OME-XML, INPUT.ome.xml; made if it is not there"
    )
    result.add_argument(
        "--original-metadata",
        choices=("keep", "scrub", "drop"),
        default="keep",
        help="in --html, --json and --ome-xml, the source's own metadata: keep; scrub (personal data); drop (default: keep)",
    )
    result.add_argument("--checksum", action="store_true", help="note the SHA-256 of each input, which reads all of it")
    return result


def work(arguments: argparse.Namespace) -> int:
    """Inspect, with one client for all that is on the web."""
    from lightmicroscopy.inputs import Web

    with Web(cli.resources(arguments).memory) as web:
        return _inspected(arguments, web)


def _inspected(arguments: argparse.Namespace, web: Web) -> int:
    """Inspect, writing as the inputs go by."""
    from lightmicroscopy.folders import expand
    from lightmicroscopy.inputs import bytes_of, names_of
    from lightmicroscopy.inspection import inspect
    from lightmicroscopy.progress import Progress
    from lightmicroscopy.reports.inspection_files import Files
    from lightmicroscopy.reports.tables import files_written
    from lightmicroscopy.reports.words import plural

    expanded = expand(arguments.input)
    given = web.all_given(expanded.words, arguments.url)
    names, known = names_of(given), flags.reading_of(arguments)
    documents = _documents(arguments.ome_xml, names) if arguments.ome_xml else {}
    reports = (arguments.table, arguments.json, arguments.html, arguments.preview)
    paths = cli.refuse_overwriting(arguments, given, reports, documents.values())
    log = logging.getLogger("lightmicroscopy")
    for note in expanded.notes:
        log.info(cli.one_line(note))
    done, total = 0, sum(bytes_of(item) or 0 for item in given)
    progress = Progress("Inspecting", quiet=arguments.quiet, log_json=arguments.log_json)
    files = Files(
        table=arguments.table,
        json=arguments.json,
        html=arguments.html,
        ome_xml=documents,
        original=arguments.original_metadata,
        checksum=arguments.checksum,
        parameters=(*flags.recorded_reading(arguments), ("original-metadata", arguments.original_metadata)),
        told=None if any((*reports, arguments.ome_xml)) else _tell,
    )
    try:
        with files:
            for item in inspect(given, **known):
                # None of the files has its name before this has been asked of every input.
                paths.refuse(item.dataset.files if item.dataset else ())
                files.add(item)
                done = min(total, done + (item.bytes or 0))
                progress(done, total)
                if item.unreadable:
                    log.warning(cli.one_line(item.unreadable))
    finally:
        progress.close()
    if arguments.preview:
        from lightmicroscopy.reports.preview import write_preview

        write_preview(_entries(given, known), arguments.preview, total=files.series)
    log.info("%s in %s, %d unreadable", plural(files.series, "series"), plural(files.inputs, "input"), files.failed)
    made = files_written(reports, sum(path.exists() for path in documents.values()), arguments.ome_xml)
    if made:
        log.info(cli.one_line(made))
    if files.failed == files.inputs:
        return cli.NOTHING_USABLE
    return cli.SOME_FAILED if files.failed and arguments.strict else cli.DONE


def _documents(folder: Path, names: list[str]) -> dict[str, Path]:
    """Name the OME-XML of each input."""
    from lightmicroscopy.names import sanitise, unique, without_extension

    stems = unique([sanitise(without_extension(name)) for name in names])
    return {name: folder / f"{stem}.ome.xml" for name, stem in zip(names, stems, strict=True)}


def _entries(given: tuple[Given, ...], known: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Open inputs once more for a look, as far as the picture reaches."""
    from lightmicroscopy.inspection import inspect, titles

    for item in inspect(given, **known):
        images = item.dataset.images if item.dataset else ()
        yield from zip(titles(item.name, images), images, strict=True)


def _tell(row: dict[str, object]) -> None:
    """Print a row for somebody who wants no file."""
    if row.get("series") is None:
        sys.stdout.write(cli.one_line(f"{row['input']}: not readable") + "\n")
        return
    sizes = " ".join(f"{axis.upper()}{row[f'size_{axis}']}" for axis in "tczyx")
    notes = row["warnings"] if isinstance(row["warnings"], tuple) else ()
    size = row["pixel_size_x_um"]
    calibration = "unknown pixel size" if size is None else f"{size:.4g} µm"
    channels = ", ".join(str(name) for name in row["channels"]) if isinstance(row["channels"], list) else "unnamed channels"
    kind = "" if row["kind"] == "intensity" else f"{'RGB' if row['kind'] == 'rgb' else row['kind']} "
    line = f"{row['input']} : {row['series']} {row['series_name']} — {sizes} {kind}{row['dtype']}, {calibration}, {channels}; {row['format']}"
    sys.stdout.write(cli.one_line(" — ".join((line, *notes))) + "\n")


def main(arguments: list[str] | None = None) -> int:
    """Run the script."""
    return cli.run(PROGRAM, work, cli.parse_with_input(parser(), arguments, form_only=FORM_ONLY))


if __name__ == "__main__":
    sys.exit(main())
