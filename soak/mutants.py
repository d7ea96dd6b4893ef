"""Mutation testing with mutmut, each room in a copy of the tree: ``soak/mutants.py [ROOM …]``.

``--left`` tries once more, with the tests as they are now, what was not killed or not tried.
Counts go to ``soak/counts``; in ``build/mutants/ROOM``, ``mutmut results`` names what no test
noticed and ``mutmut show NAME`` shows it.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
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
    "claims": (
        "test_verdicts.py",
        "test_rules.py",
        "test_panel.py",
        "test_electronics.py",
        "test_energy.py",
    ),
}

# Mutants are forked from a process in which the tests have run: what it kept would hide them.
FORGET = """

import sys


@pytest.fixture(autouse=True, scope="session")
def nothing_kept():
    for name, module in list(sys.modules.items()):
        for found in vars(module).values() if name.startswith("tradeflows") else ():
            getattr(found, "cache_clear", int)()


def pytest_collection_modifyitems(items):
    # Each example once, and not again for every mutant of its function; and no test of the line
    # that a warning points to, which a mutated function has one frame away.
    skipped = ("__mutmut_", "is_worth_a_warning")
    items[:] = [i for i in items if not any(s in i.nodeid for s in skipped)]
"""


def main(given: list[str]) -> int:
    """Run mutmut and write how many mutants were killed, and which were not."""
    rooms = [g for g in given if g != "--left"]
    if unknown := [room for room in rooms if room not in TESTS]:
        sys.stderr.write(f"no room {', '.join(unknown)}: expected {', '.join(TESTS)} or --left\n")
        return 2
    for room in rooms or TESTS:
        copy = ROOT / "build" / "mutants" / room
        goes_on = "--left" in given
        names = [n for n, fate in _fates(copy).items() if fate != "killed"] if goes_on else []
        if not goes_on:
            shutil.rmtree(copy, ignore_errors=True)
            for name in ("src", "data/raw", "docs", "notebooks"):
                unwanted = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, copy / name, ignore=unwanted)
            shutil.copy(ROOT / "README.md", copy / "README.md")
        _tested(room, copy)
        children = str(len(os.sched_getaffinity(0)))
        command = [TOOL, "run", "--max-children", children, *names]
        subprocess.run(command, cwd=copy, check=False)  # noqa: S603
        counted(room, copy)
    return 0


def counted(room: str, copy: Path) -> None:
    """Write how many mutants of each module met which fate."""
    fates = _fates(copy)
    modules: dict[str, Counter[str]] = {}
    for name, fate in fates.items():
        module = name.removeprefix("tradeflows.").rpartition(".")[0]
        modules.setdefault(module, Counter())[fate] += 1
    found = json.dumps({"modules": modules}, indent=1)
    (ROOT / "soak" / "counts" / f"mutants-{room}.json").write_text(found, "utf-8")
    sys.stderr.write(f"mutants of {room}: {dict(Counter(fates.values()))}\n")


def _tested(room: str, copy: Path) -> None:
    """Bring the tests as they are, and say which of them meet the mutants."""
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "tests", copy / "tests", dirs_exist_ok=True, ignore=unwanted)
    with (copy / "tests" / "conftest.py").open("a", encoding="utf-8") as handle:
        handle.write(FORGET)
    tests = [*(f"tests/{t}" for t in TESTS[room]), f"src/tradeflows/{room}"]  # and the examples
    settings = {
        "paths_to_mutate": ["src/"],
        "only_mutate": [f"src/tradeflows/{room}/*.py"],
        "tests_dir": tests,
        "pytest_add_cli_args_test_selection": tests,
        "also_copy": ["data", "README.md", "notebooks", "docs"],
    }
    lines = [f"{name} = {json.dumps(value)}" for name, value in settings.items()]
    whole = (ROOT / "pyproject.toml").read_text("utf-8")
    added = "\n".join(["", "[tool.mutmut]", *lines, ""])
    (copy / "pyproject.toml").write_text(whole + added, "utf-8")


def _fates(copy: Path) -> dict[str, str]:
    told = subprocess.run(  # noqa: S603
        [TOOL, "results", "--all", "true"], cwd=copy, capture_output=True, text=True, check=False
    )
    return dict(re.findall(r"^\s*(\S+): (.+)$", told.stdout, re.MULTILINE))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
