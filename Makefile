# make demo   makes .venv, installs jitmagic with its CPU backends, answers for examples/cubic.py
# make test   installs what the tests need, and runs all of them
# make bench  prints how our clock compares with a hand-written one, and how long an answer takes
# make corpus takes a few hundred functions through all steps, and times our variants beside versions by hand
# make check  style and types

PYTHON ?= python3
JOBS   ?= 2
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo test check bench corpus corpus-counts clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[all]' scipy
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) --editable '.[dev]'
	touch $@

demo: $(VENV)/.core
	$(BIN)/jitmagic compare examples/cubic.py --html demo.html --json demo.json
	@echo "The same as a page: demo.html"

test: $(VENV)/.dev check
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

corpus: corpus-counts
	$(BIN)/python -m benchmarks.experts

corpus-counts: $(VENV)/.dev
	$(BIN)/python -m benchmarks.corpus --jobs $(JOBS)

clean:
	rm -rf $(VENV) demo.html demo.json .pytest_cache .mypy_cache .ruff_cache
