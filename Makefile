# The front door. Needs Python 3.11 or newer and a package index; everything goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SAMPLE := corpus/pdf/seed-parents-wrote.designed.pdf

.PHONY: demo test quick lint clean
.DEFAULT_GOAL := demo

demo: $(VENV)/demo.ok  ## set up, check a sample strategy and show the finding
	@mkdir -p build
	@$(BIN)/claimscan check $(SAMPLE) --html build/demo.html --pdf build/demo.pdf
	@echo
	@echo "The page with every quote and its place: build/demo.html"
	@echo "A copy of the document with each place highlighted: build/demo.pdf"
	@echo "The document itself: $(SAMPLE)"

test: $(VENV)/test.ok lint  ## set up and run every test
	$(BIN)/python -m pytest -n 2 --nbmake notebooks
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

quick: $(VENV)/test.ok  ## the tests without the slow ones
	$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow"

lint: $(VENV)/test.ok  ## style, types and the order of imports
	$(BIN)/black --check -q -l 120 claimscan tests benchmarks
	$(BIN)/isort --check -q claimscan tests benchmarks
	$(BIN)/flake8 claimscan tests benchmarks
	$(BIN)/codespell
	$(BIN)/mypy
	$(BIN)/lint-imports --config=setup.cfg

$(VENV)/demo.ok: setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(0 if sys.version_info >= (3, 11) else "claimscan needs Python 3.11 or newer. Try: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check -e .
	@touch $@

$(VENV)/test.ok: $(VENV)/demo.ok
	$(BIN)/python -m pip install -q --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf $(VENV) build dist *.egg-info
