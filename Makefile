# make demo          replay the bundled clip and say where its annotated video and CSV are
# make test          the base package with its tests: what needs torch skips and says so
# make test-all      the same tests with every extra installed
# make test-newest   the base tests with the newest version of everything, on the newest Python that is found
# make test-lowest   the same with the lowest versions that setup.cfg allows, on Python 3.11; EXTRAS=all,test for all
# make docs          the site of docs/ into site/, in an environment of its own; a warning is an error
# make check         format, lint, strict types
# make clean         remove the environments
#
# PYTHON=python3.12 make test     chooses the interpreter of an environment that is not there yet.
# make test JOBS=1 OPTIONS=-x     JOBS tests at once, but for those that measure time; OPTIONS go to pytest.

PIP = -m pip install --quiet --disable-pip-version-check
BASE = .venv
ALL = .venv-all
NEWEST = .venv-newest
LOWEST = .venv-lowest
DOCS = .venv-docs
EXTRAS = test
SMOKE = tests/engines tests/sources/test_images.py tests/sources/test_video_times.py tests/vendors/test_opencv.py \
        tests/charts/test_latency.py tests/vendors/test_pyav.py tests/cli/test_replay.py tests/run/test_same_rows.py \
        tests/verification tests/video tests/workers/test_threads.py
JOBS = 3
OPTIONS =
VERSIONS = -c 'from streamer.vendors.versions import line; print(line())'

# Tests share the processors; then those that measure time have them for themselves. Each is run in a worker: a
# time-out or a crash in a runtime's own code ends that, and fails its test alone.
define test
	$(1)/bin/python -m pytest -n $(JOBS) --dist worksteal --timeout-method thread -m 'not timing' $(OPTIONS) $(2); \
	    first=$$?; \
	    $(1)/bin/python -m pytest -n 1 --dist worksteal --timeout-method thread -m timing $(OPTIONS) $(2) && exit $$first
endef

.PHONY: demo test test-all test-newest test-lowest smoke-lowest check docs clean lowest

demo: $(BASE)/.base
	@$(BASE)/bin/python $(VERSIONS)
	$(BASE)/bin/streamer replay samples/street.mp4 --engine ir-auto-shared --out runs/demo --overwrite

test: $(BASE)/.test
	$(call test,$(BASE))

test-all: $(ALL)/.all
	$(call test,$(ALL))

test-newest:
	@$(MAKE) --no-print-directory $(NEWEST)/.test PYTHON="$${PYTHON:-$$(.ci/find-python newest)}"
	$(NEWEST)/bin/python $(PIP) --upgrade --upgrade-strategy eager --editable '.[test]'
	$(call test,$(NEWEST))
	$(NEWEST)/bin/python -m tests.record_tested

test-lowest: lowest
	$(call test,$(LOWEST))

# What CI has the time for: the demo, and the tests of what the libraries are used for.
smoke-lowest: lowest
	@$(MAKE) --no-print-directory demo BASE=$(LOWEST)
	$(call test,$(LOWEST),$(SMOKE))

check: $(BASE)/.test
	@$(BASE)/bin/python $(VERSIONS)
	$(BASE)/bin/ruff format --check .
	$(BASE)/bin/ruff check .
	$(BASE)/bin/mypy

docs: $(DOCS)/.docs
	$(DOCS)/bin/zensical build --clean --strict
	@! grep -rE '<(script|link|img)[^>]+(src|href)="?(https?:)?//' site --include='*.html' || \
	    { echo "site/ loads what the lines above name from a network"; exit 1; }

clean:
	rm -rf $(BASE) $(ALL) $(NEWEST) $(LOWEST) $(DOCS) site

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

%/.docs: %/.base
	$*/bin/python $(PIP) --editable '.[docs]'
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
