"""One grammar of months: what it reads, what it refuses, and that it reads back what it writes."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradeflows.errors import UnknownCode
from tradeflows.measure.window import require
from tradeflows.periods import Window, month, span
from tradeflows.quality.census import Census

MONTHS = st.integers(12, 12 * 9999 - 1)


@given(MONTHS, MONTHS)
def test_what_is_written_is_read_back(one: int, other: int) -> None:
    window = Window(min(one, other), max(one, other))
    assert Window.parse(str(window)) == window
    assert len(window) == window.last - window.first + 1


@given(st.integers(1678, 2261), st.integers(1, 12))
def test_every_spelling_of_a_month_is_that_month(year: int, number: int) -> None:
    text = f"{year}-{number:02d}"
    day = date(year, number, 1)
    for same in (day, pd.Timestamp(day), pd.Period(text, "M"), f"{text}/{text}"):
        assert Window.parse(same) == Window.parse(text)
    assert span(text).tolist() == [month(text)] == [month(f"{text}-17")] == [pd.Timestamp(day)]
    assert Window.parse(year) == Window.parse(f"{year}-01/{year}-12") == Window.parse(f"{year}")
    assert len(span(year)) == 12


@pytest.mark.parametrize(
    ("asked", "todo"),
    [
        ("2022Q1", "a quarter by its months"),
        ("Q4 2022", "a quarter by its months"),
        (pd.Period("2022Q2", "Q"), "a quarter by its months"),
        ("2023-01/2022-01", "swap"),
        ("2023/2022", "swap"),
        (202203, "write it so"),
        ("2022-13", "write it so"),
        ("2022-00", "write it so"),
        ("22", "write it so"),
        (2022.0, "write it so"),
        (True, "write it so"),
        (None, "write it so"),
        ("", "write it so"),
        ("Jan 2022", "write it so"),
        ("2022-3", "write it so"),
        ("٢٠٢٢-Q", "write it so"),
        (pd.NaT, "write it so"),
        (pd.Timestamp("2022-02-24"), "write it so"),
        (pd.Timestamp("2022-02-01 10:00"), "write it so"),
        (pd.Period("2022-02-01", "D"), "write it so"),
        (("2022", "2023"), "write it so"),
        (np.float64("nan"), "write it so"),
    ],
)
def test_what_is_no_window_is_refused_with_advice(asked: object, todo: str) -> None:
    with pytest.raises(UnknownCode, match="window") as error:
        Window.parse(asked)
    assert todo in error.value.todo


def test_months_that_are_absent_are_named() -> None:
    days = pd.to_datetime(["2022-01-01", "2022-03-01"])
    seen = Census(pd.DataFrame({"period": days, "value": 1.0}))
    with pytest.raises(ValueError, match=r"2022-02, 2022-04 of window 2022-01/2022-04"):
        require(seen, [Window.parse("2022-01/2022-04")])
    for wrong in ("2022", "2022-01/2022-03"):
        with pytest.raises(UnknownCode):
            month(wrong)
