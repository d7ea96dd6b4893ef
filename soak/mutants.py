"""Mutation testing of ``measure/`` and ``claims/`` with mutmut, in a copy of the tree.

``soak/mutants.py [PATTERN …]``: files below ``src/tradeflows``; results in ``build/soak``.
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


def main(patterns: list[str]) -> int:
    """Run mutmut and write how many mutants were killed, and which were not."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    for name in ("src", "tests", "data/raw", "docs", "notebooks"):
        shutil.copytree(ROOT / name, COPY / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, COPY / name)
    with (COPY / "tests" / "conftest.py").open("a", encoding="utf-8") as handle:
        handle.write(FORGET)
    chosen = patterns or [f"{room}/*.py" for room in TESTS]
    rooms = {p.split("/")[0] for p in chosen}
    tests = [f"tests/{t}" for room in sorted(rooms) for t in TESTS[room]]
    tests += [f"src/tradeflows/{room}" for room in sorted(rooms)]  # examples in docstrings
    only = [f"src/tradeflows/{p}" for p in chosen]
    settings = f'\n[tool.mutmut]\npaths_to_mutate = ["src/"]\nonly_mutate = {json.dumps(only)}\n'
    settings += f"tests_dir = {json.dumps(tests)}\npytest_add_cli_args_test_selection = "
    settings += f'{json.dumps(tests)}\nalso_copy = ["data", "README.md", "notebooks", "docs"]\n'
    with (COPY / "pyproject.toml").open("a", encoding="utf-8") as handle:
        handle.write(settings)
    tool = str(Path(sys.executable).with_name("mutmut"))
    subprocess.run([tool, "run", "--max-children", "2"], cwd=COPY, check=False)  # noqa: S603
    told = subprocess.run(  # noqa: S603
        [tool, "results", "--all", "true"], cwd=COPY, capture_output=True, text=True, check=False
    )
    found = dict(re.findall(r"^\s*(\S+): (.+)$", told.stdout, re.MULTILINE))
    left = [name for name, fate in found.items() if fate == "survived"]
    counts = {"counts": Counter(found.values()), "survived": left}
    (ROOT / "build" / "soak" / "mutants.json").write_text(json.dumps(counts, indent=1), "utf-8")
    sys.stderr.write(f"mutants: {dict(Counter(found.values()))}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
