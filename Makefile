# make demo   two commands to directions and coupling on the screen; make help lists the rest
RECORDING ?=
METHOD ?=
DURATION ?=
PYTEST_OPTIONS ?=
FUZZ_MINUTES ?= 60
TEST_JOBS ?= 2
PY := .venv/bin/python

# One BLAS and OpenMP thread a process: the matrices are small, and every GNU Radio block is a thread already, so
# thread pools only take the cores away from each other.
export OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS ?= 1
export MKL_NUM_THREADS ?= 1
# Tests start hundreds of processes, each of which would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup tools demo test test-all fuzz check clean
.DEFAULT_GOAL := help

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

setup:  ## install what the demo needs: GNU Radio (apt), .venv, torch, this package; quick when done
	@./scripts/setup.sh

tools:  ## the same with what tests and checks need
	@./scripts/setup.sh tests

demo: setup  ## 20 s live on a simulated array; or RECORDING=x.sigmf-meta; METHOD= and DURATION= override
	@$(PY) -m scripts.demo $(if $(RECORDING),--recording "$(RECORDING)") $(if $(METHOD),--method $(METHOD)) \
	  $(if $(DURATION),--duration $(DURATION))

# A file of tests stays in one process: its fixtures are made once. More processes than cores were tried, and are slower.
test: tools  ## all tests but the slow ones, in TEST_JOBS=2 processes
	$(PY) -m pytest -m "not slow" -n $(TEST_JOBS) --dist loadfile --no-loadscope-reorder \
	  --max-worker-restart 0 $(PYTEST_OPTIONS)

test-all: tools  ## all tests, with those that take minutes
	$(PY) -m pytest $(PYTEST_OPTIONS)

fuzz: tools  ## broken input of every kind, for an hour (FUZZ_MINUTES=); findings in out/fuzz
	nice -n 10 $(PY) -m tests.fuzz --minutes $(FUZZ_MINUTES)

check: tools  ## ruff and mypy
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy

clean:  ## remove caches, build folders and demo outputs; .venv stays
	rm -rf build out .pytest_cache .mypy_cache .ruff_cache .hypothesis python_core/*.egg-info
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
