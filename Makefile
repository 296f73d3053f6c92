# Five verbs; each sets up what it needs on a machine that has only git, make and Python 3.11+.
#   make up     start Mercato and serve its pages        make test   run the tests (PROFILE=nightly for the long ones)
#   make check  ruff, mypy, import law, house test, docs  make bench  print the benchmarks   make docs  build the docs site
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
ARGS   ?=
PROFILE ?= default
# One more than the cores of a small machine: tests wait for servers, pages and processes about as often as they compute.
WORKERS ?= 3
export UV_NO_PROGRESS=1
# A company's own certificate authority is known to the system; uv and Deno would not look there by themselves.
export UV_SYSTEM_CERTS=1
export DENO_TLS_CA_STORE=system,mozilla
export MERCATO_TEST_PROFILE=$(PROFILE)

.PHONY: up test check bench docs
.DEFAULT_GOAL := up

$(BIN)/uv: requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + "; set PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/uv.txt
	@touch $@

# The editable install runs the build hook, so it depends on contracts and islands too.
$(READY): $(BIN)/uv requirements/dev.txt pyproject.toml $(wildcard build_*.py src/mercato/contracts/*.vy* src/mercato/web/islands/* src/mercato/web/deno.* src/mercato/*/pages.css)
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements/dev.txt
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	@touch $@

up: $(READY)
	$(BIN)/mercato up $(ARGS)

# The docs' examples run in `check`.
# Tests are rewritten as they are read: what one worker has written down, the others need not do again.
test: export PYTHONDONTWRITEBYTECODE :=
test: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup --ignore=tests/docs $(ARGS)

check: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python build_web.py check
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -n 0 tests/house tests/docs
	$(BIN)/codespell src docs tests bench README.md ARCHITECTURE.md CONTRIBUTING.md SECURITY.md AGENTS.md

bench: $(READY)
	$(BIN)/python -m bench $(ARGS)

docs: $(READY)
	$(BIN)/zensical build --clean --strict
