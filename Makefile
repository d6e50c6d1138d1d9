# Python 3.11 or newer and make are all that a machine must have: everything else goes into this folder.

PYTHON ?= python3
PORT ?= 8000
PYTEST ?= -n 2 --dist loadfile
BENCH ?=
MINUTES ?= 10

BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
DEMO := .cache/demo.sqlite
GRAPHIQL := gql_nda/http/static/built/examples.json
PEERS := .cache/bench/python/.installed benchmarks/node/node_modules/.package-lock.json

.PHONY: help install serve test check bench soak schema docs clean
.NOTPARALLEL:

help:                ## list these targets
	@sed -n 's/^\([a-z]*\): .*## /  make \1	/p' $(MAKEFILE_LIST)

install: .venv/.installed $(GRAPHIQL) ## install the server and GraphiQL into this folder

serve: install       ## serve the demo dataset: make serve PORT=8001
	@$(BIN)/gql-nda demo $(DEMO)
	@$(BIN)/gql-nda serve --database sqlite:///$(DEMO) --port $(PORT)

test: .venv/.test web/node_modules/.test $(PEERS) $(GRAPHIQL) ## run every test: make test PYTEST="-k units"
	@tools/debian-packages
	@$(BIN)/python -m pytest -p tests.support.skips $(PYTEST)

check: .venv/.test   ## lint, formatting, types, and who may import whom
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

bench: .venv/.bench $(PEERS) ## measure every promise against its peers: make bench BENCH="query-u unit"
	@tools/debian-packages
	@$(BIN)/python -m benchmarks $(BENCH)

soak: .venv/.bench   ## mixed operations under load, and clients that leave: make soak MINUTES=60
	@tools/debian-packages
	@$(BIN)/python -m benchmarks.soak $(MINUTES)

schema: .venv/.installed ## print schema.graphql from the code
	@$(BIN)/python -m tools.docs schema.graphql

docs: .venv/.installed ## write what is made from the code: docs/settings.md, docs/tables.md, schema.graphql
	@$(BIN)/python -m tools.docs

clean:               ## remove everything that make has made
	rm -rf .venv .cache web/node_modules benchmarks/node/node_modules $(dir $(GRAPHIQL)) build *.egg-info
	rm -rf .hypothesis .mypy_cache .pytest_cache .ruff_cache .import_linter_cache

# What follows is made once, and again when what it is made from has changed.

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed, and $(PYTHON) is not; name another: make PYTHON=python3.12 ..." >&2; exit 1; }
	@echo "environment: .venv"
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/.installed: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Python packages: the server's"
	@$(PIP) --editable .
	@touch $@

.venv/.test: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Python packages: the server's and the tests'"
	@$(PIP) --editable '.[test]'
	@touch .venv/.installed $@

.venv/.bench: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Python packages: the server's and the benchmarks'"
	@$(PIP) --editable '.[bench]'
	@touch .venv/.installed $@

.cache/bench/python/.installed: benchmarks/requirements.txt | $(BIN)/python
	@echo "Python packages: peers of other versions, in an environment of their own"
	@$(BIN)/python -m venv .cache/bench/python
	@.cache/bench/python/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@

benchmarks/node/node_modules/.package-lock.json: benchmarks/node/package-lock.json | .venv/.installed
	@echo "npm packages: the benchmarks'"
	@$(BIN)/python -m tools.npm --in benchmarks/node ci
	@touch $@

web/node_modules/.package-lock.json: web/package-lock.json | .venv/.installed
	@echo "npm packages: GraphiQL's"
	@$(BIN)/python -m tools.npm ci --omit=dev
	@touch $@

web/node_modules/.test: web/package-lock.json | .venv/.installed
	@echo "npm packages: GraphiQL's and the tests'"
	@$(BIN)/python -m tools.npm ci
	@touch web/node_modules/.package-lock.json $@

$(GRAPHIQL): web/node_modules/.package-lock.json tools/graphiql.py $(wildcard examples/*)
	@$(BIN)/python -m tools.graphiql
