# `make demo` and `make test` need nothing first: they set up what is missing (Debian packages, .venv).
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help setup system demo test quick corpus lab stress sound judges lint format docs wheel-test coverage bench \
	bench-compare clean
help:
	@echo 'make demo | test | quick | corpus | lab | stress | sound | judges | lint | format | docs | wheel-test | coverage'
	@echo '     bench | bench-compare REV=revision | clean'

setup: system .venv/stamp

system:
	@tools/system-packages

.venv/stamp: pyproject.toml | system
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("libstorage needs Python 3.11 or newer: make PYTHON=python3.x")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: setup
	$(BIN)/python docs/examples/quickstart.py

# Two processes, each with a core and daemons of its own.
test: setup
	$(BIN)/pytest -n 2 --dist loadfile

# What needs no daemon, in less than a minute: properties with fewer examples than in `make test`.
quick: setup
	HYPOTHESIS_PROFILE=quick $(BIN)/pytest -n 2 --dist loadfile tests/unit tests/property tests/contract

# Libvirt's own test documents as well: from Debian's source package, or from the folder LIBSTORAGE_CORPUS.
corpus: setup
	@tools/libvirt-corpus .corpus
	$(BIN)/pytest tests/libvirt_corpus

# Every pool type on real storage: its packages, servers and a guest; LIBSTORAGE_LAB_RECORD=1 keeps what is seen.
lab: setup
	@tools/system-packages $$(sed 's/#.*//' tests/lab/packages)
	$(BIN)/pytest tests/lab

# Sixteen threads on one host for a minute, and on one that hangs and dies.
stress: setup
	LIBSTORAGE_STRESS_SECONDS=60 $(BIN)/pytest tests/live/test_stress.py tests/live/test_threads.py

# 10,000 sound specs of every sort, which a real daemon must take and give back; minutes.
sound: setup
	LIBSTORAGE_SOUND=10000 $(BIN)/pytest -s -o faulthandler_timeout=0 tests/live/test_sound.py

# Both type checkers read tests/typing, too, which says what types users see.
lint: setup
	@status=0; for tool in 'ruff check' 'ruff format --check' lint-imports mypy basedpyright; do \
		echo "$$tool"; $(BIN)/$$tool || status=1; done; exit $$status

format: setup
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format

# The pages of docs/reference, from what the code declares.
docs: setup
	$(BIN)/python -m docs.generate

wheel-test: setup
	tools/wheel-test

# Every branch of the floors below the connection is tested.
coverage: setup
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 \
		--include='libstorage/enums/*,libstorage/display.py,libstorage/errors.py,libstorage/units.py,libstorage/operations.py,libstorage/xml/*,libstorage/models/*'

# The figures of docs/benchmarks.md. The machine should do nothing else meanwhile.
bench: setup
	@tools/system-packages virtinst python3-lxml golang-go
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev,bench]'
	@tools/libvirt-corpus .corpus
	set -e; for script in codec footprint listing transfer; do $(BIN)/python -m benchmarks.$$script; done
	$(BIN)/python -m benchmarks.report

# What "no slower" means: revision REV and this one in turns, one table of ratios. The machine should do nothing else meanwhile.
# Under ten minutes; ONLY='codec listing' measures only those of codec, footprint, listing and transfer.
ROUNDS ?= 7
MINUTES ?= 9.5
ONLY ?=
bench-compare: setup
	@test -n "$(REV)" || { echo 'make bench-compare REV=revision [ONLY=codec] [ROUNDS=7] [MINUTES=9.5]' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.compare '$(REV)' --rounds $(ROUNDS) --minutes $(MINUTES) $(if $(ONLY),--only $(ONLY))

# Libvirt's schema, ours and the strict reader on so many documents of each kind; or FAULTS=200: what the bench is worth.
JUDGES ?= 100000
FAULTS ?= 0
SEED ?= 1
judges: setup
	nice $(BIN)/python -m tests.judges --documents $(JUDGES) --faults $(FAULTS) --seed $(SEED)

clean:
	rm -rf .venv .corpus .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .coverage* build dist
	find . -name __pycache__ -prune -exec rm -rf {} +
