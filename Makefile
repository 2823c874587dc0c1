# Everything a developer or a first-time user types. CI runs the same targets.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: help setup train test check fmt slow bench clean

help:            ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 10

setup: $(READY)  ## make .venv and install the package with its development tools

# Reused until the declared dependencies change.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

train: $(READY)  ## train the embedded `digits` recipe; prints the verdict and where the report is
	$(BIN)/steadygan train digits

test: $(READY)   ## the whole test suite, under 5 minutes on 2 cores
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m 'not slow'

slow: $(READY)   ## the long tests: learning on real data, kill and resume, long runs
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist worksteal -m slow --timeout 3600

check: $(READY)  ## lint, format and types, under a minute
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fmt: $(READY)    ## format and sort imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## speed and memory, side by side with other implementations
	$(BIN)/python -m benchmarks

clean:           ## remove what `make` made
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache build *.egg-info
