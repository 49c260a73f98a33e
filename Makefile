# `make train` and `make test` set everything up by themselves; Python 3.11 to 3.13 is all they need.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# What `make test` installs beside TensorFlow: backends, libraries on PyTorch to compare our losses
# and metrics with, and what exports models and runs them. BACKENDS= tests on TensorFlow alone and
# skips what needs the others.
BACKENDS ?= jax,torch,oracles,demo,huge,ray,runtimes,export
# The converter for ncnn asks for PyTorch with CUDA, several GB that its program does not use.
PNNX = $(BIN)/python -m pip install --quiet --no-deps -c requirements/tested.txt pnnx
# Processes that the tests run in.
JOBS ?= 2
LISTS := pyproject.toml requirements/base.txt requirements/tensorflow.txt requirements/tested.txt

.PHONY: train test coverage test-backends test-no-tensorflow lint format docs clean

train: $(VENV)/.installed
	$(BIN)/kseg train --config examples/configs/parts.yaml --overwrite

test: $(VENV)/.installed-dev
	$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

# The same tests, and which lines they reach: following these takes up to half as long again.
coverage: $(VENV)/.installed-dev
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal --cov --cov-report=term

# Everything that depends on the backend, at full length: about an hour and a half for all three.
test-backends: $(VENV)/.installed-dev
	for backend in tensorflow jax torch; do \
	  KERAS_BACKEND=$$backend $(BIN)/python -m pytest --full tests/layers tests/encoders tests/models tests/losses tests/metrics || exit 1; \
	done

# An environment without TensorFlow: the package's own list less one line.
test-no-tensorflow:
	$(PYTHON) -m venv .venv-no-tensorflow
	.venv-no-tensorflow/bin/pip install -q -c requirements/tested.txt -r requirements/base.txt jax pytest pytest-timeout hypothesis scikit-learn
	.venv-no-tensorflow/bin/pip install -q --no-deps -e .
	! .venv-no-tensorflow/bin/python -c "import tensorflow" 2>/dev/null
	KERAS_BACKEND=jax .venv-no-tensorflow/bin/python -m pytest tests/losses tests/metrics tests/models tests/layers tests/encoders tests/data tests/training tests/inference

lint: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell

format: $(VENV)/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(VENV)/.installed-dev
	$(BIN)/python docs/benchmark_charts.py
	$(BIN)/python docs/generate.py

clean:
	rm -rf $(VENV) .venv-no-tensorflow build *.egg-info

$(VENV)/.installed: $(LISTS)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet -c requirements/tested.txt -e .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet -c requirements/tested.txt -e ".[dev,$(BACKENDS)]"
	$(if $(findstring export,$(BACKENDS)),$(PNNX))
	touch $@
