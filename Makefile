# make demo   makes .venv, installs jitmagic with its CPU backends, answers for examples/cubic.py
# make test   installs what the tests need, and runs all but the slow ones
# make test-slow  runs the slow ones: random programs by the hundred, every example in a shell, faults in a row
# make bench  prints how our clock compares with a hand-written one, and how long an answer takes
# make corpus takes a few hundred functions through all steps, and times our variants beside versions by hand
# make reference prints what the field reports of well-known cases beside what is measured here
# make recommended measures again, afterwards, whether what was recommended was the best
# make faults  plants faults in comparisons, and prints what was said of each and what it left behind
# make mutants  makes small wrong edits of those functions, and counts how many the verifier catches
# make traps  takes a function into each known trap, and prints whether it was avoided, caught or named
# make gpu    compares on the NVIDIA GPU of this machine, with whatever of the libraries is installed in PYTHON
# make check  style and types
# make docs   builds the documentation into docs/_build/html; a link that leads nowhere is an error
# make coverage runs the tests and prints which lines they did not come by, workers and kernels included
# make package builds the sdist and the wheel into build/package, and runs each in an empty environment
# make gallery executes the notebooks in examples/ and saves them with their outputs
# make front  builds the front end into this tree, for `jupyter lab` in .venv (needs Node.js 20 or newer)
# make ui     tests it in a real Chromium: JupyterLab and Notebook 7 with the wheel of this tree

PYTHON ?= python3
JOBS   ?= 2
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

FRONT  := labextension
UI     := .venv-ui
JLPM   := cd $(FRONT) && PATH="$(CURDIR)/$(BIN):$$PATH" jlpm

.PHONY: demo test test-slow check bench corpus corpus-counts corpus-sample recommended reference faults mutants traps gpu docs gallery gallery-check coverage package front ui clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) torch==2.13.0
	$(PIP) --editable '.[all]' scipy
	touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) --editable '.[dev]'
# for the sample of a plug-in; before Python 3.12 it asks for setuptools<60, which torch does not go with, and runs with any
	$(PIP) --no-deps pythran gast beniget ply
	touch $@

demo: $(VENV)/.core
	$(BIN)/jitmagic compare examples/cubic.py --html demo.html --json demo.json
	@echo "The same as a page: demo.html"

test: $(VENV)/.dev check
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile -m "not slow"

test-slow: $(VENV)/.dev
	$(BIN)/python -m pytest -n $(JOBS) --dist load -m slow

check: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(VENV)/.dev
	$(BIN)/python -m benchmarks

corpus: corpus-counts
	$(BIN)/python -m benchmarks.experts

corpus-counts: $(VENV)/.dev
	$(BIN)/python -m benchmarks.corpus --jobs $(JOBS)

# every fourth function, for CI: the whole corpus takes more than an hour on two cores
corpus-sample: $(VENV)/.dev
	$(BIN)/python -m benchmarks.corpus --every 4 --jobs $(JOBS)

$(VENV)/.docs: $(VENV)/.core
	$(PIP) --editable '.[docs]'
	touch $@

# -W: warnings are errors; -q: they are all that is printed
docs: $(VENV)/.docs
	$(BIN)/python -m pages
	$(BIN)/python -m sphinx -q -W --keep-going -b html docs docs/_build/html

coverage: $(VENV)/.dev
	rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report

gallery: $(VENV)/.dev
	$(BIN)/python -m pages.gallery

gallery-check: $(VENV)/.dev
	$(BIN)/python -m pages.gallery --check

package: $(VENV)/.dev
	rm -rf build/package
	$(BIN)/python -m tests.package build/package

# `jlpm` comes with jupyter-builder.
$(FRONT)/node_modules/.installed: $(FRONT)/package.json $(FRONT)/yarn.lock | $(BIN)/python
	$(PIP) 'jupyter-builder>=1.2,<2'
	$(JLPM) install --immutable
	touch $@

front: $(FRONT)/node_modules/.installed
	$(JLPM) build
	mkdir -p $(VENV)/share/jupyter/labextensions
	ln -sfn $(CURDIR)/$(FRONT)/dist $(VENV)/share/jupyter/labextensions/jitmagic

$(UI)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(UI)
	$(UI)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		jupyterlab notebook nbconvert ipywidgets anywidget bokeh numba libcst psutil threadpoolctl
	touch $@

# The wheel as a user gets it: what is not in it is not tested.
ui: $(FRONT)/node_modules/.installed $(UI)/.installed
	rm -rf build/wheel
	JITMAGIC_FRONT_END=require $(UI)/bin/python -m pip wheel --quiet --disable-pip-version-check --no-deps \
		--wheel-dir build/wheel .
	$(UI)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall build/wheel/*.whl
	$(JLPM) test
	JITMAGIC_UI_BIN="$(CURDIR)/$(UI)/bin" node --test-reporter=spec $(FRONT)/ui/run.mjs
reference: $(VENV)/.dev
	$(BIN)/python -m benchmarks.reference

recommended: $(VENV)/.dev
	$(BIN)/python -m benchmarks.recommended

faults: $(VENV)/.dev
	$(BIN)/python -m tests.faults

# No environment is made: a machine with a GPU has its libraries, and the core needs libcst, psutil and threadpoolctl.
gpu:
	$(PYTHON) -m tests.gpu --out benchmarks/results/gpu.json

mutants: $(VENV)/.dev
	$(BIN)/python -m benchmarks.mutants

traps: $(VENV)/.dev
	$(BIN)/python -m tests.gotchas.traps

clean:
	rm -rf $(VENV) $(UI) build docs/_build docs/gallery ui-artefacts $(FRONT)/node_modules $(FRONT)/lib $(FRONT)/dist jitmagic/report/static demo.html demo.json .pytest_cache .mypy_cache .ruff_cache
