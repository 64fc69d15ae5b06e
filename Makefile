# Two commands on a fresh machine: `make run` and `make test`. Everything goes into .venv and .run, nothing elsewhere.

# Pins are made and tested for 3.11, so it goes first where it is installed. (A pyenv shim may be there and not work.)
PYTHON ?= $(or $(shell for p in python3.11 python3 python3.12 python3.13; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done),python3)
ARGS ?=

# What the caller's shell has set for another Python must not reach ours.
unexport PYTHONPATH PYTHONHOME VIRTUAL_ENV

.PHONY: help run test check chaos chaos-short simulate bench model lock clean
.DEFAULT_GOAL := help

help:  ## this list
	@sed -n 's/^\([a-z-]*\):.*## /make \1@/p' Makefile | tr '@' '\t'

run:  ## start everything, show the two seed updates, stay up (ARGS=--once: stop afterwards)
	@$(PYTHON) ops/install.py
	@.venv/bin/python -m ops.run $(ARGS)

test:  ## the tests (ARGS=tests/workers -x, for instance, is handed to pytest)
	@$(PYTHON) ops/install.py --dev
	@.venv/bin/python -m pytest $(ARGS)

check:  ## lint, format, types and import directions
	@$(PYTHON) ops/install.py --dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

chaos:  ## everything is hurt, what came of it is counted (ARGS="--minutes 80 --jobs 2 --report ops/PROOF.md"; --list: the rows)
	@$(PYTHON) ops/install.py --dev
	@.venv/bin/python -m tests.chaos $(ARGS)

chaos-short:  ## the same in under three minutes
	@$(PYTHON) ops/install.py --dev
	@.venv/bin/python -m tests.chaos --short --kills 4 $(ARGS)

bench:  ## what it all costs, beside the peers (ARGS="--only accept --rounds 3", --short, --report ops/PROOF.md)
	@$(PYTHON) ops/install.py --bench
	@.venv/bin/python -m tests.benchmarks $(ARGS)

simulate:  ## worlds in which everything goes wrong that can, one for each seed (ARGS="--seeds 1000000": every night)
	@$(PYTHON) ops/install.py --dev
	@.venv/bin/python -m tests.workers.simulation --jobs 0 $(ARGS)

model:  ## the life of a job in every order of events (needs spin; ARGS=--mutations: only those that must fail)
	@$(PYTHON) ops/install.py --dev
	@.venv/bin/python -m ops.model.check $(ARGS)

lock:  ## pin the dependencies anew from pyproject.toml (ARGS=--upgrade: the newest of all)
	@$(PYTHON) ops/lock.py $(ARGS)

clean:  ## remove what the other targets made, the embedded store's data included
	rm -rf .venv .run .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
