# Each target is one line that a person could type; the first two make .venv if it is missing.
PYTHON ?= python3
CORES ?= $(shell $(PYTHON) -c 'import os; print(os.cpu_count())')
BIN := .venv/bin
CALIBRATION := src/dimlaws/measures/intrinsic_dimension/calibration.safetensors
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: run paper test test-slow test-cluster soak lint bench calibration clean

run: .venv/installed
	snakemake --cores $(CORES) --config scale=quick
	@dimlaws verdicts --scale quick && echo "Report: $(CURDIR)/results/quick/report/index.html"

paper: .venv/installed
	snakemake --cores $(CORES) --config scale=paper
	@dimlaws verdicts --scale paper && echo "Report: $(CURDIR)/results/paper/report/index.html"

# A worker for each core, so one thread for each worker.
test test-slow test-cluster soak: export OMP_NUM_THREADS = 1

test: .venv/installed
	pytest -m 'not slow and not soak' --numprocesses $(CORES) --dist loadfile --cov

test-slow: .venv/installed
	pytest -m 'slow and not slurm and not kubernetes and not soak' --numprocesses $(CORES) --dist loadfile

# Needs munge, slurmctld, slurmd and slurm-client. Not part of `dev`: Snakemake imports every
# executor that is installed, at each start.
test-cluster: .venv/installed
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[slurm,kubernetes]'
	DIMLAWS_REQUIRE_CLUSTER=1 pytest -m 'slurm or kubernetes'

# The whole repository killed again and again, and 5,000 runs: about an hour.
soak: .venv/installed
	pytest -m soak

lint: .venv/installed
	ruff check && ruff format --check && snakefmt --check Snakefile workflow && mypy && snakemake --lint

# ARGS='--small' tries everything on tiny data; docs/benchmarks.md and docs/performance.md say more.
bench: .venv/installed
	python tests/benchmarks/run.py $(ARGS)

# Half an hour of one core; the last line goes into calibration_table.py.
calibration: .venv/installed
	snakemake --cores $(CORES) results/calibration/table.safetensors
	cp results/calibration/table.safetensors $(CALIBRATION) && sha256sum $(CALIBRATION)

clean:
	rm -rf results/smoke results/quick .snakemake

.venv/installed: pyproject.toml constraints.txt
	@echo "Installing dimlaws and its pinned dependencies into .venv (once; about two minutes)"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	@touch $@
