PYTHON ?= python3
BIN := .venv/bin

CLAIMS := freematch born_again quantise quantise_3 retention_parity drift_fashion_mnist drift_mnist compress refine_vader refine_elr
TEACHERS := 0,1,2,3,4,5,6,7,8,9,10,11,12,100

.PHONY: help setup demo ask-demo test check format faults benchmark claims results clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/ready ## prepare .venv with sdrun and its development tools

.venv/ready: pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10) and "sdrun needs Python 3.10 or newer; try: make PYTHON=python3.12")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[dev]'
	touch $@

demo: .venv/ready ## three generations of a born-again network on real images
	$(BIN)/sdrun method=born_again generations=3

ask-demo: .venv/ready ## does self-distillation help with 100 labelled digits? Five minutes on two cores
	$(BIN)/sdrun ask dataset=digits dataset.num_labels=100 model.widths=[16,32] optim.epochs=20 --budget 5m

test: .venv/ready ## run the tests
	$(BIN)/python -m compileall -q sdrun hydra_plugins # the processes of tests write none, and start a second sooner with it
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: .venv/ready ## format, lint, types, import directions
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/ready ## format the code and mend what ruff can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

FAULTS ?=
faults: .venv/ready ## kills, damage, full disks and hostile folders in numbers; FAULTS="kills --count 3" does less
	PYTHONPATH=tests OMP_NUM_THREADS=1 $(BIN)/python -m faults $(FAULTS)

benchmark: .venv/ready ## speed against a bare PyTorch loop
	$(BIN)/python scripts/benchmark.py
	$(BIN)/python scripts/benchmark_tools.py

claims: .venv/ready ## make the runs of all claims that are not there yet, and docs/results.md
	mkdir -p outputs/claims
	cp -Rn docs/results/. outputs/claims/ || true
	[ -d outputs/teachers ] || $(BIN)/sdrun -m experiment=teachers_fashion_mnist seed=$(TEACHERS) hardware.threads=1
	for claim in $(CLAIMS); do $(BIN)/sdrun -m experiment=claim_$$claim hardware.threads=1 || exit 1; done
	$(BIN)/sdrun claims $(CLAIMS:%=outputs/claims/%) --keep docs/results -o docs/results.md

results: .venv/ready ## make docs/results.md again from docs/results, without training
	$(BIN)/sdrun claims $(CLAIMS:%=docs/results/%) -o docs/results.md

clean: ## remove .venv and caches; outputs stay
	rm -rf .venv .mypy_cache .ruff_cache .import_linter_cache dist
