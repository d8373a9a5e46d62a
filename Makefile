# Two commands set up everything: `make demo` runs the main job, `make test` passes the tests.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)

.PHONY: demo test test-slow bench docker-check lint format lock clean help

help:            ## what can be made
	@grep -E '^[a-z-]+: .*##|^[a-z-]+: +##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/'

demo: $(READY)   ## install what is missing, then run the main job on a sample catalogue
	@$(BIN)/landfall demo

test: $(READY)   ## every test but the slow ones, two files at a time
	@$(BIN)/pytest -m "not slow" -n 2 --dist loadfile --no-loadscope-reorder

test-slow: $(READY)  ## the slow ones
	@$(BIN)/pytest -m slow

bench: $(READY)  ## Landfall's time against what a user would pick instead (hours)
	@bench/prepare.sh
	@$(BIN)/python -m bench.pictures 100 5
	@$(BIN)/python -m bench.pictures 20000 3
	@$(BIN)/python -m bench.limit 20000
	@$(BIN)/python -m bench.growth 1000 5000 20000 80000
	@$(BIN)/python -m bench.drops 1 10 100 1000
	@$(BIN)/python -m bench.records 2000000 3
	@$(BIN)/python -m bench.records_growth 1000000 2000000
	@$(BIN)/python -m bench.unique 100000 1 10 50
	@$(BIN)/python -m bench.clients 1 25 100

docker-check:    ## the container image, built with buildah, and the demo run in it (root; ten minutes)
	@docker/check.sh

lint: $(READY)   ## style and types
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy

format: $(READY) ## lay the code out
	@$(BIN)/ruff check --fix-only --quiet . ; $(BIN)/ruff format .

lock: $(READY)   ## resolve setup.py into requirements.lock
	@$(BIN)/pip install --quiet uv && $(BIN)/uv pip compile setup.py --extra dev --generate-hashes --universal \
	  --python-version 3.11 --no-header --no-annotate --quiet --output-file requirements.lock
	@$(BIN)/uv pip compile setup.py --constraint requirements.lock --generate-hashes --universal \
	  --python-version 3.11 --no-header --no-annotate --quiet --output-file docker/requirements.lock

clean:           ## forget the environment and the demo's state
	@rm -rf $(VENV) var

$(READY): requirements.lock setup.py docker/prepare.sh
	@PYTHON="$(PYTHON)" VENV="$(VENV)" docker/prepare.sh
	@touch $(READY)
