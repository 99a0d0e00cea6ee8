# make demo          replay the bundled clip and say where its annotated video and CSV are
# make test          the base package with its tests: what needs torch skips and says so
# make test-all      the same tests with every extra installed
# make test-newest   the base tests with the newest version of everything, on the newest Python that is found
# make test-lowest   the same with the lowest versions that setup.cfg allows, on Python 3.11; EXTRAS=all,test for all
# make check         format, lint, strict types
# make clean         remove the environments
#
# PYTHON=python3.12 make test     chooses the interpreter of an environment that is not there yet.

PIP = -m pip install --quiet --disable-pip-version-check
BASE = .venv
ALL = .venv-all
NEWEST = .venv-newest
LOWEST = .venv-lowest
EXTRAS = test
SMOKE = tests/engines tests/sources/test_images.py tests/sources/test_video_times.py tests/vendors/test_opencv.py \
        tests/charts/test_latency.py tests/vendors/test_pyav.py tests/cli/test_replay.py tests/run/test_same_rows.py \
        tests/verify tests/video tests/workers/test_threads.py
VERSIONS = -c 'from streamer.vendors.versions import line; print(line())'

.PHONY: demo test test-all test-newest test-lowest smoke-lowest check clean lowest

demo: $(BASE)/.base
	@$(BASE)/bin/python $(VERSIONS)
	$(BASE)/bin/streamer replay samples/street.mp4 --engine ir-auto-shared --out runs/demo --overwrite

test: $(BASE)/.test
	$(BASE)/bin/python -m pytest

test-all: $(ALL)/.all
	$(ALL)/bin/python -m pytest

test-newest:
	@$(MAKE) --no-print-directory $(NEWEST)/.test PYTHON="$${PYTHON:-$$(.ci/find-python newest)}"
	$(NEWEST)/bin/python $(PIP) --upgrade --upgrade-strategy eager --editable '.[test]'
	$(NEWEST)/bin/python -m pytest
	$(NEWEST)/bin/python -m tests.record_tested

test-lowest: lowest
	$(LOWEST)/bin/python -m pytest

# What CI has the time for: the demo, and the tests of what the libraries are used for.
smoke-lowest: lowest
	@$(MAKE) --no-print-directory demo BASE=$(LOWEST)
	$(LOWEST)/bin/python -m pytest $(SMOKE)

check: $(BASE)/.test
	@$(BASE)/bin/python $(VERSIONS)
	$(BASE)/bin/ruff format --check .
	$(BASE)/bin/ruff check .
	$(BASE)/bin/mypy

clean:
	rm -rf $(BASE) $(ALL) $(NEWEST) $(LOWEST)

# A stamp is younger than the files that say what to install: a second run installs nothing.
%/bin/python:
	@python="$${PYTHON:-$$(.ci/find-python)}" && $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "streamer needs Python 3.11 or newer: PYTHON=python3.12 make ..."; exit 1; } && \
	    echo "$$python -m venv $*" && $$python -m venv $*

%/.base: setup.cfg pyproject.toml | %/bin/python
	$*/bin/python $(PIP) --editable .
	@touch $@

%/.test: %/.base
	$*/bin/python $(PIP) --editable '.[test]'
	@touch $@

%/.all: setup.cfg pyproject.toml | %/bin/python
	$*/bin/python $(PIP) --editable '.[all,test]'
	@touch $@

lowest:
	@$(MAKE) --no-print-directory $(LOWEST)/bin/python PYTHON="$${PYTHON:-$$(.ci/find-python 3.11)}"
	$(LOWEST)/bin/python $(PIP) uv
	$(LOWEST)/bin/uv pip install --quiet --python $(LOWEST)/bin/python --resolution lowest-direct --editable '.[$(EXTRAS)]'
	@touch $(LOWEST)/.base

.SECONDARY:
