"""A sign of life now and then."""

from __future__ import annotations

import logging

import pytest

from lightmicroscopy.archives.pulse import Pulse


def test_a_message_comes_once_in_a_while_and_with_the_newest_values(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]
    pulse = Pulse(30, lambda: now[0])
    with caplog.at_level(logging.INFO, "lightmicroscopy"):
        for second in range(100):
            now[0] = second
            pulse.tell("%d images so far.", second)
    assert [record.message for record in caplog.records] == ["30 images so far.", "60 images so far.", "90 images so far."]


def test_what_is_over_soon_says_nothing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "lightmicroscopy"):
        Pulse(30, lambda: 5.0).tell("x")
    assert caplog.records == []
