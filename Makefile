# make run      sets up .venv and runs the demo: a controller and seven simulated switches
# make test     sets up .venv and runs the tests; what is not installed here is skipped, and said
# make lint     formatting, lint and types
# make bench    the benchmarks, as ratios against the peers that are installed
# make compare  controllers side by side, those that are here; writes docs/performance.md
# make compiled       what is used most as C: needs a C compiler, installs into .venv-compiled
# make test-compiled  does that, and runs the tests on it: the SUITES of all rooms
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

SIDE_BY_SIDE := -n $(WORKERS) --maxprocesses 8 --dist loadfile --no-loadscope-reorder
COMPILED := .venv-compiled
SUITES ?= tests/protocol tests/controller tests/together tests/switch_sim

.PHONY: run test lint bench compare compiled test-compiled fuzz clean

run: $(VENV)/.ready
	@$(BIN)/pointsman demo

test: $(READY)
	$(BIN)/python -m pytest $(SIDE_BY_SIDE) $(PYTEST_ARGS)

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
	$(BIN)/python -m tests.benchmarks.cbench

compare: $(READY)
	$(BIN)/python -m tests.benchmarks.compare --write docs/performance.md

# What is installed is a copy: it is built anew each time, in build/, where little changed, a little.
compiled: $(COMPILED)/bin/python
	@echo "Building pointsman as C into $(COMPILED) …"
	@HATCH_BUILD_HOOK_ENABLE_CUSTOM=true $(COMPILED)/bin/python -m pip \
	    --disable-pip-version-check --quiet install '.[$(EXTRAS)]'
	@$(COMPILED)/bin/pointsman --version

test-compiled: compiled
	rm -rf build/tests && mkdir -p build/tests
	cp -r tests docs README.md Makefile pyproject.toml build/tests
	cd build/tests && POINTSMAN_BUILD=compiled ../../$(COMPILED)/bin/python -m pytest \
	    $(SIDE_BY_SIDE) $(SUITES) $(PYTEST_ARGS)

fuzz: $(VENV)/.ready-dev-fuzz
	nice $(BIN)/python -m tests.fuzz.guided --seconds $(SECONDS)

clean:
	rm -rf $(VENV) $(COMPILED) build .fuzz .pytest_cache .mypy_cache .ruff_cache .hypothesis dist

$(VENV)/bin/python $(COMPILED)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Pointsman needs Python 3.11 or newer; say which: make PYTHON=python3.12 …"; exit 1; }
	@echo "Setting up $(@D:/bin=) with $$($(PYTHON) --version) …"
	@$(PYTHON) -m venv $(@D:/bin=) || \
	    { echo "Python's venv module is missing; on Debian: apt-get install python3-venv"; exit 1; }

$(VENV)/.ready: pyproject.toml | $(VENV)/bin/python
	@echo "Installing pointsman and what it needs into $(VENV) …"
	@$(PIP) install --editable .
	@touch $@

$(VENV)/.ready-%: pyproject.toml | $(VENV)/bin/python
	@echo "Installing pointsman and its tools ($(subst -,$(COMMA),$*)) into $(VENV) …"
	@$(PIP) install --editable '.[$(subst -,$(COMMA),$*)]'
	@touch $@ $(VENV)/.ready
