# Few commands, each sets up what it needs. `make demo` and `make test` are the two to know.

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
JOBS ?= 2
CASES ?= 20000
SEED ?= 0

# The first interpreter on the PATH that the project supports; say PYTHON=... to choose another.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && { echo $$p; break; }; done)

.PHONY: help setup demo test check bench calibrate slowest hostile fuzz mutants statetests fixtures docs contracts clean bench-node bench-node-setup soak fuzz-rpc fuzz-contracts

help:
	@echo "make demo      a node, an ERC-20 in Wasm, calls across EVM and Wasm, a restart"
	@echo "make test      all tests (JOBS=$(JOBS) processes)"
	@echo "make check     format, lint, types, layers, checksums"
	@echo "make bench     measured ratios"
	@echo "make calibrate time for a gas, by cost class"
	@echo "make slowest   search for programs that take long for their gas"
	@echo "make hostile   hostile programs against their bounds on time and memory"
	@echo "make fuzz      $(CASES) random contracts on four engines (CASES=..., SEED=...)"
	@echo "make mutants   mistakes made in the VM on purpose: is each found?"
	@echo "make statetests all state tests, own and of ethereum/tests (JOBS=$(JOBS) processes; an hour)"
	@echo "make bench-node the node beside anvil and ganache (make bench-node-setup gets those from npm)"
	@echo "make soak      kill -9 under load, $(KILLS) times (KILLS=...)"
	@echo "make fuzz-contracts long random sequences of calls on the example contracts, against their models"
	@echo "make fuzz-rpc  $(REQUESTS) random requests (REQUESTS=..., SEED=...)"
	@echo "make fixtures  refill fixtures/"
	@echo "make docs      rewrite docs/rpc.md, docs/eei.md from the tables"
	@echo "make contracts rebuild contracts/*/*.wasm from source"
	@echo "make setup     only make $(VENV)"
	@echo "make clean     remove $(VENV) and caches"

setup: $(STAMP)

# The version is checked here too, for PYTHON given by hand.
$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "error: Python 3.11, 3.12 or 3.13 is needed and none is on the PATH; say make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "error: $(PYTHON) is `$(PYTHON) --version 2>&1`; Python 3.11, 3.12 or 3.13 is needed; say make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup
	$(BIN)/python -m contracts.demo

test: setup
	$(BIN)/python -m pytest -n $(JOBS) --dist worksteal

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/python -m contracts.build --checksums

bench: setup
	$(BIN)/python -m tests.bench

bench-node: setup
	$(BIN)/python -m tests.bench.node

bench-node-setup:
	@command -v npm >/dev/null || { echo "error: npm is needed to install anvil and ganache" >&2; exit 1; }
	npm install --prefix build/npm --no-save --no-audit --no-fund @foundry-rs/anvil ganache@7.9.2

KILLS ?= 200
REQUESTS ?= 20000

soak: setup
	$(BIN)/python -m tests.soak.kills --kills $(KILLS)

fuzz-rpc: setup
	$(BIN)/python -m tests.soak.junk --requests $(REQUESTS) --seed $(SEED)

calibrate: setup
	$(BIN)/python -m tests.bench.calibrate

slowest: setup
	$(BIN)/ewasm fuzz --objective time-per-gas --cases 2000 --out build

fuzz-contracts: setup
	HYPOTHESIS_PROFILE=fuzz $(BIN)/python -m pytest -o timeout=0 tests/property/test_erc20_invariants.py tests/property/test_contract_invariants.py

fuzz: setup
	$(BIN)/ewasm fuzz --cases $(CASES) --seed $(SEED) --engines interpreter,winch,cranelift,v8

mutants: setup
	$(BIN)/python -m tests.mutants

hostile: setup
	$(BIN)/python -m tests.hostile

EWASM_CONFORMANCE ?= ../shared/conformance

statetests: setup
	$(BIN)/ewasm statetest --processes $(JOBS) fixtures/state $(wildcard $(EWASM_CONFORMANCE)/ethereum-tests/GeneralStateTests)

fixtures: setup
	$(BIN)/python tests/tools/refill.py

docs: setup
	$(BIN)/python -m chain.rpc.openrpc > docs/rpc.md
	$(BIN)/python -m ewasm.sdk.reference > docs/eei.md

contracts: setup
	$(BIN)/python -m contracts.build

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
