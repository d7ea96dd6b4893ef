"""The environment has one source: pyproject.toml. The others follow."""

import os
import re
import shutil
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.markers import default_environment
from packaging.utils import canonicalize_name

import environment

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = {
    "requirements.lock": ["report"],
    "requirements-dev.lock": ["report", "dev"],
    "requirements-docs.lock": ["report", "docs"],
    "requirements-lab.lock": ["lab"],
    "requirements-spark.lock": ["spark"],
}
ALL_LOCKS = [*LOCKS, "soak/requirements.lock"]
CONDA_NAMES = {
    "matplotlib-base": "matplotlib",
    "python-duckdb": "duckdb",
    "nbconvert-core": "nbconvert",
}
SYSTEMS = {
    "linux": {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    "darwin": {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    "win32": {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
PYTHONS = ["3.11.0", "3.12.12", "3.14.1"]
HERE = {canonicalize_name(d.name): d for d in metadata.distributions()}


def split(requirement: str) -> tuple[str, str]:
    name, _, bound = requirement.strip().partition(">=")
    name = name.split("[")[0].strip().lower().replace("_", "-")
    return CONDA_NAMES.get(name, name), bound.strip()


def pinned(lock: str) -> set[tuple[str, str]]:
    return set(re.findall(r"^([a-z0-9._-]+)==([^ ;\\\n]+)", (ROOT / lock).read_text(), re.M))


def installed(pins: dict[str, str]) -> dict[str, list[str]]:
    """Return what the packages that are here in the pinned version require."""
    return {
        n: HERE[n].requires or [] for n, v in pins.items() if n in HERE and HERE[n].version == v
    }


def unmet(lock: str, wanted: list[str], requires=None, where=None) -> list[str]:
    """Return what the text of a lock lacks; ``requires`` is the metadata, else what is here."""
    where = {**default_environment(), **(where or {})}
    pins = environment.pins(lock, where)
    requires = installed(pins) if requires is None else requires
    whole = [*wanted, *(f"{n}=={v}" for n, v in pins.items())]
    return environment.unmet(whole, pins, lambda name: requires.get(name, []), where)


def test_environment_yml_has_the_names_and_bounds_of_pyproject():
    extras = PROJECT["optional-dependencies"]
    wanted = dict(map(split, PROJECT["dependencies"] + extras["report"] + extras["lab"]))
    wanted["python"] = PROJECT["requires-python"].removeprefix(">=")
    listed = yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]
    assert dict(map(split, listed)) == wanted


@pytest.mark.parametrize("lock", LOCKS)
def test_locks_hold_every_dependency_with_hashes_and_no_address(lock):
    text = (ROOT / lock).read_text()
    extras = [
        d for extra in ["build", *LOCKS[lock]] for d in PROJECT["optional-dependencies"][extra]
    ]
    names = [split(d)[0] for d in PROJECT["dependencies"] + extras]
    assert [n for n in names if n not in dict(pinned(lock))] == []
    assert "://" not in text
    assert len(re.findall(r"^\S+==", text, re.M)) <= text.count("--hash=sha256:")


def test_locks_agree_on_shared_packages():
    """Any two of them may be in one environment."""
    for lock in ALL_LOCKS:
        for other in ALL_LOCKS:
            shared = dict(pinned(lock)).keys() & dict(pinned(other)).keys()
            assert {p for p in pinned(lock) if p[0] in shared} == {
                p for p in pinned(other) if p[0] in shared
            }, (lock, other)


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("lock", ALL_LOCKS)
def test_locks_are_complete_without_a_resolver(lock, system, python):
    """Every requirement, in the metadata of what is installed, is met by a pin: extras too."""
    where = SYSTEMS[system] | {
        "python_full_version": python,
        "python_version": python.rpartition(".")[0],
    }
    assert unmet((ROOT / lock).read_text(), environment.wanted(lock), where=where) == []


def test_the_environment_of_the_tests_is_the_lock():
    """Else the test above reads the metadata of too little."""
    pins = environment.pins((ROOT / "requirements-dev.lock").read_text(), default_environment())
    other = pins.keys() - installed(pins).keys()
    if other:
        pytest.skip(f"an environment of its own: other versions of {sorted(other)}")


def test_a_lock_whose_extra_is_not_pinned_is_found():
    wanted, requires = ["a>=1"], {"a": ["B_b[toml]>=2"], "b-b": ["c>=3; extra == 'toml'"]}
    lock = "a==1.0 \\\n    --hash=sha256:00\nb-b==2.1\n"
    assert unmet(lock, wanted, requires) == ['b-b needs c>=3; extra == "toml": absent']
    assert unmet(lock + "c==2.9\n", wanted, requires) == [
        'b-b needs c>=3; extra == "toml": found 2.9'
    ]
    assert unmet(lock + "c==3.0 ; python_version < '3'\n", wanted, requires) == [
        'b-b needs c>=3; extra == "toml": absent'
    ]
    assert unmet(lock + "c==3.0\n", wanted, requires) == []
    assert unmet(lock, wanted, {**requires, "a": ["b-b>=2"]}) == []  # nobody asks for the extra


def test_coverage_missing_or_too_old_is_found_in_the_lock_of_the_tests():
    text = (ROOT / "requirements-dev.lock").read_text()
    wanted = environment.wanted("requirements-dev.lock")
    need = next((r for r in metadata.requires("pytest-cov") or [] if "coverage[" in r), None)
    if need is None or ("pytest-cov", metadata.version("pytest-cov")) not in pinned(
        "requirements-dev.lock"
    ):
        pytest.skip("another pytest-cov than the lock's")
    without = re.sub(r"^coverage==.*\n(    --hash.*\n)+", "", text, flags=re.M)
    assert unmet(without, wanted) == [f"pytest-cov needs {need}: absent"]
    older = re.sub(r"^coverage==\S+", "coverage==7.0.0", text, flags=re.M)
    assert unmet(older, wanted) == [f"pytest-cov needs {need}: found 7.0.0"]


def dry(*args: str) -> str:
    """Return what make would do."""
    if shutil.which("make") is None:
        pytest.skip("no make here")
    env = {
        k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS")) and k != "ENV"
    }
    run = ["make", "-n", "-B", *args]
    return subprocess.run(run, cwd=ROOT, env=env, check=True, capture_output=True, text=True).stdout


TARGETS = sorted(
    set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.M)) - {"help", "lock"}
)


@pytest.mark.parametrize("target", TARGETS)
def test_targets_use_the_environment_they_are_given(target):
    assert ".venv" not in dry("VENV=/elsewhere", target)
    if target != "clean":
        active = dry("ENV=active", "PYTHON=python-of-mine", target)
        assert "pip" not in active
        assert ".venv" not in active
        assert "python-of-mine -m tests.environment requirements.lock" in active


@pytest.mark.parametrize("uv", ["", "uv"])
def test_locks_are_installed_without_a_resolver_then_checked(uv):
    lines = dry(f"UV={uv}", "VENV=/elsewhere", "test").splitlines()
    locked = [line for line in lines if "--require-hashes" in line]
    assert len(locked) == 2
    assert all("--no-deps" in line and ("uv pip" in line) == bool(uv) for line in locked)
    assert len([line for line in lines if "pip check" in line]) == 2


def test_lab_takes_arguments_and_runs_as_root():
    line = dry("lab", "ARGS=--no-browser").splitlines()[-1]
    assert "--no-browser" in line
    assert ("--allow-root" in line) == (os.geteuid() == 0)


def test_version_is_said_once_and_repeated_right():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
