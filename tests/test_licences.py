"""Every package that `requirements.lock` brings has a licence that the list allows."""

import csv
import re
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Licences that let anybody use, change and pass on the software without opening their own.
ALLOWED = ("MIT", "BSD", "ISC", "Apache", "PSF", "Python Software Foundation", "HPND", "MPL-2.0",
           "Mozilla Public License 2.0", "Unlicense", "CC0", "0BSD", "Zlib", "MIT-CMU",
           "Historical Permission")  # fmt: skip
REFUSED = ("AGPL", "LGPL", "GPL", "SSPL", "BUSL", "proprietary", "non-commercial")
# fonttools and numpy carry further files under licences that their texts list; GCC's runtime
# comes with the exception that lets anybody link it.
EXCEPTIONS = ("GCC-exception", "GPL-3.0-or-later WITH GCC", "GPL-3.0-with-GCC")


def locked() -> dict[str, str]:
    text = (ROOT / "requirements.lock").read_text("utf-8")
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)", text, re.MULTILINE))


def licence(name: str) -> str:
    told = metadata.metadata(name)
    words = told.get("License-Expression") or ""
    if not words:
        kinds = [c for c in told.get_all("Classifier") or [] if c.startswith("License ::")]
        words = "; ".join(c.rsplit(" :: ", 1)[-1] for c in kinds if not c.endswith("OSI Approved"))
    return " ".join((words or (told.get("License") or "unknown").split("\n")[0]).split())[:120]


def installed() -> dict[str, str]:
    found = {}
    for name in locked():
        try:
            found[name] = licence(name)
        except metadata.PackageNotFoundError:
            continue  # for another platform or Python
    return found


def test_every_licence_is_allowed() -> None:
    found = installed()
    assert len(found) > 40
    odd = {}
    for name, words in found.items():
        plain = words
        for exception in EXCEPTIONS:
            plain = plain.replace(exception, "")
        if any(r.lower() in plain.lower() for r in REFUSED) or not any(a in plain for a in ALLOWED):
            odd[name] = words
    assert odd == {}


def test_the_list_of_licences_is_that_of_the_lock() -> None:
    with (ROOT / "docs" / "licences.csv").open(encoding="utf-8", newline="") as handle:
        listed = {row["package"]: row["licence"] for row in csv.DictReader(handle)}
    found = installed()
    assert {n: listed.get(n) for n in found} == found, "run `python soak/licences.py`"


def test_every_lock_has_hashes_and_no_addresses() -> None:
    for file in [*ROOT.glob("requirements*.lock"), ROOT / "soak" / "requirements.lock"]:
        text = file.read_text("utf-8")
        assert "://" not in text, file
        for block in re.split(r"\n(?=\S)", text):
            if "==" in block.split("\n")[0]:
                assert "--hash=sha256:" in block, block.split("\n")[0]
