"""A download that is killed at random moments ends, when it is let run, as if nothing had been."""

from __future__ import annotations

from pathlib import Path

from tests.archives.kills import killed


def test_three_kills_cost_little_and_change_nothing(tmp_path: Path) -> None:
    report = killed(tmp_path, kills=3, seed=5)
    assert report.same
    assert report.kills == 3
    assert report.twice < report.bytes, "what is there is not fetched again"
