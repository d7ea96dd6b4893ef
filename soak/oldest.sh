#!/usr/bin/env bash
# Install the oldest versions that pyproject.toml allows and run the core of the tests on them.
set -euo pipefail
cd "$(dirname "$0")/.."
place="$(mktemp -d)"
trap 'rm -rf "$place"' EXIT
"${PYTHON:-python3}" -m venv "$place/venv"
"$place/venv/bin/python" - > "$place/oldest.txt" <<'PYTHON'
import tomllib
needs = tomllib.load(open("pyproject.toml", "rb"))["project"]["dependencies"]
print("\n".join(n.replace(">=", "==") for n in needs))
PYTHON
cat "$place/oldest.txt"
pip="$place/venv/bin/python -m pip -q --disable-pip-version-check"
$pip install -r "$place/oldest.txt" "setuptools>=80" pytest hypothesis
export PYTHONPATH="$PWD/src"
"$place/venv/bin/python" -m pytest -q -W default -o addopts="" tests/test_tables.py \
  tests/test_store.py tests/test_load.py tests/test_bridge.py tests/test_index_numbers.py \
  tests/test_intervals.py tests/test_rules.py tests/test_comtrade.py tests/test_tuik.py \
  tests/test_eurostat.py tests/test_worldbank.py tests/test_baci.py
