# make run     set up and run the main job: platform, demo cluster, recommendations (PORT=8080)
# make test    set up, real services included, and pass the tests
# make check   formatting, lint, types, layers, template
# make bench   measure and print JSON
SHELL := /bin/bash
.DEFAULT_GOAL := run
.PHONY: run setup test check bench docs clean

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
BIN := .venv/bin
JOBS ?= 2

run: $(BIN)/.run
	@exec $(BIN)/upid demo

setup: $(BIN)/.run

test: $(BIN)/.dev
	@scripts/install-test-services
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report= $(PYTEST)
	@$(BIN)/python scripts/coverage_gate.py 90

check: $(BIN)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml

bench: $(BIN)/.run
	$(BIN)/upid bench analyze --json

docs: $(BIN)/.run
	$(BIN)/upid openapi --write docs

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*

$(BIN)/.run: pyproject.toml
	@scripts/make-venv "$(PYTHON)" .
	@touch $@

$(BIN)/.dev: pyproject.toml
	@scripts/make-venv "$(PYTHON)" '.[dev]'
	@touch $(BIN)/.run $@
