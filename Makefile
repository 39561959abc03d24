# Needs Python 3.11 to 3.13 and make, nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
OUT ?= run

.PHONY: demo test clients requirements lint bench wheel clean

$(VENV)/.installed: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.developer: $(VENV)/.installed
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@

demo: $(VENV)/.installed  ## two virtual homes update their bridges and meters; evidence in $(OUT)
	$(BIN)/hanlab demo --out $(OUT)

test: $(VENV)/.developer  ## all tests; those whose tool is missing are skipped with a reason
	$(BIN)/python -m pytest -n auto --ignore tests/benchmarks --ignore tests/clients --floors tests
	$(MAKE) clients

clients: $(VENV)/.developer  ## foreign host stacks in real time, one after the other
	$(BIN)/python -m pytest -n 0 tests/clients --floors clients

requirements: $(VENV)/.developer  ## docs/requirements.md, from the marks of the tests
	$(BIN)/python -m tests.requirements

lint: $(VENV)/.developer  ## style, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/.developer  ## speed, as ratios to references in the same process; a table of them at the end
	$(BIN)/python -m pytest tests/benchmarks --benchmark-enable -n 0 -s

wheel: $(VENV)/.developer
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) build dist *.egg-info $(OUT)
