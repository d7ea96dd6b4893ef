"""Write the tables of ``docs/faults.md`` from the counts in ``soak/counts/``."""

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
    """Return the table of mutants by module, of modules that are still there."""
    lines = ["", "| changed on purpose (mutmut) | tried | killed | share |", "|---|---:|---:|---:|"]
    fates = {
        module: fate
        for room in rooms
        for module, fate in sorted(room["modules"].items())
        if (ROOT / "src" / "tradeflows" / f"{module.replace('.', '/')}.py").is_file()
    }
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
    where = "`soak/mutants.py` runs them; `mutmut results` in `build/mutants` names what is left."
    return [*lines, "", f"{where}{untried}"]


if __name__ == "__main__":
    head, _, rest = PAGE.read_text("utf-8").partition(START)
    PAGE.write_text(head + START + "\n".join(rows()) + "\n" + END + rest.partition(END)[2], "utf-8")
    sys.stderr.write(f"wrote {PAGE.relative_to(ROOT)}\n")
