"""What an environment must hold: each requirement against the versions there, extras followed.

``python -m tests.environment requirements-dev.lock`` says what the active environment lacks of what
that lock was resolved for. Nothing is resolved and no index is asked.
"""

import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from importlib import metadata, util
from pathlib import Path

try:
    from packaging.markers import default_environment
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name
except ModuleNotFoundError:
    sys.exit(f"{sys.prefix} holds none of the packages needed. Try: pip install -e .")

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = {
    "requirements.lock": ["report"],
    "requirements-dev.lock": ["build", "report", "dev"],
    "requirements-docs.lock": ["report", "docs"],
    "requirements-lab.lock": ["lab"],
    "requirements-spark.lock": ["spark"],
}


def wanted(lock: str) -> list[str]:
    """Return the requirements that a lock was resolved for."""
    if lock not in EXTRAS:
        return (ROOT / lock).with_suffix(".in").read_text("utf-8").splitlines()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    optional = project["optional-dependencies"]
    return project["dependencies"] + [r for extra in EXTRAS[lock] for r in optional[extra]]


def pins(lock: str, environment: Mapping[str, str]) -> dict[str, str]:
    """Return name and version of what the text of a lock installs in an environment."""
    found = map(Requirement, re.findall(r"^([^\s#][^\\\n]*)", lock, re.M))
    return {
        canonicalize_name(r.name): str(r.specifier).removeprefix("==")
        for r in found
        if r.marker is None or r.marker.evaluate(dict(environment))
    }


def unmet(
    requirements: list[str],
    versions: Mapping[str, str],
    requires: Callable[[str], list[str]],
    environment: Mapping[str, str],
) -> list[str]:
    """Return each requirement that no version meets, from those given on, extras followed.

    ``versions`` holds canonical names; ``requires`` gives the requirements in a package's metadata.
    """
    found, seen = set(), set()
    todo = [("tradeflows", "", Requirement(r)) for r in requirements]
    while todo:
        by, extra, need = todo.pop()
        if need.marker and not need.marker.evaluate({**environment, "extra": extra}):
            continue
        name = canonicalize_name(need.name)
        if name not in versions:
            found.add(f"{by} needs {need}: absent")
            continue
        if not need.specifier.contains(versions[name], prereleases=True):
            found.add(f"{by} needs {need}: found {versions[name]}")
        for part in {(name, of) for of in ("", *need.extras)} - seen:
            seen.add(part)
            todo += [(*part, Requirement(r)) for r in requires(name)]
    return sorted(found)


def main(lock: str) -> None:
    """Exit with what the active environment lacks and the command that brings it."""
    there = {canonicalize_name(d.name): d.version for d in metadata.distributions()}
    lacks = unmet(
        wanted(lock), there, lambda name: metadata.requires(name) or [], default_environment()
    )
    ours = util.find_spec("tradeflows")
    if ours is None or not Path(ours.origin or "").is_relative_to(ROOT):
        lacks.append("tradeflows of this folder is not installed")
    if lacks:
        extras = ",".join(EXTRAS.get(lock, []))
        what = (f"-e '.[{extras}]'" if extras else "-e .") if lock in EXTRAS else f"-r {lock}"
        sys.exit(
            "\n".join(
                [f"The active environment is {sys.prefix}:", *lacks, f"Try: pip install {what}"]
            )
        )


if __name__ == "__main__":
    main(sys.argv[1])
