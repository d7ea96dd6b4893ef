"""Mutation testing of ``measure/`` and ``claims/`` with mutmut, in a copy of the tree.

``soak/mutants.py [PATTERN …]``: files below ``src/tradeflows``; results in ``build/soak``.
``soak/mutants.py --left``: once more, with the tests as they are now, what was not killed or not
tried.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
COPY = ROOT / "build" / "soak" / "mutants"
TOOL = str(Path(sys.executable).with_name("mutmut"))
UNTRIED = "not checked"
TESTS = {
    "measure": (
        "test_method.py",
        "test_shown.py",
        "test_corners_and_cells.py",
        "test_bridge.py",
        "test_index_numbers.py",
        "test_intervals.py",
        "test_screen.py",
    ),
    "claims": ("test_rules.py", "test_evidence.py", "test_electronics.py", "test_energy.py"),
}

# Mutants are forked from a process in which the tests have run: what it kept would hide them.
FORGET = """

import sys


@pytest.fixture(autouse=True, scope="session")
def nothing_kept():
    for name, module in list(sys.modules.items()):
        for found in vars(module).values() if name.startswith("tradeflows") else ():
            getattr(found, "cache_clear", int)()
"""


def main(given: list[str]) -> int:
    """Run mutmut and write how many mutants were killed, and which were not."""
    goes_on = given[:1] == ["--left"]
    names = [n for n, fate in _fates().items() if fate != "killed"] if goes_on else []
    if not goes_on:
        shutil.rmtree(COPY, ignore_errors=True)
        for name in ("src", "data/raw", "docs", "notebooks"):
            shutil.copytree(ROOT / name, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "README.md", COPY / "README.md")
        chosen = given or [f"{room}/*.py" for room in TESTS]
        (COPY / "chosen.json").write_text(json.dumps(chosen), "utf-8")
    _tested(json.loads((COPY / "chosen.json").read_text("utf-8")))
    subprocess.run([TOOL, "run", "--max-children", "2", *names], cwd=COPY, check=False)  # noqa: S603
    counted(_fates())
    return 0


def counted(fates: dict[str, str]) -> None:
    """Write how many mutants of each module met which fate, and which functions hold live ones."""
    left = Counter(_place(name) for name, fate in fates.items() if fate not in ("killed", UNTRIED))
    modules: dict[str, Counter[str]] = {}
    for name, fate in fates.items():
        modules.setdefault(".".join(_place(name).split(".")[:2]), Counter())[fate] += 1
    found = json.dumps({"modules": modules, "left": left}, indent=1)
    (ROOT / "build" / "soak" / "mutants.json").write_text(found, "utf-8")
    sys.stderr.write(f"mutants: {dict(Counter(fates.values()))}\n")


def _tested(chosen: list[str]) -> None:
    """Bring the tests as they are, and say which of them meet the mutants."""
    shutil.copytree(
        ROOT / "tests", COPY / "tests", dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__"),
    )  # fmt: skip
    with (COPY / "tests" / "conftest.py").open("a", encoding="utf-8") as handle:
        handle.write(FORGET)
    rooms = sorted({pattern.split("/")[0] for pattern in chosen})
    tests = [f"tests/{t}" for room in rooms for t in TESTS[room]]
    tests += [f"src/tradeflows/{room}" for room in rooms]  # examples in docstrings
    settings = {
        "paths_to_mutate": ["src/"],
        "only_mutate": [f"src/tradeflows/{pattern}" for pattern in chosen],
        "tests_dir": tests,
        "pytest_add_cli_args_test_selection": tests,
        "also_copy": ["data", "README.md", "notebooks", "docs"],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    whole = (ROOT / "pyproject.toml").read_text("utf-8")
    added = "\n".join(["", "[tool.mutmut]", *lines, ""])
    (COPY / "pyproject.toml").write_text(whole + added, "utf-8")


def _fates() -> dict[str, str]:
    told = subprocess.run(  # noqa: S603
        [TOOL, "results", "--all", "true"], cwd=COPY, capture_output=True, text=True, check=False
    )
    return dict(re.findall(r"^\s*(\S+): (.+)$", told.stdout, re.MULTILINE))


def _place(name: str) -> str:
    """Return module and function of a mutant: ``tradeflows.a.xǁBǁc__mutmut_1`` is ``a.B.c``."""
    plain = name.removeprefix("tradeflows.").rpartition("__mutmut_")[0]
    module, _, function = plain.rpartition(".")
    return f"{module}.{function.removeprefix('xǁ').removeprefix('x_').replace('ǁ', '.')}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
