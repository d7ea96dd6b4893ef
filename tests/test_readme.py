"""What the README says is so."""

import re
from pathlib import Path

import pytest

import pages
import tradeflows as tf

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
MARK = re.compile(r"<!-- findings:start -->\n(.*)<!-- findings:end -->", re.S)


def findings(answers) -> str:
    """Return the table of findings as the README should hold it."""
    rows = [f"| {v.rule.question} | **{v.grade}** | {v.headline} | {v.say} |" for v in answers]
    return "\n".join(["| question | verdict | number | in words |", "|---|---|---|---|", *rows, ""])


def test_findings_are_what_the_rules_make_of_the_data(shown):
    found = MARK.search(README)
    assert found
    assert found.group(1) == findings(shown(pages.FOLDER / "00-answers.ipynb")["answers"])


def test_code_in_the_readme_runs(capsys):
    for block in re.findall(r"```python\n(.*?)```", README, re.S):
        exec(compile(block, "README.md", "exec"), {})  # noqa: S102 - our own text
    assert "price accounts for" in capsys.readouterr().out


def test_targets_and_folders_named_are_there():
    makefile = (ROOT / "Makefile").read_text()
    for target in set(re.findall(r"`make ([a-z]+)", README)):
        assert re.search(rf"^{target}:", makefile, re.M), target
    for folder in re.findall(r"^\| `([a-z/_.]+)` \|", README, re.M):
        assert (ROOT / folder).exists(), folder


@pytest.mark.parametrize("name", re.findall(r"`tf\.([a-z_]+)`", README))
def test_functions_named_are_public(name):
    assert name in tf.__all__
    assert callable(getattr(tf, name))
