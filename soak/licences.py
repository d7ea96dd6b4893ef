"""Write ``docs/licences.csv``: the licence of every package that the core lock installs."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests"))

from test_licences import installed, locked  # noqa: E402

if __name__ == "__main__":
    file = ROOT / "docs" / "licences.csv"
    with file.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["package", "version", "licence"])
        versions = locked()
        writer.writerows((n, versions[n], words) for n, words in sorted(installed().items()))
