# make run and make test do all of their own set-up.
BASE_PYTHON := $(shell command -v python3.11 || command -v python3)
PYTHON = .venv/bin/python
PIP = $(PYTHON) -m pip --disable-pip-version-check --quiet
RUN = .venv/.installed
DEV = .venv/.installed-with-tests

# Pictures and output folder of make bench.
IMAGES = samples
FIGURES = build/benchmarks

.PHONY: help run test test-all test-unit soak chaos bench lint docs wheel clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## */\t/' | expand -t 12

run: $(RUN)  ## run broker, worker and page on this machine, with the sample pictures
	@$(PYTHON) -m catdog_stream.broker
	@.venv/bin/catdog-stream up --samples

test: test-unit  ## run the tests, on a Kafka that they start
	$(PYTHON) -m pytest -m "(integration or slow) and not long"

test-all: test  ## run the long tests, too: every fault, a whole training, random faults
	$(PYTHON) -m pytest -m long

test-unit: $(DEV)  ## run the tests that need no broker, in two processes
	$(PYTHON) -m pytest --numprocesses 2 --dist loadfile -m "not integration and not slow and not long"

soak: $(DEV)  ## run half an hour under load and kill workers: build/soak.csv and .png
	$(PYTHON) -m benchmarks.soak

chaos: $(DEV)  ## cause random faults on three brokers under load (SEED=n, MINUTES=m, TOPOLOGY=classes): build/chaos
	$(PYTHON) -m tests.chaos $(if $(SEED),--seed $(SEED)) $(if $(MINUTES),--minutes $(MINUTES)) \
	    $(if $(TOPOLOGY),--topology $(TOPOLOGY))

bench: $(DEV)  ## run all benchmarks and draw their chart, in build/benchmarks (IMAGES=DIR)
	$(PYTHON) -m benchmarks.throughput --images "$(IMAGES)" --output $(FIGURES)/throughput.json
	$(PYTHON) -m benchmarks.latency --images "$(IMAGES)" --output $(FIGURES)/latency.json
	$(PYTHON) -m benchmarks.overhead --output $(FIGURES)/overhead.json
	$(PYTHON) -m benchmarks.startup --images "$(IMAGES)" --output $(FIGURES)/startup.json
	$(PYTHON) -m benchmarks.scaling --images "$(IMAGES)" --output $(FIGURES)/scaling.json
	$(PYTHON) -m benchmarks.charts --input $(FIGURES) --output $(FIGURES)/performance.png

lint: $(DEV)  ## check style, types, imports between packages, and the files in ops/
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/codespell -D - -D .codespell-words
	.venv/bin/mypy
	PYTHONPATH=. .venv/bin/lint-imports --no-cache
	ops/check
	@$(MAKE) --no-print-directory docs

docs: $(DEV)  ## build the documentation as a site, in build/site; a broken link is an error
	@rm -rf build/pages && mkdir -p build/pages
	@cp --parents README.md CHANGELOG.md CONTRIBUTING.md LICENSE NOTICE docs/* ops/README.md weights/*/README.md build/pages
	.venv/bin/mkdocs build

wheel: $(RUN)  ## build a wheel in dist/
	$(PIP) wheel --no-deps --wheel-dir dist .

clean:  ## remove the files that make created
	rm -rf .venv .cache build dist *.egg-info

$(RUN): setup.cfg pyproject.toml
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	    $(BASE_PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed: set BASE_PYTHON to its path." >&2; exit 1; }; \
	    echo "Creating .venv."; $(BASE_PYTHON) -m venv --clear .venv; }
	@echo "Installing into .venv: a minute or two the first time."
	@$(PIP) install --editable '.[broker]'
	@touch $@

$(DEV): $(RUN)
	@echo "Installing the test tools, TensorFlow among them: a minute or two the first time."
	@$(PIP) install --editable '.[lint]'
	@touch $@
