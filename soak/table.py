"""Write ``docs/faults.md`` and ``docs/survivors.md`` from the counts in ``soak/counts/``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
COUNTS = ROOT / "soak" / "counts"
PAGE = ROOT / "docs" / "faults.md"
START, END = "<!-- counts:start -->\n", "<!-- counts:end -->"


def counted(pattern: str) -> list[dict[str, Any]]:
    """Return the counts of one kind of part, by name."""
    return [json.loads(f.read_text("utf-8")) for f in sorted(COUNTS.glob(pattern))]


def rows() -> list[str]:
    """Return the rows of both tables."""
    lines = ["| parser | way | inputs | what came out | unexpected | slowest, s | peak, MB |"]
    lines.append("|---|---|---:|---|---:|---:|---:|")
    for found in [*counted("fuzz-*.json"), *counted("guided-*.json")]:
        outcomes = dict(found["outcomes"])
        bad = outcomes.pop("DEFECT", 0)
        words = ", ".join(f"{k.lstrip('_')} {v:,}" for k, v in sorted(outcomes.items()))
        lines.append(
            f"| {found['parser']} | {found['way']} | {found['tries']:,} | {words} | {bad} "
            f"| {found['slowest']:.2f} | {found['peak_mb']:,} |"
        )
    lines += ["", "| killed (SIGKILL) | kills | what came of it | broken promises |"]
    lines.append("|---|---:|---|---:|")
    for found in counted("kills-*.json"):
        words = ", ".join(f"{k}: {v:,}" for k, v in found["outcomes"].items())
        bad = len(found["defects"])
        lines.append(f"| {found['parser']} | {found['tries']:,} | {words} | {bad} |")
    return lines + mutants(counted("mutants-*.json"))


def mutants(rooms: list[dict[str, Any]]) -> list[str]:
    """Return the table of mutants by module."""
    lines = ["", "| changed on purpose (mutmut) | tried | killed | share |", "|---|---:|---:|---:|"]
    fates = {module: fate for room in rooms for module, fate in sorted(room["modules"].items())}
    tried = {m: sum(f.values()) - f.get("not checked", 0) for m, f in fates.items()}
    killed = {m: f.get("killed", 0) for m, f in fates.items()}
    for room in sorted({m.split(".")[0] for m in fates}):
        for counts in (tried, killed):
            counts[f"all of {room}"] = sum(n for m, n in counts.items() if m.startswith(f"{room}."))
    lines += [
        f"| {module} | {n:,} | {killed[module]:,} | {killed[module] / n:.0%} |"
        for module, n in tried.items()
        if n
    ]
    waiting = sum(f.get("not checked", 0) for f in fates.values())
    untried = f" Not tried yet: {waiting:,}." if waiting else ""
    return [*lines, "", f"What no test noticed is in [survivors.md](survivors.md).{untried}"]


def survivors(rooms: list[dict[str, Any]]) -> str:
    """Return the page of mutants that no test killed: what each takes away and puts there."""
    left = {name: change for room in rooms for name, change in room["left"].items()}
    lines = [
        "# Changes that no test noticed",
        "",
        f"{len(left):,} of the mutants counted in [faults.md](faults.md). Many change nothing that"
        " can be seen, such as `strict=` of lists whose lengths are known to agree, or the type of"
        " an array that has it already; the others are what tests still lack.",
    ]
    before = ""
    for name, change in sorted(left.items()):
        place, number = _place(name)
        lines += ["", f"## {place}"] if place != before else []
        lines += ["", f"{number}.", "", "```diff", *change, "```"]
        before = place
    return "\n".join(lines) + "\n"


def _place(name: str) -> tuple[str, str]:
    """Return where a mutant is, and its number: mutmut writes ``x_name`` or ``xǁClassǁmethod``."""
    place, _, number = name.removeprefix("tradeflows.").rpartition("__mutmut_")
    module, _, function = place.rpartition(".")
    function = function.removeprefix("x_").removeprefix("xǁ").replace("ǁ", ".")
    return f"{module}.{function}", number


if __name__ == "__main__":
    head, _, rest = PAGE.read_text("utf-8").partition(START)
    PAGE.write_text(head + START + "\n".join(rows()) + "\n" + END + rest.partition(END)[2], "utf-8")
    PAGE.with_name("survivors.md").write_text(survivors(counted("mutants-*.json")), "utf-8")
    sys.stderr.write(f"wrote {PAGE.relative_to(ROOT)}\n")
