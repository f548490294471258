# make run      sets up .venv and runs the demo: a controller and seven simulated switches
# make test     sets up .venv and runs the tests; what is not installed here is skipped, and said
# make lint     formatting, lint and types
# make bench    the benchmarks, as ratios against the peers that are installed
# make compare  controllers side by side, those that are here; writes docs/performance.md
# make fuzz     fuzzing guided by coverage for SECONDS=600, all targets of tests/fuzz together
#
# PYTHON=python3.12 chooses the interpreter (3.11 or newer), EXTRAS=dev,oracle adds the witnesses.
# WORKERS=0 runs the tests in one process; else each processor takes files of tests by turns.

PYTHON ?= python3
EXTRAS ?= dev
WORKERS ?= auto
SECONDS ?= 600
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMMA := ,
READY := $(VENV)/.ready-$(subst $(COMMA),-,$(EXTRAS))

.PHONY: run test lint bench compare fuzz clean

run: $(VENV)/.ready
	@$(BIN)/pointsman demo

test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder \
	    $(PYTEST_ARGS)

lint: $(READY)
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/python -m tests.benchmarks.codec
	$(BIN)/python -m tests.benchmarks.codec_lines
	$(BIN)/python -m tests.benchmarks.start
	$(BIN)/python -m tests.benchmarks.switches
	$(BIN)/python -m tests.benchmarks.forwarding
	$(BIN)/python -m tests.benchmarks.topology
	$(BIN)/python -m tests.benchmarks.open_vswitch
	$(BIN)/python -m tests.benchmarks.rogue
	$(BIN)/python -m tests.benchmarks.load

compare: $(READY)
	$(BIN)/python -m tests.benchmarks.compare --write docs/performance.md

fuzz: $(VENV)/.ready-dev-fuzz
	nice $(BIN)/python -m tests.fuzz.guided --seconds $(SECONDS)

clean:
	rm -rf $(VENV) .fuzz .pytest_cache .mypy_cache .ruff_cache .hypothesis dist

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Pointsman needs Python 3.11 or newer; say which: make PYTHON=python3.12 …"; exit 1; }
	@echo "Setting up $(VENV) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv $(VENV) || \
	    { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.ready: pyproject.toml | $(VENV)/bin/python
	@echo "Installing pointsman and what it needs into $(VENV) …"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.ready-%: pyproject.toml | $(VENV)/bin/python
	@echo "Installing pointsman and its tools ($(subst -,$(COMMA),$*)) into $(VENV) …"
	@$(PIP) install --editable '.[$(subst -,$(COMMA),$*)]'
	@touch $@ $(VENV)/.ready
