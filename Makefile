# Only make and python3 (3.11 or newer) are needed: every target builds what it needs first.
# `make refresh` is the one target that goes online, apart from installing the locked packages.
# `make ENV=active …` uses the environment that is active (conda, venv) and installs nothing.
PYTHON ?= python3
VENV   := .venv
UV     := $(shell command -v uv)

ifeq ($(ENV),active)
PY     := $(PYTHON)
LOCKED := active
ONLY   := |
else ifneq ($(and $(ENV),$(filter command,$(origin ENV))),)
$(error ENV is active or left out; found ENV=$(ENV))
else
PY     := $(VENV)/bin/python
LOCKED := $(VENV)
endif

NOTEBOOKS := $(wildcard notebooks/*.ipynb)
SOURCES   := $(shell find src/tradeflows -type f -not -path '*/__pycache__/*' -not -name '*.pyc')
RAW       := $(shell find data/raw -type f)

# One BLAS thread, one DuckDB thread: parallel sums differ in the last digits.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS      := 1
export TRADEFLOWS_THREADS   ?= 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help report test expected check pages docs lab refresh standin verify validate bench soak lock clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

report: reports/.built  ## run every notebook on the data and render reports/index.html

test: $(LOCKED)/requirements-dev.lock  ## run the tests, side by side (those in a browser: make pages)
	$(PY) -m pytest -q -n auto --dist loadfile --no-loadscope-reorder -m "not browser"

expected: $(LOCKED)/requirements-dev.lock  ## write the numbers that tests/test_expected.py compares, on purpose only
	PYTHONPATH=tests:$$PYTHONPATH $(PY) -m expected

check: $(LOCKED)/requirements-dev.lock  ## lint, types, directions of imports, environment in step
	$(PY) -m ruff check . && $(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) -c 'from importlinter.cli import lint_imports_command as run; run()'
	$(PY) -m pytest -q tests/test_environment.py

pages: $(LOCKED)/requirements-dev.lock report  ## open every built page in Chromium: requests, accessibility, phone, print
	$(PY) -m pytest -q -m browser tests/test_pages_browser.py

docs: $(LOCKED)/requirements-docs.lock  ## build the pages of documentation, build/docs/index.html
	$(PY) -m sphinx -W -q -E -b html docs/site build/docs

lab: $(LOCKED)/requirements-lab.lock  ## open the notebooks in JupyterLab (ARGS=--no-browser)
	$(PY) -m jupyterlab $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS) notebooks

refresh: $(LOCKED)/requirements.lock  ## pull live data (COMTRADE_API_KEY speeds it up); ARGS=--dry-run shows the plan
	$(PY) -m tradeflows.cli refresh $(ARGS)

standin: $(LOCKED)/requirements-dev.lock  ## serve generated trade to the loaders, as the publishers would
	$(PY) -m tests.standin $(ARGS)

verify: $(LOCKED)/requirements.lock  ## compare every raw file with its sidecar
	$(PY) -m tradeflows.cli verify

validate: $(LOCKED)/requirements.lock  ## simulate how often the rules would cry wolf (resumable, hours)
	$(PY) validate/run.py $(ARGS)

bench: $(LOCKED)/requirements-dev.lock  ## time the measures beside others in one run
	$(PY) bench/run.py $(ARGS)

soak: $(LOCKED)/soak/requirements.lock  ## hostile input, kills, mutants (resumable, hours; ARGS=--short for a minute)
	$(PY) soak/run.py $(ARGS)
	$(PY) soak/table.py

clean:  ## remove what make made; the data stay
	rm -rf $(VENV) reports build screenshots docs/site/generated src/*.egg-info data/processed/*

lock:  ## resolve the locks anew (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --upgrade \
	  pyproject.toml --extra build --extra report -o requirements.lock
	known="-c requirements.lock"; for extra in dev lab spark docs; do \
	  uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
	    pyproject.toml --extra build --extra report --extra $$extra $$known \
	    -o requirements-$$extra.lock; \
	  known="$$known -c requirements-$$extra.lock"; \
	done

# The environment. A lock is complete, so it is installed as it stands: a resolver would ask for
# what came out since. Locks that are in already follow, or they would contradict the new one.
PIP    = $(if $(UV),UV_PYTHON=$(PY) $(UV) pip,$(PY) -m pip)
INSIDE = $(patsubst $(VENV)/%,%,$(wildcard $(VENV)/requirements*.lock $(VENV)/soak/requirements.lock))
RECENT = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
  { echo "tradeflows needs Python 3.11 or newer. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }

$(VENV)/%.lock: %.lock pyproject.toml
	@$(RECENT)
	@test -x $(PY) || test -z "$$CONDA_PREFIX$$VIRTUAL_ENV" || \
	  echo "building $(VENV); to use the active environment: make ENV=active $(MAKECMDGOALS)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { rm -f $(PY); \
	  echo "python3 has no venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@for lock in $< $(filter-out $< requirements.lock,$(INSIDE)); do \
	  echo "installing $$lock"; $(PIP) install -q --no-deps --require-hashes -r $$lock || exit 1; done
	@$(PIP) install -q --no-deps --no-build-isolation -e .
	@$(PIP) check -q || \
	  { echo "packages in $(VENV) contradict one another. Try: rm -r $(VENV), then again"; exit 1; }
	@mkdir -p $(@D) && touch $@

active/%.lock:
	@$(RECENT)
	@$(PY) -m tests.environment $*.lock

$(LOCKED)/requirements-dev.lock $(LOCKED)/requirements-docs.lock $(LOCKED)/requirements-lab.lock: $(LOCKED)/requirements.lock
$(LOCKED)/soak/requirements.lock: $(LOCKED)/requirements-dev.lock

reports/.built: $(NOTEBOOKS) $(SOURCES) $(RAW) $(ONLY) $(LOCKED)/requirements.lock
	$(PY) -m tradeflows.cli report
	@touch $@
