# Needs only make and Python 3.11 or newer. Every path below is relative and every tool runs as
# `.venv/bin/python -m`, so the checkout may lie in a folder whose name has a space in it.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# An interpreter to build the environment with, for example `make test PY=python3.12`; found by itself when empty.
PY ?=
# More arguments for pytest, the demo or the benchmarks, for example `make test ARGS="-k money"`.
ARGS ?=
UV ?= uv

VENV_PY := .venv/bin/python
# A user-wide pip setting must not send the packages elsewhere, nor a foreign PYTHONHOME break the interpreter.
unexport PIP_USER PIP_TARGET PIP_PREFIX PYTHONHOME
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Set-up is everything between reading this file and starting the demo.
STARTED := $(shell date +%s)

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-17s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: .venv/.runtime ## A year of a wholesale company, from import to explained balances and a full replay
	@echo "Set-up took $$(( $$(date +%s) - $(STARTED) )) s."
	@$(VENV_PY) -m tieout demo $(ARGS)

.PHONY: demo-retail
demo-retail: .venv/.runtime ## The same with real retail documents, where the sample data is present
	@echo "Set-up took $$(( $$(date +%s) - $(STARTED) )) s."
	@$(VENV_PY) -m tieout demo --retail $(ARGS)

.PHONY: test
test: check ## All checks, then all tests
	@$(VENV_PY) -m pytest $(ARGS)

.PHONY: check
check: .venv/.dev ## Style, formatting, types and the direction of imports
	@$(VENV_PY) -m ruff check .
	@$(VENV_PY) -m ruff format --check .
	@$(VENV_PY) -m mypy
	@$(VENV_PY) -c 'from importlinter.cli import lint_imports_command; lint_imports_command()' --no-logo

.PHONY: bench
bench: .venv/.dev ## Measure the goals of docs/benchmarks.md
	@$(VENV_PY) -m benchmarks $(ARGS)

.PHONY: bench-servers
bench-servers: .venv/.dev ## Measure the goals on PostgreSQL and Kafka; ARGS=--quick for a short run
	@$(VENV_PY) -m benchmarks.servers $(ARGS)

.PHONY: bench-http
bench-http: .venv/.dev ## Measure the goals over HTTP, on PostgreSQL; ARGS=--quick for a short run
	@$(VENV_PY) -m benchmarks.http $(ARGS)

.PHONY: servers
servers: .venv/.dev ## Start PostgreSQL and Kafka on this machine, to try Tieout with
	@$(VENV_PY) deploy/local_servers.py start

.PHONY: servers-stop
servers-stop: .venv/.dev ## Stop them; what they hold stays
	@$(VENV_PY) deploy/local_servers.py stop

.PHONY: helm
helm: ## For the tests of the chart, needs Go: build Helm
	@test -x .servers/bin/helm || GOBIN="$(CURDIR)/.servers/bin" go install helm.sh/helm/v4/cmd/helm@v4.3.1

.PHONY: oasdiff
oasdiff: ## For the test of what breaks clients, needs Go: build oasdiff
	@test -x .servers/bin/oasdiff || GOBIN="$(CURDIR)/.servers/bin" go install github.com/oasdiff/oasdiff@v1.37.0

.PHONY: update-snapshots
update-snapshots: .venv/.dev ## Write the golden files and snapshots anew; read the difference before you commit it
	@$(VENV_PY) -m pytest --update-snapshots $(ARGS)

.PHONY: dev
dev: .venv/.dev ## Only build the environment for development

.PHONY: lock
lock: ## For maintainers, needs uv: write requirements.lock; ARGS=--upgrade for newer versions
	@command -v $(UV) >/dev/null 2>&1 || { echo "make lock needs uv, which was not found; nothing else does." >&2; exit 1; }
	@# The pins already in the file are kept unless --upgrade is given, so that a new dependency changes one line.
	@$(UV) pip compile --quiet --universal --python-version 3.11 --no-annotate --no-header --group dev \
	  --output-file requirements.lock pyproject.toml $(ARGS)

.PHONY: clean
clean: ## Remove the environment, caches and build output; stores are left alone
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis build dist
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Three stamps, all inside .venv, so that a second run does nothing and removing .venv removes them too.
# Each is written only after its step has succeeded: an interrupted set-up is taken up again.

# The environment alone. Made anew when its interpreter is gone, as after an upgrade of the system's Python.
.venv/.made: $(shell test -x .venv/bin/python || echo FORCE)
	@py='$(PY)'; without_venv=''; \
	runs='import sys; sys.exit(sys.version_info < (3, 11))'; \
	if [ -n "$$py" ]; then \
	  "$$py" -c "$$runs" >/dev/null 2>&1 || { echo "PY=$$py is not a Python 3.11 or newer that runs." >&2; exit 1; }; \
	  "$$py" -c 'import venv, ensurepip' >/dev/null 2>&1 || { without_venv=$$py; py=''; }; \
	else \
	  for candidate in python3.14 python3.13 python3.12 python3.11 python3; do \
	    "$$candidate" -c "$$runs" >/dev/null 2>&1 || continue; \
	    if "$$candidate" -c 'import venv, ensurepip' >/dev/null 2>&1; then py=$$candidate; break; fi; \
	    without_venv=$$candidate; \
	  done; \
	fi; \
	if [ -z "$$py" ] && [ -n "$$without_venv" ]; then \
	  echo "$$without_venv cannot make an environment, its venv or ensurepip module is missing (Debian, Ubuntu: apt install python3-venv)." >&2; exit 1; \
	elif [ -z "$$py" ]; then \
	  echo "No Python 3.11 or newer was found on the path; install one, or name it: make PY=/path/to/python3." >&2; exit 1; \
	fi; \
	echo "Making .venv with $$("$$py" --version) ..."; \
	"$$py" -m venv --clear .venv
	@touch $@

# What the program needs, and no tool of ours.
.venv/.runtime: .venv/.made pyproject.toml requirements.lock
	@echo "Installing what Tieout needs ..."
	@# Python 3.11's own pip knows no --group.
	@$(VENV_PY) -m pip install -q -U "pip>=25.1"
	@$(VENV_PY) -m pip install -q -c requirements.lock -e .
	@touch $@

.venv/.dev: .venv/.runtime
	@echo "Installing the tools for tests and checks ..."
	@$(VENV_PY) -m pip install -q -c requirements.lock --group dev
	@touch $@

.PHONY: FORCE
FORCE:
