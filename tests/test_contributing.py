"""The worked examples of CONTRIBUTING run as they stand, and each is short."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from standin import harness
from tradeflows import store
from tradeflows.errors import UnknownCode
from tradeflows.sources import stored

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
PARTS = dict(re.findall(r"^## (Add [^\n]+)\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S))


def test_there_are_three_examples_of_under_forty_lines() -> None:
    assert list(PARTS) == ["Add a source", "Add a claim", "Add a country pair"]
    for part in PARTS.values():
        code = "".join(re.findall(r"```\w+\n(.*?)```", part, re.S))
        assert 0 < len(code.splitlines()) < 40


@pytest.mark.parametrize("name", PARTS)
def test_an_example_runs(name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with harness.asked(monkeypatch, tmp_path / "data"):
        shutil.copytree(harness.SNAPSHOT, tmp_path / "data" / "raw", dirs_exist_ok=True)
        commands = re.findall(r"^\$ tradeflows (.*)$", PARTS[name], re.M)
        code = [f"-m tradeflows.cli {c}".split() for c in commands]
        code += [["-c", c] for c in re.findall(r"```python\n(.*?)```", PARTS[name], re.S)]
        for one in code:
            done = subprocess.run(
                [sys.executable, *one], cwd=tmp_path, env=os.environ, capture_output=True,
                text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stdout + done.stderr


def test_what_it_names_is_there() -> None:
    for path in re.findall(r"\]\(([a-z/._]+)\)|`(soak/[a-z.]+)`", TEXT):
        assert (ROOT / "".join(path)).exists(), path


def test_another_package_brings_a_reader(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    about = tmp_path / "borduria-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: borduria\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[tradeflows.sources]\nborduria = borduria:read\n")
    (tmp_path / "borduria.py").write_text(
        "import pandas as pd\nfrom tradeflows import tables\n"
        "def read(data, raw):\n"
        "    frame = pd.DataFrame({'value': [float(data)], 'series': 'plum', 'unit': 'USD/t',\n"
        "        'origin': raw.id, 'source': raw.publisher, 'vintage': raw.vintage, 'freq': 'M',\n"
        "        'period': '2022-01-01', 'period_end': '2022-01-01'})\n"
        "    return tables.validate(frame, 'prices', where=raw.id)\n"
    )
    with harness.asked(monkeypatch, tmp_path / "data"):
        facts = dict.fromkeys(("title", "url", "licence", "terms", "coverage", "obtained"), "x")
        days = {"accessed": "2026-01-16", "vintage": "2026-01-15"}
        store.put(
            "borduria/live/prices@2026-01-15.txt", b"7",
            facts | days | {"publisher": "Borduria", "table": "prices", "rows": 1},
        )  # fmt: skip
        raw = stored.files("prices")[0]
        with pytest.raises(UnknownCode, match="no reader for files of 'borduria'"):
            stored.table(raw)
        monkeypatch.syspath_prepend(tmp_path)
        assert stored.table(raw)["value"].tolist() == [7.0]
        assert stored.refreshed("prices")["source"].tolist() == ["Borduria"]
