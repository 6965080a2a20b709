# `make run` serves the application; `make test` checks it. Both make .venv where it is missing or out of date.

SHELL := bash
.SHELLFLAGS := -o pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# SOURCE, HOST, ... count only where given to make itself: some shells set HOST for other purposes.
given = $(filter command,$(origin $(1)))
export SOURCE HOST PORT CONFIG DETECTOR
FLAGS = $(if $(call given,CONFIG),--config "$$CONFIG") $(if $(call given,SOURCE),--source "$$SOURCE") \
        $(if $(call given,HOST),--host "$$HOST") $(if $(call given,PORT),--port "$$PORT") \
        $(if $(call given,DETECTOR),--detector "$$DETECTOR")
# One more than there are processors, since tests also wait; many are about time, so never more than four.
PARALLEL = -n $(shell $(BIN)/python -c 'import os; print(min(4, 1 + (os.cpu_count() or 1)))') --dist worksteal

.PHONY: run site test quick screenshots test-install test-container notebook train model lint format upgrade clean help

run: $(VENV)/run.stamp ## Serve on http://127.0.0.1:5000 (SOURCE=..., HOST=..., PORT=..., CONFIG=..., DETECTOR=...)
	@exec $(BIN)/python app.py $(FLAGS)

site: $(VENV)/run.stamp ## Write site/: private mode as a static site, for any web server
	@$(BIN)/python scripts/make_site.py

test: lint ## Run ruff, mypy and all tests
	$(BIN)/python -m pytest $(PARALLEL)

quick: lint ## Run ruff, mypy and the quick tests, in about a minute
	$(BIN)/python -m pytest $(PARALLEL) -m "not slow and not installation and not container"

screenshots: $(VENV)/dev.stamp ## Write pictures of all pages to tests/screenshots, to look at after a change of one
	@$(BIN)/python -m tests.browser.screenshots

test-install: $(VENV)/dev.stamp ## Install the running part into an empty .venv elsewhere, and serve a face
	$(BIN)/python -m pytest -m installation

test-container: $(VENV)/dev.stamp ## Build the container image without a daemon (as root, with mmdebstrap and buildah) and run it
	$(BIN)/python -m pytest -m container

notebook: $(VENV)/train.stamp ## Open the notebook that trains the network in JupyterLab
	@$(BIN)/python -c 'import jupyterlab' 2>/dev/null || { echo "Installing JupyterLab"; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt 'jupyterlab>=4.4,<5'; }
	@exec $(BIN)/jupyter lab train.ipynb

train: $(VENV)/train.stamp ## Train without opening the notebook (DATA=fer2013.csv, VOTES=fer2013new.csv)
	@$(BIN)/python -m training.check "$(DATA)" $(if $(VOTES),--votes "$(VOTES)")
	@exec $(BIN)/python -m training.notebook "$(DATA)" $(if $(VOTES),--votes "$(VOTES)")

model: $(VENV)/train.stamp ## Make both networks of this repository anew (DATA=..., VOTES=..., JOBS=4 with a GPU)
	@$(BIN)/python -m training.check "$(DATA)" --votes "$(VOTES)"
	@exec $(BIN)/python -m training.make_model "$(DATA)" "$(VOTES)" --jobs $(or $(JOBS),1)

lint: $(VENV)/dev.stamp ## Run ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .

format: $(VENV)/dev.stamp ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

upgrade: $(VENV)/dev.stamp ## Write the newest versions that requirements/ allows into constraints.txt, and test them
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --no-header --no-annotate \
	  --no-emit-index-url --output-file constraints.txt requirements.txt
	@$(MAKE) --no-print-directory test

# One stamp for each part of requirements/. It is newer than constraints.txt once these versions are installed.
$(VENV)/%.stamp: requirements/%.txt constraints.txt
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || { echo "Making $(VENV)"; \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }; \
	  $(PYTHON) -m venv --clear $(VENV) || $(PYTHON) -m virtualenv --clear $(VENV) || \
	    { rm -rf $(VENV); echo "Python's venv module is missing: on Debian or Ubuntu, apt install python3-venv" >&2; exit 1; }; }
	@echo "Installing what $< names (the first time takes some minutes)"
	@$(BIN)/python -m pip install --disable-pip-version-check -r $< -c constraints.txt | \
	  awk '/^Collecting/ { print "  " $$2; fflush() } /^Installing/ { print "  unpacking"; fflush() }'
	@touch $@

clean: ## Remove caches and .venv
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis tests/screenshots
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
