# demo, test: all that a new user needs.  check: what every commit passes.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# of what is installed little is used, and is compiled then, once
unexport PYTHONDONTWRITEBYTECODE
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile
SAMPLE := sample_data/btex
COLUMNS := name,model,retention_time_s,area,area_se,k_a_per_s,k_a_se_per_s,k_d_per_s,k_d_se_per_s,r_squared

.PHONY: demo test check lint types bench bench-peers figures clean
.DELETE_ON_ERROR:

demo: $(VENV)/.base
	$(BIN)/gcfit fit $(SAMPLE)/chromatogram.csv --system $(SAMPLE)/system.toml --format markdown --digits 5 \
		--columns $(COLUMNS)
	$(BIN)/gcfit plot $(SAMPLE)/chromatogram.csv --system $(SAMPLE)/system.toml -o btex.png

# a process for each core, whose algebra then keeps to one
test: $(VENV)/.test
	OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 $(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder

check: lint types test

lint: $(VENV)/.dev
	$(BIN)/ruff check .

types: $(VENV)/.dev
	$(BIN)/mypy

bench: $(VENV)/.test
	$(BIN)/python -m tests.benchmarks

# the same work by other programs, in environments of their own below tests/benchmarks/output
bench-peers: $(VENV)/.test
	$(BIN)/python -m tests.benchmarks peers

# the pictures in README.md
RUNS := 01 02 03 04 05 06 07 08 09 10 11
figures: $(VENV)/.base
	$(BIN)/gcfit plot $(SAMPLE)/chromatogram.csv --system $(SAMPLE)/system.toml -o $(SAMPLE)/overlay.png
	$(BIN)/gcfit plot $(SAMPLE)/system.toml --dpi 110 -o $(SAMPLE)/column.png
	rm -rf build/figures && mkdir -p build/figures
	for n in $(RUNS); do $(BIN)/gcfit simulate $(SAMPLE)/system.toml --seed $$n -o build/figures/run$$n.csv || exit; done
	$(BIN)/gcfit simulate $(SAMPLE)/system.toml --seed 12 --tail 1.5 -o build/figures/run12.csv
	$(BIN)/gcfit fit build/figures/*.csv --system $(SAMPLE)/system.toml -o build/figures/results
	$(BIN)/gcfit plot build/figures/results --title "" --dpi 110 -o $(SAMPLE)/trends.png \
		--quantity retention_time_s --quantity k_d_per_s --quantity plates

clean:
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis btex.png
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "gcfit needs Python 3.11 or newer: make demo PYTHON=python3.12")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.base: pyproject.toml | $(VENV)/bin/python
	$(INSTALL) -e .
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(INSTALL) -e ".[test,baselines,vendor,excel,parquet,dask,report]"
	touch $@

$(VENV)/.dev: $(VENV)/.test
	$(INSTALL) -e ".[dev]"
	touch $@
