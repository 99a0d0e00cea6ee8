# make demo       replay the bundled clip and say where its annotated video and CSV are
# make test       the base package with its tests: what needs torch skips and says so
# make test-all   the same tests with every extra installed
# make check      format, lint, strict types
# make clean      remove both environments
#
# PYTHON=python3.12 make test     chooses the interpreter of an environment that is not there yet.

PYTHON ?= python3
PIP = -m pip install --quiet --disable-pip-version-check
BASE = .venv
ALL = .venv-all

.PHONY: demo test test-all check clean

demo: $(BASE)/.base
	$(BASE)/bin/streamer replay samples/street.mp4 --engine ir-auto-shared --out runs/demo --overwrite

test: $(BASE)/.test
	$(BASE)/bin/python -m pytest

test-all: $(ALL)/.test
	$(ALL)/bin/python -m pytest

check: $(BASE)/.test
	$(BASE)/bin/ruff format --check .
	$(BASE)/bin/ruff check .
	$(BASE)/bin/mypy

clean:
	rm -rf $(BASE) $(ALL)

# A stamp is younger than the files that say what to install: a second run installs nothing.
$(BASE)/bin/python $(ALL)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "streamer needs Python 3.11 or newer: PYTHON=python3.12 make ..."; exit 1; }
	$(PYTHON) -m venv $(@D)/..

$(BASE)/.base: setup.cfg pyproject.toml | $(BASE)/bin/python
	$(BASE)/bin/python $(PIP) --editable .
	@touch $@

$(BASE)/.test: $(BASE)/.base
	$(BASE)/bin/python $(PIP) --editable '.[test]'
	@touch $@

$(ALL)/.test: setup.cfg pyproject.toml | $(ALL)/bin/python
	$(ALL)/bin/python $(PIP) --editable '.[all,test]'
	@touch $@
