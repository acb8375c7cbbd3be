"""How long a busy server wants to be left alone, in each of the ways to say so."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from evaluator.retry_after import retry_after


@pytest.fixture
def far_east(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Pacific/Kiritimati")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("far_east")
@pytest.mark.parametrize(
    "form",
    ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %d %H:%M:%S %Y"],
)
def test_a_date_is_read_in_each_form_of_http_wherever_this_machine_stands(form: str) -> None:
    date = (datetime.now(UTC) + timedelta(seconds=60)).strftime(form)
    assert retry_after(date) == pytest.approx(60, abs=5)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7.5", 7.5), ("-3", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("inf", float("inf"))],
)
def test_seconds_are_taken_as_they_are_and_what_is_past_is_none(
    header: str, seconds: float
) -> None:
    assert retry_after(header) == seconds


@pytest.mark.parametrize("header", ["", "nan", "soon", "Wed, 31 Feb 2026 07:28:00 GMT"])
def test_what_is_neither_a_number_nor_a_date_asks_for_nothing(header: str) -> None:
    assert retry_after(header) is None
