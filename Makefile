# `make demo` and `make test` need nothing first: they set up what is missing (Debian packages, .venv).
# The text behind `## ` is what `make help` prints.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: help setup system demo test quick check corpus lab notebooks stress sound judges images mutants lint format docs site \
	wheel-test install-test test-trixie test-forky coverage bench bench-compare clean
help: ## list the targets
	@awk -F ':[^#]*## ' '/^[a-z-]+:[^#]*## / { printf "make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: system .venv/stamp ## install the Debian packages and the Python environment .venv

system: ## install the Debian packages that are missing
	@tools/system-packages

# Debian 12's pip (23.0) cannot read dependency groups: they need 25.1.
.venv/stamp: pyproject.toml | system
	@$(PYTHON) -c 'import sys; sys.version_info >= (3, 11) or sys.exit("libstorage needs Python 3.11 or newer: make PYTHON=python3.x")'
	$(PYTHON) -m venv .venv
	$(PIP) --upgrade 'pip>=25.1'
	$(PIP) --editable . --group dev
	@touch $@

demo: setup ## run the tour, docs/examples/quickstart.py, on a private libvirt daemon
	$(BIN)/python docs/examples/quickstart.py

test: setup ## run all tests but the lab and the corpus of libvirt, in two processes with daemons of their own
	$(BIN)/pytest -n 2 --dist loadfile

quick: setup ## run the tests that need no daemon, properties with fewer examples, in less than a minute
	HYPOTHESIS_PROFILE=quick $(BIN)/pytest -n 2 --dist loadfile tests/unit tests/property tests/contract

check: lint quick ## lint and quick: run it before you push

corpus: setup ## test against libvirt's own documents, from Debian's source package or LIBSTORAGE_CORPUS
	@tools/libvirt-corpus .corpus
	$(BIN)/pytest tests/libvirt_corpus

lab: setup ## test every pool type on real storage, as root; LIBSTORAGE_LAB_RECORD=1 records the results
	@tools/system-packages $$(sed 's/#.*//' tests/lab/packages)
	$(BIN)/pytest --durations=15 tests/lab

notebooks: setup ## run the notebooks in JupyterLab and Chromium, light and dark, and look at what they show
	@tools/system-packages $$(sed 's/#.*//' tests/notebooks/packages)
	$(PIP) --group notebooks
	$(BIN)/pytest tests/notebooks

stress: setup ## run sixteen threads for a minute on one host, and on one that hangs and dies
	LIBSTORAGE_STRESS_SECONDS=60 $(BIN)/pytest tests/live/test_stress.py tests/live/test_threads.py

sound: setup ## send 10,000 sound specs to a real daemon and compare the answers; takes minutes
	LIBSTORAGE_SOUND=10000 $(BIN)/pytest -s -o faulthandler_timeout=0 tests/live/test_sound.py

# Both type checkers read tests/typing, too, which says what types users see.
lint: setup ## run ruff, lint-imports, mypy, basedpyright and codespell
	@status=0; for tool in 'ruff check' 'ruff format --check' 'ruff format --check --config docs/site/examples.toml .' lint-imports mypy basedpyright codespell; do \
		echo "$$tool"; $(BIN)/$$tool || status=1; done; exit $$status

format: setup ## fix what ruff can fix, and format
	$(BIN)/python -m docs.notebook_form
	$(BIN)/ruff check --fix --exit-zero
	$(BIN)/ruff format
	$(BIN)/ruff format --config docs/site/examples.toml .

docs: setup ## generate docs/reference and schemas/*.schema.json from the code
	$(BIN)/python -m docs.generate

site: setup ## build site/ from docs/ and the docstrings, and check it: warnings are errors
	$(PIP) --group site
	$(BIN)/python -m docs.site

wheel-test: setup ## build the archives, and test each in an environment of its own
	tools/wheel-test

install-test: system ## install as the README says in a minimal Debian 12 and 13, as root
	@tools/system-packages mmdebstrap
	tools/in-debian bookworm tools/install-test
	tools/in-debian trixie tools/install-test

test-trixie: system ## run demo and test in a minimal Debian 13, as root
	@tools/system-packages mmdebstrap
	tools/in-debian trixie 'make demo && make test'

test-forky: system ## run demo and test in a minimal Debian testing, as root; CI does not wait for it
	@tools/system-packages mmdebstrap
	tools/in-debian forky 'make demo && make test'

coverage: setup ## measure branch coverage; the floors below the connection must have 100 %
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest
	$(BIN)/coverage combine --quiet
	$(BIN)/coverage report
	$(BIN)/coverage report --fail-under=100 \
		--include='libstorage/enums/*,libstorage/display.py,libstorage/errors.py,libstorage/units.py,libstorage/operations.py,libstorage/xml/*,libstorage/models/*,libstorage/data/*,libstorage/tables.py'

bench: setup ## measure the figures of docs/benchmarks.md, on a machine that does nothing else
	@tools/system-packages virtinst python3-lxml golang-go
	$(PIP) --group bench
	@tools/libvirt-corpus .corpus
	set -e; for script in codec footprint listing transfer; do $(BIN)/python -m benchmarks.$$script; done
	$(BIN)/python -m benchmarks.report

# One table of ratios, in under ten minutes. ONLY='codec listing' measures only those of codec, footprint, listing and transfer.
ROUNDS ?= 7
MINUTES ?= 9.5
ONLY ?=
bench-compare: setup ## measure the revision REV and this one in turns, on a machine that does nothing else
	@test -n "$(REV)" || { echo 'make bench-compare REV=revision [ONLY=codec] [ROUNDS=7] [MINUTES=9.5]' >&2; exit 2; }
	@$(BIN)/python -m benchmarks.compare '$(REV)' --rounds $(ROUNDS) --minutes $(MINUTES) $(if $(ONLY),--only $(ONLY))

# FAULTS=200 measures what the bench itself is worth.
JUDGES ?= 100000
FAULTS ?= 0
SEED ?= 1
judges: setup ## compare libvirt's schema, ours and the strict reader on JUDGES documents of each kind
	nice $(BIN)/python -m tests.judges --documents $(JUDGES) --faults $(FAULTS) --seed $(SEED)

IMAGES ?= 20000
images: setup ## fuzz the probing of images with IMAGES=20000 cut and changed images, which qemu-img judges
	nice $(BIN)/python -m tests.images --images $(IMAGES) --seed $(SEED)

# ONLY=transfer plants only the faults whose name or file has this word.
mutants: setup ## plant faults, and look which ones the tests notice
	nice $(BIN)/python -m tests.mutants $(foreach word,$(ONLY),--only $(word))

clean: ## remove .venv, caches and built archives
	rm -rf .venv .corpus .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .coverage* build dist site
	find . -name __pycache__ -prune -exec rm -rf {} +
