# SeeHear's commands. `make help` lists them.
#
# `make demo` and `make test` need Python 3.11 to 3.13 and nothing else: they make .venv and install
# requirements.lock and this package into it once, and again when either file changes.

VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
BROKEN := $(VENV)/.unfinished
PYTEST_ARGS ?=
LOCK_LIMITS := "torch<2.14"
BY_TORCH := ^(nvidia-|cuda-|triton)

# A virtual environment does not survive a move of its folder: the stamp holds the folder it was made for.
ifneq ("$(shell cat $(READY) 2>/dev/null)","$(CURDIR)")
.PHONY: $(READY)
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-full check bench bench-check bench-full bench-gpu study-first-light study-base study-avsiam lock clean

help:  ## list these commands
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:[^#]*## /\t/' | awk -F '\t' '{ printf "  make %-12s %s\n", $$1, $$2 }'

setup: $(READY)  ## make .venv with the locked dependencies (the other commands do it by themselves)
	@echo "$(VENV) is ready"

demo: $(READY)  ## generate a small world, train on it, open a report (VIDEOS=folder: on your own videos)
	@$(BIN)/seehear demo $(if $(VIDEOS),--videos "$(VIDEOS)")

test: $(READY)  ## run the tests that take a few minutes in all (PYTEST_ARGS=... for pytest's options)
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest -q -n 2 -m "not full" $(PYTEST_ARGS)

test-full: $(READY)  ## run every test, the long ones too
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(BIN)/python -m pytest -q -n 2 $(PYTEST_ARGS)

check: $(READY)  ## ruff, the type checker and the order of the rooms
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyrefly check
	@$(BIN)/lint-imports

bench: $(READY)  ## measure step, inference and retrieval beside their rivals, and record it (10 minutes)
	@$(BIN)/python -m benchmarks.check --record

bench-check: $(READY)  ## measure the same and name every ratio more than 10 % worse than recorded
	@$(BIN)/python -m benchmarks.check

bench-full: $(READY)  ## the step at ViT-Base, loader, processes, growth, the world, large batches (two hours)
	@for name in "step --size B" loader inference search scale world contrast first_light learning; do $(BIN)/python -m benchmarks.$$name || exit 1; done
	@$(BIN)/python -m benchmarks.pictures

bench-gpu: $(READY)  ## measure step and encoder on one GPU (8 minutes)
	@$(BIN)/python -m benchmarks.gpu

study-first-light: $(READY)  ## what a tiny AVSiam learns in half an hour (docs/results.md); restartable
	@$(BIN)/python studies/first_light.py

study-base: $(READY)  ## what a tiny AVSiam learns of twenty classes, three seeds (docs/results_base.md); restartable
	@$(BIN)/python studies/base.py

study-avsiam: $(READY)  ## AVSiam's claims against CAV-MAE and MAViL (docs/studies/avsiam.md); hours, restartable
	@for name in 'avsiam --cost' avsiam avsiam_finetuning avsiam_page; do $(BIN)/python -m studies.$$name || exit 1; done

# torch pins its own CUDA libraries, and only where there are any.
lock:  ## resolve the newest allowed dependencies afresh and write requirements.lock
	@$(FIND_PYTHON); set -e; folder=$$(mktemp -d); trap 'rm -rf "$$folder"' EXIT; \
	"$$python" -m venv "$$folder/venv"; pip="$$folder/venv/bin/python -m pip --disable-pip-version-check"; \
	$$pip install -q --upgrade pip; \
	$$pip install . --group dev $(LOCK_LIMITS); \
	{ echo "# Everything that .venv holds: run and development dependencies. Written by: make lock"; \
	  $$pip freeze --all --exclude pip --exclude seehear | sed 's/+[a-z0-9.]*$$//' | grep -Ev '$(BY_TORCH)'; \
	} > "$$folder/lock"; \
	cp "$$folder/lock" requirements.lock

clean:  ## remove build products and caches (.venv and runs stay)
	rm -rf build dist src/*.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests benchmarks studies -name __pycache__ -type d -prune -exec rm -rf {} +

# Sets $$python to the chosen interpreter: PYTHON=..., else the first that runs and is 3.11 to 3.13.
FIND_PYTHON = \
  for python in $(if $(PYTHON),"$(PYTHON)",python3.11 python3.12 python3.13 python3 python); do \
    "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && break; \
    python=; \
  done; \
  if [ -z "$$python" ]; then \
    echo "seehear needs Python 3.11, 3.12 or 3.13, found $$($(or $(PYTHON),python3) --version 2>&1 | head -n 1);" \
      "install one and name it: make PYTHON=/path/to/python3.11 ..." >&2; \
    exit 2; \
  fi

# A killed install can leave packages that look installed and are not, and a moved folder scripts that point to the
# old one: then the environment is made anew.
$(READY): requirements.lock pyproject.toml
	@$(FIND_PYTHON); \
	again=; \
	if [ -e $(BROKEN) ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1 \
	  || { [ -e $(READY) ] && [ "$$(cat $(READY))" != "$(CURDIR)" ]; }; then again=--clear; fi; \
	if ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$python cannot make virtual environments; on Debian and Ubuntu: apt install python3-venv" >&2; exit 2; \
	fi; \
	echo "making $(VENV) with $$("$$python" --version) (once; torch alone is some hundred megabytes)"; \
	"$$python" -m venv $$again $(VENV) && touch $(BROKEN) \
	&& $(BIN)/python -m pip install --disable-pip-version-check -r requirements.lock \
	&& $(BIN)/python -m pip install --disable-pip-version-check --no-deps --no-build-isolation -q -e . \
	&& rm -f $(BROKEN) && printf '%s' "$(CURDIR)" > $(READY) \
	|| { echo "the set-up did not finish (see above); run the same command again" >&2; exit 1; }
