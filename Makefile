# make run, make test: each does all of its own set-up.
BASE_PYTHON := $(shell command -v python3.11 || command -v python3)
PYTHON = .venv/bin/python
PIP = $(PYTHON) -m pip --disable-pip-version-check --quiet
RUN = .venv/.installed
DEV = .venv/.installed-with-tests
BENCH = .venv/.installed-with-benchmarks

# What make bench measures, and on which broker: embedded, or kafka (an Apache Kafka of its own).
IMAGES = samples
BROKER = embedded
# The embedded broker keeps backlogs in memory and saves them again and again.
BACKLOGS = $(if $(filter embedded,$(BROKER)),250 1000,1000 10000)
FIGURES = build/benchmarks

.PHONY: help run test test-unit test-kafka soak bench lint wheel clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*##/:/' | column -t -s:

run: $(RUN)  ## everything on this machine, with the sample pictures
	@.venv/bin/catdog-stream up --samples

test: $(DEV)  ## all tests, with the embedded broker
	$(PYTHON) -m pytest

test-unit: $(DEV)  ## the tests that need no broker, in seconds
	$(PYTHON) -m pytest -m "not integration and not slow"

test-kafka: $(DEV)  ## the integration tests against Apache Kafka (needs Java 17, Maven and Maven Central)
	CATDOG_TEST_ROUNDS=$${CATDOG_TEST_ROUNDS:-5} $(PYTHON) -m tests.support.kafka $(PYTHON) -m pytest -m integration

soak: $(BENCH)  ## half an hour under load, workers killed: build/soak.csv and .png (on Apache Kafka if it can be had)
	$(PYTHON) -m tests.support.kafka $(PYTHON) -m benchmarks.soak || \
	    { test $$? -eq 69 && $(PYTHON) -m benchmarks.soak; }

bench: $(BENCH)  ## all benchmarks and their chart, in build/benchmarks (IMAGES=DIR, BROKER=kafka)
	$(PYTHON) -m benchmarks.throughput --images "$(IMAGES)" --broker "$(BROKER)" --output $(FIGURES)/throughput.json
	$(PYTHON) -m benchmarks.latency --images "$(IMAGES)" --broker "$(BROKER)" --output $(FIGURES)/latency.json
	$(PYTHON) -m benchmarks.overhead --broker "$(BROKER)" --output $(FIGURES)/overhead.json
	$(PYTHON) -m benchmarks.startup --images "$(IMAGES)" --broker "$(BROKER)" --output $(FIGURES)/startup.json
	$(PYTHON) -m benchmarks.scaling --images "$(IMAGES)" --broker "$(BROKER)" --backlogs $(BACKLOGS) \
	    --output $(FIGURES)/scaling.json
	$(PYTHON) -m benchmarks.charts --input $(FIGURES) --output $(FIGURES)/performance.png

lint: $(BENCH)  ## style and types
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

wheel: $(RUN)  ## a wheel in dist/
	$(PIP) wheel --no-deps --wheel-dir dist .

clean:  ## remove what make made
	rm -rf .venv .cache build dist *.egg-info

$(RUN): setup.cfg pyproject.toml
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	    $(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed: set BASE_PYTHON to one." >&2; exit 1; }; \
	    echo "Creating .venv."; $(BASE_PYTHON) -m venv --clear .venv; }
	@echo "Installing into .venv: a minute or two the first time."
	@$(PIP) install --editable .
	@touch $@

$(DEV): $(RUN)
	@echo "Installing the test tools, TensorFlow among them: a minute or two the first time."
	@$(PIP) install --editable '.[test,lint]'
	@touch $@

$(BENCH): $(DEV)
	@echo "Installing what the benchmarks need."
	@$(PIP) install --editable '.[bench]'
	@touch $@
