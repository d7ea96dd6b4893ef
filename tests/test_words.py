"""Numbers as people write them."""

import subprocess
import sys

import pytest

from tradeflows.words import (
    Sentence,
    amount,
    between,
    html_text,
    joined,
    number,
    percent,
    scale_for,
)


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
        (between(0.24, 0.41, percent), "24 % to 41 %"),
        (between(0.241, 0.242, percent), "24 %"),
        ([joined("ABC"), joined("A"), joined([])], ["A, B and C", "A", ""]),
        (html_text("1 < 2: `make`"), "1 &lt; 2: <code>make</code>"),
        (Sentence("a < b")._repr_html_(), "<p>a &lt; b</p>"),
        ([scale_for(x, u).unit for x, u in ((3e9, "USD"), (3e9, "m3"), (3e6, "kg"), (3, "index"))],
         ["bn USD", "bn m³", "t", "index"]),
        ([scale_for(58.8e9, "USD").text(x) for x in (58.81, -1.04, 0.004, -1e-17)],
         ["58.8", "−1.0", "0.004", "0.0"]),
    ],
)  # fmt: skip
def test_numbers_are_written_for_people(shown, expected):
    assert shown == expected


def test_writing_numbers_does_not_wait_for_matplotlib():
    code = (
        "import sys; from tradeflows.words import amount; assert amount(1e9, 'USD');"
        "sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
