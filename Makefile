# Everything lives in .venv; nothing is installed outside of it.
#
#   make serve     set up and start the service on port 8000 with all parts that
#                  run and measure networks (EXTRAS=openvino: without PyTorch, for a CPU)
#   make demo      set up and open the console on sample photos, in a temporary folder
#   make test      set up and run the checks and the tests
#   make check     formatting, lint, types and architecture only
#   make clients   install clients of CompreFace, DeepStack and Rekognition, which some tests use,
#                  into .venv-clients; what cannot be had is left out, and its tests are skipped
#   make sbom      write sbom.cdx.json: what is installed, with versions and licences (CycloneDX)
#   make advisories  look up the pinned packages among known vulnerabilities
#   make bench     the benchmarks (FACES=folder of people, see benchmarks/README.md)

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
TORCH  ?= auto
# Optional parts of the installation: openvino, gpu, report, train (both), milvus, mqtt, otel.
EXTRAS ?= openvino,train
FACES  ?=
# What the tests reach is measured where CI is set, as it makes them slower; or COVERAGE=--cov.
COVERAGE ?= $(if $(CI),--cov)
ifeq ($(PYTHON),)
$(error Vultus needs Python 3.11 or newer: install it, or run make PYTHON=/path/to/python3.11)
endif
VENV   := .venv
BIN    := $(VENV)/bin
INPUTS := pyproject.toml constraints.txt scripts/install.py

# Each process that a test starts would compile all modules again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: serve demo test check format openapi reference clients sbom advisories bench clean
.DELETE_ON_ERROR:

serve: $(VENV)/.installed-$(TORCH)-$(EXTRAS)
	$(BIN)/vultus serve

demo: $(VENV)/.installed-$(TORCH)-$(EXTRAS)
	$(BIN)/vultus demo

# Three processes for two cores, as tests of servers wait now and then. Each takes 1.5 GB.
test: check
	$(BIN)/pytest -n 3 --dist worksteal $(COVERAGE)

check: $(VENV)/.installed-dev-$(TORCH)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-dev-$(TORCH)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# The description of the API that is committed; a test compares it with the routes.
openapi: $(VENV)/.installed-dev-$(TORCH)
	$(BIN)/python -m scripts.write_openapi

# The pages of settings and errors, which are written from the code; a test compares them.
reference: $(VENV)/.installed-dev-$(TORCH)
	$(BIN)/python -m scripts.reference_pages

# Clients of other servers need versions that are not Vultus'; see scripts/install_clients.py.
CLIENTS := $(VENV)-clients
clients: $(CLIENTS)/.complete

$(CLIENTS)/.complete: scripts/install_clients.py tests/clients/requirements.txt \
		tests/clients/package-lock.json | $(VENV)/.installed-dev-$(TORCH)
	$(BIN)/python scripts/install_clients.py $(CLIENTS)

# Tools that look at the environment from outside, so that they are no part of it.
TOOLS := $(VENV)-tools
$(TOOLS)/bin/%:
	$(PYTHON) -m venv $(TOOLS)
	$(TOOLS)/bin/pip install --quiet "cyclonedx-bom==7.5.0" "pip-audit==2.10.1"
	touch $(TOOLS)/bin/$*

sbom: $(VENV)/.installed-$(TORCH)-$(EXTRAS) $(TOOLS)/bin/cyclonedx-py
	$(TOOLS)/bin/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file sbom.cdx.json $(BIN)/python

# It passes, and says so, where the advisory service cannot be reached.
advisories: $(VENV)/.installed-dev-$(TORCH) $(TOOLS)/bin/pip-audit
	$(BIN)/python -m scripts.package_audit $(TOOLS)/bin/pip-audit

bench: $(VENV)/.installed-dev-$(TORCH)
	@test -n "$(FACES)" || { echo "make bench FACES=FOLDER; see benchmarks/README.md" >&2; exit 2; }
	$(BIN)/python -m benchmarks lfw --faces "$(FACES)"
	$(BIN)/python -m benchmarks gallery --faces "$(FACES)"
	$(BIN)/python -m benchmarks open_set --faces "$(FACES)"
	$(BIN)/python -m benchmarks margin --faces "$(FACES)"
	$(BIN)/python -m benchmarks templates --faces "$(FACES)"
	$(BIN)/python -m benchmarks quality --faces "$(FACES)"
	$(BIN)/python -m benchmarks overload --faces "$(FACES)"

# The service needs less than its tests do; each is installed once, and again when its inputs change.
# The stamps name the PyTorch and the parts that were asked for, so that asking for others installs
# them.
$(VENV)/.installed-$(TORCH)-$(EXTRAS): $(INPUTS)
	$(PYTHON) scripts/install.py $(VENV) --torch $(TORCH) --extras $(EXTRAS)
	rm -f $(VENV)/.installed-*
	touch $@

$(VENV)/.installed-dev-$(TORCH): $(INPUTS)
	$(PYTHON) scripts/install.py $(VENV) --torch $(TORCH) --dev
	rm -f $(VENV)/.installed-*
	touch $(VENV)/.installed-$(TORCH)-$(EXTRAS) $@

clean:
	rm -rf $(VENV) $(CLIENTS) $(TOOLS) build dist *.egg-info
