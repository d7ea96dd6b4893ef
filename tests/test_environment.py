"""The environment has one source: pyproject.toml. The others follow."""

import re
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {
    "requirements.lock": [],
    "requirements-dev.lock": ["dev"],
    "requirements-lab.lock": ["lab"],
}
CONDA_NAMES = {
    "matplotlib-base": "matplotlib",
    "python-duckdb": "duckdb",
    "nbconvert-core": "nbconvert",
}


def split(requirement: str) -> tuple[str, str]:
    name, _, bound = requirement.strip().partition(">=")
    name = name.split("[")[0].strip().lower().replace("_", "-")
    return CONDA_NAMES.get(name, name), bound.strip()


def test_environment_yml_has_the_names_and_bounds_of_pyproject():
    wanted = dict(map(split, PROJECT["dependencies"] + PROJECT["optional-dependencies"]["lab"]))
    wanted["python"] = PROJECT["requires-python"].removeprefix(">=")
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert dict(map(split, listed)) == wanted


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_every_dependency_with_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    pinned = dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\\n]+)", text, re.M))
    extras = [
        d for extra in ["build", *LOCKS[lock]] for d in PROJECT["optional-dependencies"][extra]
    ]
    names = [split(d)[0] for d in PROJECT["dependencies"] + extras]
    assert [n for n in names if n.replace("_", "-") not in pinned] == []
    assert "://" not in text
    assert len(re.findall(r"^\S+==", text, re.M)) <= text.count("--hash=sha256:")


def test_locks_agree_on_shared_packages():
    versions = [
        set(re.findall(r"^([a-z0-9._-]+)==([^ ;\\\n]+)", (ROOT / lock).read_text(), re.M))
        for lock in LOCKS
    ]
    core_names = {name for name, _ in versions[0]}
    for other in versions[1:]:
        assert {pin for pin in other if pin[0] in core_names} == versions[0]


def test_version_is_said_once_and_repeated_right():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
