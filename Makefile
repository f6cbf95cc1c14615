# SPDX-License-Identifier: Apache-2.0
# `make` lists the targets.  Every target does its own set-up: Python >= 3.11 and make are enough.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
DEMO   := build/demo

# Real walks beside the checkout are used if they are there.
ifneq ($(wildcard ../shared/data/gaitpdb/walks.npz),)
export EDGEGRF_DATA ?= $(abspath ../shared/data/gaitpdb)
endif
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help setup demo test lint size random-models format results bench-kernels bench-distillation bench-taught crossvalidation clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: $(READY) ## a virtual environment with everything in it, pinned

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "edgegrf needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install -q -c constraints.txt torch==2.13.0
	$(BIN)/pip install -q -c constraints.txt -e '.[all,dev,sdk]'
	touch $@

demo: $(READY) ## a student becomes a bit-exact model on a (virtual) board, measured on a walk
	$(BIN)/edgegrf export --quantize int8 -o $(DEMO)
	$(BIN)/edgegrf verify $(DEMO)/student_int8.tflite --outputs 20000
	$(BIN)/edgegrf compile $(DEMO)/student_int8.tflite -o $(DEMO)/c
	$(BIN)/edgegrf build --board nrf52840dk --model $(DEMO)/student_int8.tflite -o $(DEMO)/nrf52840dk
	$(BIN)/edgegrf bench --port virtual:nrf52840dk --model $(DEMO)/student_int8.tflite --walks 1 \
	    -o $(DEMO)/bench.json --report $(DEMO)/report.html
	@echo "open $(DEMO)/report.html"

test: $(READY) ## all tests
	$(BIN)/python -m pytest -q -n 2 --dist loadfile

lint: $(READY) ## ruff, mypy, clang-format, codespell
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	git ls-files '*.c' '*.h' | xargs $(BIN)/clang-format --dry-run -Werror
	git ls-files '*.md' '*.py' '*.c' '*.h' '*.toml' | xargs $(BIN)/codespell

format: $(READY) ## write the formatting that lint asks for
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	git ls-files '*.c' '*.h' | xargs $(BIN)/clang-format -i

results: bench-kernels ## measure again and rewrite all tables; what took hours comes from its JSON
	$(BIN)/python -m benchmarks.results
	$(BIN)/python -m benchmarks.personal

bench-kernels: $(READY) ## every model on the virtual board beside TFLM + CMSIS-NN; kernels.json and its tables
	$(BIN)/python -m benchmarks.kernels

bench-distillation: $(READY) ## every recipe on one student, 3 seeds; an hour and a half on one core, resumable
	$(BIN)/python -m benchmarks.distillation

bench-taught: $(READY) ## shipped students alone and taught, 5 seeds; an hour and a half on one core, resumable
	$(BIN)/python -m benchmarks.taught

crossvalidation: $(READY) ## the shipped students in 5 folds by subject; an hour and a half on one core, resumable
	$(BIN)/python -m benchmarks.crossvalidation

random-models: $(READY) ## 2 000 random models: C = tflite-micro, 200 of them on the virtual board; ten minutes
	$(BIN)/python tests/compiler/many_models.py

size: $(READY) ## flash, RAM and stack of every model against benchmarks/size_budget.toml
	$(BIN)/python -m benchmarks.size

clean: ## remove what was built (the virtual environment stays)
	rm -rf build results .pytest_cache .mypy_cache .ruff_cache
