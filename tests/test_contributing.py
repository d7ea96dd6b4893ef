"""The worked examples of CONTRIBUTING run as they stand, and each is short."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from standin import harness

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
