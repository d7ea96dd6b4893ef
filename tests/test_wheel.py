"""The wheel carries the snapshot: no repository is needed to load it."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tradeflows import store

ROOT = Path(__file__).parents[1]
SCRIPT = """
import tradeflows as tf
from tradeflows import store
assert "snapshot" in str(store.folder()), store.folder()
assert store.verify() == []
print(tf.judge("b4", energy_share=0.61).grade)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    quiet = {**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    subprocess.run([*build, "-w", folder, ROOT], check=True, cwd=folder, env=quiet)
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_the_snapshot_rules_and_licence(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    inside = {n.removeprefix("tradeflows/snapshot/") for n in names if "/snapshot/" in n}
    assert {raw.id for raw in store.catalogue() if "/live/" not in raw.id} <= inside
    assert not any("/live/" in n for n in names)
    assert "tradeflows/claims/rules.yml" in names
    assert any(n.endswith("licenses/LICENSE") for n in names)


def test_it_loads_the_snapshot_without_the_repository(wheel, tmp_path):
    zipfile.ZipFile(wheel).extractall(tmp_path / "site")
    env = {k: v for k, v in os.environ.items() if k != "TRADEFLOWS_DATA"}
    env["PYTHONPATH"] = str(tmp_path / "site")
    run = [sys.executable, "-c", SCRIPT]
    done = subprocess.run(run, cwd=tmp_path, env=env, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "supported"
