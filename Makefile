# make run     set up and run the main job: platform, demo cluster, recommendations (PORT=8080)
# make test    set up, real services included, and pass the tests
# make check   formatting, lint, types, layers, template
# make bench   measure and print JSON
# make build   functions and layers as AWS gets them (.aws-sam)
# make deploy STACK=name   build and put the whole into an AWS account, or where AWS_ENDPOINT_URL leads
# make test-aws            the end-to-end suite against AWS_ENDPOINT_URL (make localstack starts one, with Docker and a token)
SHELL := /bin/bash
.DEFAULT_GOAL := run
.PHONY: run setup test check bench docs build deploy test-aws localstack clean

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
  "$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo "$$p"; break; }; done)
BIN := .venv/bin
SAM := .sam/bin/sam
JOBS ?= 2
STACK ?= upid

run: $(BIN)/.run
	@exec $(BIN)/upid demo

setup: $(BIN)/.run

test: $(BIN)/.dev
	@scripts/install-test-services
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report= $(PYTEST)
	@$(BIN)/python scripts/coverage_gate.py 90

check: export SAM_CLI_TELEMETRY = 0
check: $(BIN)/.dev $(SAM)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/cfn-lint template.yaml
	$(SAM) validate --lint

bench: $(BIN)/.run
	$(BIN)/upid bench analyze --json

# An emulator runs functions on this machine's processor, AWS on arm64.
build: export ARCHITECTURE = $(if $(AWS_ENDPOINT_URL),$(shell uname -m),aarch64)
build: $(SAM) $(BIN)/.run
	$(SAM) build

deploy: build
	$(SAM) deploy --stack-name "$(STACK)" $(if $(filter http://%,$(AWS_ENDPOINT_URL)),--parameter-overrides Transport=plain)
	@$(BIN)/python scripts/first_start.py "$(STACK)"

test-aws: $(BIN)/.dev
	@test -n "$(AWS_ENDPOINT_URL)" || { echo "upid: set AWS_ENDPOINT_URL to where the emulator answers (make localstack: http://127.0.0.1:4566)." >&2; exit 1; }
	UPID_STACK="$(STACK)" $(BIN)/python -m pytest tests/e2e/homes -k aws $(PYTEST)

localstack: $(BIN)/.run
	$(BIN)/python -m pip install --disable-pip-version-check --quiet -e '.[localstack]'
	docker compose --file infra/localstack.compose.yaml up --detach --wait

# What sam build calls for each function: all of them share one package, each has its own entry point.
build-%Function:
	tar --exclude=__pycache__ -cf - functions | tar -C "$(ARTIFACTS_DIR)" -xf -

docs: $(BIN)/.run
	$(BIN)/upid openapi --write docs

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*

$(SAM):
	@"$(PYTHON)" -m venv .sam && .sam/bin/pip install --disable-pip-version-check --quiet aws-sam-cli

$(BIN)/.run: pyproject.toml
	@scripts/make-venv "$(PYTHON)" .
	@touch $@

$(BIN)/.dev: pyproject.toml
	@scripts/make-venv "$(PYTHON)" '.[dev]'
	@touch $(BIN)/.run $@
