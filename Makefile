# Every command a developer needs; `make help` lists them.
.DEFAULT_GOAL := help
PYTHON ?= python3
PORT ?= 5000
BIN := .venv/bin
HTML := tests/browser/html
WORKERS ?= auto

help: ## List the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: .venv/.installed ## Make the environment in .venv and install everything

.venv/.installed: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv || { \
		echo "The virtual environment could not be made. On Debian: apt-get install python3-venv" >&2; \
		rm -rf .venv; exit 1; }
	@echo "Installing into .venv ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev]'
	@touch $@

run: setup ## Migrate and seed an embedded database, then serve the console
	@$(BIN)/flask develop --port $(PORT)

test: setup ## Run the tests, on SQLite and on PostgreSQL
	@$(BIN)/pytest -q -n $(WORKERS)

test-browser: setup $(HTML)/node_modules ## Drive the console in Chromium (Debian: chromium, npm)
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadfile tests/browser

$(HTML)/node_modules: $(HTML)/package-lock.json
	@npm ci --prefix $(HTML) --ignore-scripts --no-audit --no-fund --silent || { \
		echo "The checker of HTML could not be installed. On Debian: apt-get install npm" >&2; exit 1; }
	@touch $@

lint: setup ## Check format, style, types, imports and migrations
	@$(BIN)/ruff format --check --quiet . || { echo "Run: make fix" >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/flask db-lint

check: lint test ## Everything that must pass before a commit lands

fix: setup ## Format, and mend what can be mended
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format --quiet .

migration: setup ## Write a migration from the models: make migration m="Add refunds"
	@test -n "$(m)" || { echo 'Say what it does: make migration m="Add refunds"' >&2; exit 2; }
	@$(BIN)/flask db migrate -m "$(m)" --rev-id $$($(BIN)/python -c 'import secrets; print(secrets.token_hex(2))')
	@$(BIN)/flask db heads | cut -d ' ' -f 1 > migrations/HEAD
	@$(BIN)/ruff check --fix --quiet migrations; $(BIN)/ruff format --quiet migrations
	@echo "Read it, correct it, and commit it together with migrations/HEAD."

.PHONY: help setup run test test-browser lint check fix migration
