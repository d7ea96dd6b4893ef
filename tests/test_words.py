"""Numbers as people write them."""

import subprocess
import sys

import pytest

from tradeflows.words import amount, number, percent


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (amount(58.84e9, "USD"), "58.8 bn USD"),
        (amount(412e6, "USD"), "412 m USD"),
        (amount(-412e6, "USD"), "−412 m USD"),
        (amount(999.96e6, "USD"), "1.00 bn USD"),
        (amount(2500, "USD"), "2,500 USD"),
        (amount(0, "USD"), "0 USD"),
        (amount(58.8, "bn USD"), "58.8 bn USD"),
        (amount(float("nan"), "USD"), "–"),
        (amount(24, "%", sign=True), "+24 %"),
        (percent(0.24, sign=True), "+24 %"),
        (percent(-0.0004), "0.0 %"),
        (percent(0), "0 %"),
        (number(-0.00001), "0.0000"),
        (number(1234567), "1,234,567"),
        (number(0.0123), "0.012"),
    ],
)
def test_numbers_are_written_for_people(shown, expected):
    assert shown == expected


def test_writing_numbers_does_not_wait_for_matplotlib():
    code = (
        "import sys; from tradeflows.words import amount; assert amount(1e9, 'USD');"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
