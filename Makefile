# make demo    record a service, stop its database, replay two builds: five planted regressions are found
# make test    every test           make check   linters, types, layers
# make suites  record real services afresh, learn their noise, replay each 20 times without its servers
# make mutants   one line of a real service changed at a time: what is found of it, and where (docs/mutations.md)
# make bench   how fast it is       make lock    newer dependencies
# Each sets itself up in .venv first. Another Python: make test PYTHON=python3.12

PYTHON ?=
RUN := .venv/bin/python
RUNS ?= 1

.PHONY: demo test check suites mutants bench lock format clean ready drivers
.SUFFIXES:
.DEFAULT_GOAL := test

ready:
	@.ci/setup '$(PYTHON)'

demo: ready
	@$(RUN) fixtures/demo/demo.py --runs $(RUNS)

drivers:
	@.ci/setup '$(PYTHON)' drivers

test: drivers
	@$(RUN) -m pytest -n auto --dist loadfile $(ARGS)

suites: drivers
	@place=$$(mktemp -d) && $(RUN) fixtures/services/record.py --into $$place && \
	$(RUN) fixtures/services/replay.py --from $$place --times 20; code=$$?; rm -rf $$place; exit $$code

mutants: drivers
	@$(RUN) fixtures/mutants/run.py --write $(ARGS)

check: ready
	@$(RUN) -m ruff check --quiet .
	@$(RUN) -m ruff format --quiet --check . || { echo "not formatted: run make format"; exit 1; }
	@$(RUN) -m mypy
	@.venv/bin/lint-imports --no-logo 2>&1 || .venv/bin/lint-imports

bench: ready
	@$(RUN) benchmarks/run.py $(ARGS)

format: ready
	@$(RUN) -m ruff check --quiet --fix .
	@$(RUN) -m ruff format --quiet .

lock:
	@.ci/lock '$(or $(PYTHON),python3.12)'

clean:
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .hypothesis .import_linter_cache
