# Everything runs in .venv, which the first target that needs it creates from the lock.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
RUN_FLAGS ?=
WAYS_IN := tests/drivers tests/targets tests/explore tests/sweeping
LOCK_FLAGS := --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links

.PHONY: help run run-browser drill test install lint format bench lock clean

help: ## what there is
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

run: .venv/installed ## every scenario under every triple of flag variants on the sound clinic (RUN_FLAGS=--coverage=exhaustive)
	$(BIN)/harness run $(RUN_FLAGS)

run-browser: .venv/installed ## every scenario through the clinic's pages in Chromium, under every flag variant
	$(BIN)/harness run --driver browser --coverage t-way:1 --out reports/out-browser $(RUN_FLAGS)

drill: .venv/installed ## is each planted flaw seen by the check that must see it?
	$(BIN)/harness drill

test: .venv/installed-test ## all tests, two parts at a time; each part's output when it has ended
	@$(MAKE) --no-print-directory --jobs 2 --output-sync=target test-whole-runs test-clinic test-ways-in test-rest

.PHONY: test-whole-runs test-clinic test-ways-in test-rest
test-whole-runs: .venv/installed-test
	$(BIN)/pytest tests/end_to_end

test-clinic: .venv/installed-test
	$(BIN)/pytest tests/clinic

test-ways-in: .venv/installed-test
	$(BIN)/pytest $(WAYS_IN)

test-rest: .venv/installed-test
	$(BIN)/pytest tests --ignore=tests/end_to_end --ignore=tests/clinic $(addprefix --ignore=,$(WAYS_IN))

install: .venv/installed ## the set-up alone

lint: .venv/installed-test ## format, lint, types, import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/installed-test ## rewrite the format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/installed-test ## `harness run` beside a bare client, and the clinic on each database
	$(BIN)/python -m benchmarks.run
	$(BIN)/python -m benchmarks.clinic

lock: .venv/installed-test ## resolve the dependencies anew
	$(PIP) uv
	$(BIN)/uv pip compile pyproject.toml --group build $(LOCK_FLAGS) -o requirements.lock
	$(BIN)/uv pip compile pyproject.toml --group build --group test $(LOCK_FLAGS) -o requirements-test.lock

clean: ## remove what was installed and what runs left behind
	rm -rf .venv reports/node_modules reports/out reports/out-* reports/drill reports/sweep .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

reports/node_modules: reports/package-lock.json
	npm ci --prefix reports --no-audit --no-fund --loglevel=error
	@touch $@

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name one with: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -m venv .venv \
		|| { rm -rf .venv; echo "No venv module: on Debian and Ubuntu, apt install python3-venv" >&2; exit 1; }

.venv/installed: .venv/bin/python requirements.lock pyproject.toml
	$(PIP) --require-hashes -r requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/installed-test: .venv/installed requirements-test.lock
	$(PIP) --require-hashes -r requirements-test.lock
	@touch $@
