# Everything lives in .venv; nothing is installed outside of it.
#
#   make serve     set up and start the service on port 8000
#   make test      set up and run the checks and the tests
#   make check     formatting, lint, types and architecture only
#   make bench     the benchmarks (FACES=folder of people, see benchmarks/README.md)
#   make photos    put sample photos of two people into photos/

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
TORCH  ?= auto
FACES  ?=
VENV   := .venv
BIN    := $(VENV)/bin
INPUTS := pyproject.toml constraints.txt scripts/install.py

.PHONY: serve test check format bench photos clean
.DELETE_ON_ERROR:

serve: $(VENV)/.installed
	$(BIN)/vultus serve

test: check
	$(BIN)/pytest

check: $(VENV)/.installed-dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.installed-dev
	$(BIN)/python -m benchmarks.lfw --faces "$(FACES)"
	$(BIN)/python -m benchmarks.gallery --faces "$(FACES)"

photos: $(VENV)/.installed-dev
	$(BIN)/python scripts/sample_photos.py photos

# The service needs less than its tests do; each is installed once, and again when its inputs change.
$(VENV)/.installed: $(INPUTS)
	$(PYTHON) scripts/install.py $(VENV) --torch $(TORCH)
	touch $@

$(VENV)/.installed-dev: $(INPUTS)
	$(PYTHON) scripts/install.py $(VENV) --torch $(TORCH) --dev
	touch $(VENV)/.installed $@

clean:
	rm -rf $(VENV) build dist *.egg-info
