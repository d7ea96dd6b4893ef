"""The pages of documentation hold every public name, and what they show runs."""

import doctest
import inspect
import re
from pathlib import Path

import pandas as pd
import pytest

import tradeflows as tf

SITE = Path(__file__).parents[1] / "docs" / "site"
OWN = SITE.parent / "your-own.csv"
PLOT = {n for n in tf.plot.__all__ if n not in {"GREY", "INK", "MIME", "csv_text", "table_html"}}


def test_every_public_name_has_its_page():
    listed = re.findall(r"^   (\w+)$", (SITE / "api.rst").read_text(), re.M)
    assert sorted(listed) == sorted((set(tf.__all__) - {"plot"}) | PLOT)


@pytest.mark.parametrize(
    "name", sorted(set(tf.__all__) - {"plot"}) + sorted(f"plot.{n}" for n in PLOT)
)
def test_every_public_name_has_an_example(name):
    thing = tf
    for part in name.split("."):
        thing = getattr(thing, part)
    parts = [thing, *(m for _, m in inspect.getmembers(thing, callable) if inspect.isclass(thing))]
    assert any(">>>" in (inspect.getdoc(part) or "") for part in parts)


def test_ten_minutes_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = doctest.testfile(
        str(SITE / "ten-minutes.rst"),
        module_relative=False,
        globs={"pd": pd, "tf": tf, "OWN": OWN},
        optionflags=doctest.ELLIPSIS,
    )
    assert found.attempted > 10
    assert found.failed == 0
    assert (tmp_path / "answer.png").read_bytes().startswith(b"\x89PNG")
