"""What is written of runs: paired ratios, and no time for a program that gave no result."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from benchmarking.comparisons import Comparison, compare
from benchmarking.limit import Limit
from benchmarking.machine import this_machine
from benchmarking.plot import plot
from benchmarking.programs import OURS, Absent, Program
from benchmarking.report import Results, markdown
from benchmarking.runs import Run


def program(name: str, *reads: str) -> Program:
    return Program(name, "1.0", frozenset(reads or ("ome-tiff",)), "ome-zarr", lambda task: [])


def took(wall: float, problem: str | None = None) -> Run:
    return Run(wall, wall * 2, 10**8, 2 * 10**8, 10**9, 5, 1 if problem else 0, problem, 4, "kept")


def comparison(theirs: list[Run | None], ours: tuple[float, ...] = (2.0, 4.0, 3.0)) -> Comparison:
    made = compare("ome-tiff", "ome-zarr", 1.0, 2, [program(OURS), program("peer"), program("other", "czi")])
    made.runs = {OURS: [took(wall) for wall in ours], "peer": theirs}
    made.limits = [Limit(1.0, 2.0, 0.5), Limit(1.0, 2.0, 0.5), Limit(1.0, 1.0, 0.5)]
    return made


def results(*comparisons: Comparison) -> Results:
    return Results(
        this_machine(), {"lm_convert": "1.0"}, "Settings.", [Absent("absent", "because")], list(comparisons), [*comparisons], [*comparisons]
    )


def row(text: str, name: str) -> str:
    (found,) = [line for line in text.split("### Not measured", maxsplit=1)[0].splitlines() if line.startswith(f"| {name} ")]
    return found


def test_ratios_are_of_runs_of_one_round_not_of_medians() -> None:
    made = comparison([took(20), took(8), took(6)])
    assert made.ratios("peer") == [10, 2, 2]
    assert row(markdown(results(made)), "peer 1.0").endswith("| 2.00 (2.00–10.00) | 3 |")


def test_a_slow_program_that_sat_out_a_round_is_paired_with_the_rounds_it_ran_in() -> None:
    assert comparison([took(20), took(8), None]).ratios("peer") == [10, 2]


@pytest.mark.parametrize("wrong", [took(0.1, "1 of 12 planes differ"), took(0.1, "exit code 1, see benchmark.log")])
def test_a_fast_wrong_answer_has_no_time_and_no_ratio(wrong: Run) -> None:
    made = comparison([took(20), wrong, took(6)])
    line = row(markdown(results(made)), "peer 1.0")
    assert line.startswith(f"| peer 1.0 | no result: {wrong.problem} |")
    assert not any(character.isdigit() for character in line.split("|", 3)[3])
    assert f"no result: {wrong.problem}" in plot(results(made))


def test_a_failure_of_ours_leaves_no_ratio_for_anybody() -> None:
    made = comparison([took(20)])
    made.runs[OURS] = [took(1, "exit code 1")]
    text = markdown(results(made))
    assert "**lm_convert 1.0** | no result: exit code 1" in text
    assert row(text, "peer 1.0").endswith("| – | 1 |")


def test_the_limit_is_the_longest_part_of_the_same_round() -> None:
    made = comparison([took(1), took(1), took(1)])
    assert made.times_the_limit() == [1, 2, 3]
    assert "lm_convert takes 2.00 (1.00–3.00) times the limit." in markdown(results(made))


def test_a_program_that_cannot_read_the_image_and_one_that_is_absent_are_named() -> None:
    text = markdown(results(comparison([took(1)])))
    assert "| other | cannot read it |" in text
    assert "| absent | because |" in text


def test_every_row_of_a_table_has_as_many_cells_as_its_head() -> None:
    text = markdown(results(comparison([took(1)]), comparison([took(1, "wrong")])))
    tables: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            tables[-1].append(line)
        elif tables[-1]:
            tables.append([])
    assert [table for table in tables if len({line.count("|") for line in table}) > 1] == []


def test_the_plot_is_well_formed_and_names_every_program() -> None:
    root = ElementTree.fromstring(plot(results(comparison([took(20), took(8), None]))))  # noqa: S314 - our own text
    words = " ".join(element.text or "" for element in root.iter("{http://www.w3.org/2000/svg}text"))
    assert "lm_convert 1.0" in words
    assert "peer 1.0" in words


def test_a_plot_of_nothing_is_still_a_picture() -> None:
    empty = Results(this_machine(), {}, "Settings.", [])
    assert ElementTree.fromstring(plot(empty)).tag.endswith("svg")  # noqa: S314 - our own text
