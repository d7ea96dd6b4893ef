# Only make and python3 (3.11 or newer) are needed: every target builds what it needs first.
# `make refresh` is the one target that goes online, apart from installing the locked packages.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
UV     := $(shell command -v uv)

NOTEBOOKS := $(wildcard notebooks/*.ipynb)
SOURCES   := $(shell find src/tradeflows -type f -not -path '*/__pycache__/*' -not -name '*.pyc')
RAW       := $(shell find data/raw -type f)

# One BLAS thread, one DuckDB thread: parallel sums differ in the last digits.
export OPENBLAS_NUM_THREADS := 1
export OMP_NUM_THREADS      := 1
export TRADEFLOWS_THREADS   ?= 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help report test check pages lab refresh standin verify validate bench soak lock clean

help:  ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-9s %s\n", $$1, $$2}'

report: reports/.built  ## run every notebook on the data and render reports/index.html

test: $(VENV)/.dev  ## run the tests, side by side (those in a browser: make pages)
	$(BIN)/python -m pytest -q -n auto --dist loadfile -m "not browser"

check: $(VENV)/.dev  ## lint, types, directions of imports, environment in step
	$(BIN)/ruff check . && $(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_environment.py

pages: $(VENV)/.dev report  ## open every built page in Chromium: requests, accessibility, phone, print
	$(BIN)/python -m tradeflows.report check --out reports
	$(BIN)/python -m pytest -q -m browser tests/test_pages_browser.py

lab: $(VENV)/.lab  ## open the notebooks in JupyterLab
	$(BIN)/jupyter lab notebooks

refresh: $(VENV)/.core  ## pull live data (COMTRADE_API_KEY speeds it up); ARGS=--dry-run shows the plan
	$(BIN)/tradeflows refresh $(ARGS)

standin: $(VENV)/.dev  ## serve generated trade to the loaders, as the publishers would
	$(BIN)/python -m tests.standin $(ARGS)

verify: $(VENV)/.core  ## compare every raw file with its sidecar
	$(BIN)/tradeflows verify

validate: $(VENV)/.core  ## simulate how often the rules would cry wolf (resumable, hours)
	$(BIN)/python validate/run.py $(ARGS)

bench: $(VENV)/.dev  ## time the measures beside others in one run
	$(BIN)/python bench/run.py $(ARGS)

soak: $(VENV)/.soak  ## hostile input, kills, mutants (resumable, hours; ARGS=--short for a minute)
	$(BIN)/python soak/run.py $(ARGS)
	$(BIN)/python soak/table.py

clean:  ## remove what make made; the data stay
	rm -rf $(VENV) reports build screenshots src/*.egg-info data/processed/*

lock:  ## resolve the locks anew (needs uv)
	uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 --upgrade \
	  pyproject.toml --extra build -o requirements.lock
	for extra in dev lab spark; do \
	  uv pip compile -q --universal --generate-hashes --no-header --python-version 3.11 \
	    pyproject.toml --extra build --extra $$extra -c requirements.lock -o requirements-$$extra.lock; \
	done

# The environment: locked packages, then our own package without asking any registry.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "tradeflows needs Python 3.11 or newer. Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || \
	  { echo "python3 has no venv module. On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@echo "installing $(1)"
	@if [ -n "$(UV)" ]; then $(UV) pip install -q -p $(BIN)/python --require-hashes -r $(1); \
	  else $(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r $(1); fi
	@$(BIN)/python -m pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
endef

$(VENV)/.core: pyproject.toml requirements.lock
	$(call install,requirements.lock)

$(VENV)/.dev: requirements-dev.lock $(VENV)/.core
	$(call install,requirements-dev.lock)

$(VENV)/.lab: requirements-lab.lock $(VENV)/.core
	$(call install,requirements-lab.lock)

$(VENV)/.soak: soak/requirements.lock $(VENV)/.dev
	$(call install,soak/requirements.lock)

reports/.built: $(NOTEBOOKS) $(SOURCES) $(RAW) $(VENV)/.core
	$(BIN)/python -m tradeflows.report build --notebooks notebooks --out reports
	@touch $@
