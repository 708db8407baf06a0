# Set-up and daily commands; `make` alone lists them.
#
# PYTHON=python3.12          the interpreter of a new .venv (default: the first that fits)
# TEST_ARGS="-k cell -x"     more arguments for pytest
# TEST_WORKERS=2             processes that run the tests
# QUICKSTART_DIR=runs/digits where the quickstart trains
# REPORT_PYTHON=python3      what runs the report on an accelerator: JAX and Keras, no .venv
# REPORT_ARGS="--seconds=540" more arguments for it

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv quickstart gpu-report test coverage test-oldest test-servers lint format docs dist lock lock-servers clean clean-venv

VENV := .venv
BIN := $(VENV)/bin
# The package with what it needs; then also what the site, and the tests and the linters need.
STAMP := $(VENV)/.installed
DOCS_STAMP := $(VENV)/.installed-docs
DEV_STAMP := $(VENV)/.installed-dev
UNFINISHED := $(VENV)/.unfinished
OLDEST := .venv-oldest
# Servers whose own dependencies do not fit ours; each has its lock in requirements/.
SERVERS := mlserver kserve
SERVER_STAMPS := $(SERVERS:%=.venv-%/.installed)
SERVED := runs/served
# The first minor version of Python 3 that does not fit.
TOO_NEW := 14
COMMA := ,

TEST_ARGS ?=
TEST_WORKERS ?= 2
PYTEST := pytest
QUICKSTART_DIR ?= runs/digits
REPORT_PYTHON ?= python3
REPORT_ARGS ?=
BACKEND_TESTS := tests/layers tests/models/test_golden.py tests/models/test_networks.py \
	tests/classification/test_objective.py tests/training/test_fine_tuning.py \
	tests/training/test_start_from.py \
	tests/classification/test_evaluation.py tests/classification/test_board.py \
	tests/training/step/test_jax_step.py \
	tests/training/test_mixed_precision.py::test_statistics_of_half_precision_images_are_computed_in_full \
	tests/training/test_mixed_precision.py::test_averages_and_statistics_of_a_half_precision_training_are_near_those_of_a_full_one \
	tests/training/test_curves.py tests/training/test_checkpoint.py tests/data/test_augmentation.py \
	tests/data/streams/test_evaluation_batches.py tests/detection/modeling/test_boxes.py tests/detection/modeling/test_roi.py \
	tests/detection/modeling/test_losses.py tests/detection/modeling/test_suppression.py \
	tests/detection/modeling/test_faster_rcnn.py::test_a_malformed_batch_is_refused
QUICKSTART_IMAGES ?= $(QUICKSTART_DIR)/samples/*.png

# TensorFlow's start-up lines would bury the lines a person is waiting for.
export TF_CPP_MIN_LOG_LEVEL ?= 2
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Prints the first interpreter that is a supported version and can make environments. Each one is
# really started: a name on the PATH may be a shim with nothing behind it.
define FIND_PYTHON
for candidate in $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11 python3.10); do \
	if "$$candidate" -c 'import sys, venv, ensurepip; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, $(TOO_NEW)))' >/dev/null 2>&1; \
	then echo "$$candidate"; exit 0; fi; \
done; \
echo "make: $(or $(PYTHON),no python3 here) is not Python from 3.10 to below 3.$(TOO_NEW) with its venv module; name one with PYTHON=/path/to/python3.x" >&2; \
exit 1
endef

help:  ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# Installs $(1). UNFINISHED marks an install in progress. Where it is still there, the last install
# was cut short; a half-unpacked package can pass for an installed one, so that environment is made
# anew.
define INSTALL
	@set -e; \
	if [ -e $(UNFINISHED) ] || ! $(BIN)/python -m pip --version >/dev/null 2>&1; then \
		python=$$($(FIND_PYTHON)); \
		echo "Making $(VENV) with $$($$python --version)"; \
		rm -rf $(VENV); mkdir $(VENV); touch $(UNFINISHED); \
		"$$python" -m venv $(VENV); \
	fi; \
	rm -f $(STAMP) $(DOCS_STAMP) $(DEV_STAMP); touch $(UNFINISHED); \
	echo "Installing $(2)"; \
	$(BIN)/python -m pip install --quiet --quiet --constraint constraints.txt --editable '$(1)'; \
	rm -f $(UNFINISHED); touch $(filter $(VENV)/%,$^) $@
endef

$(STAMP): pyproject.toml setup.py constraints.txt
	$(call INSTALL,.,the locked versions (some 2.5 GB on disk; a minute or two))

$(DOCS_STAMP): $(STAMP)
	$(call INSTALL,.[docs],what the site is built with (some 190 MB on disk))

$(DEV_STAMP): $(STAMP) $(DOCS_STAMP)
	$(call INSTALL,.[test$(COMMA)dev],what the tests and the linters need (some 1 GB on disk))

venv: $(DEV_STAMP)  ## Make .venv: the locked versions, with the test tools and the linters

quickstart: export TF_CPP_MIN_LOG_LEVEL := 3
quickstart: $(STAMP)  ## Set up, then train, evaluate, export and classify real digits
	$(BIN)/python train_image_classifier.py --recipe=digits --train_dir=$(QUICKSTART_DIR)
	$(BIN)/python eval_image_classifier.py --checkpoint_path=$(QUICKSTART_DIR) --dataset_name=digits \
		--eval_dir=$(QUICKSTART_DIR)/eval
	$(BIN)/python export/export_saved_model.py --checkpoint_path=$(QUICKSTART_DIR) \
		--output_dir=$(QUICKSTART_DIR)/saved_model --overwrite
	$(BIN)/python classify_image.py --model=$(QUICKSTART_DIR)/saved_model $(QUICKSTART_IMAGES)

# With the machine's own Python: there JAX knows the accelerator, and no package index is in reach.
gpu-report:  ## Measure training and inference on an accelerator (docs/performance.md)
	$(REPORT_PYTHON) benchmarks/gpu_report.py --output=runs/gpu_report.json $(REPORT_ARGS)

# Then what must not need TensorFlow, without it; on torch too where somebody installed it.
test: $(DEV_STAMP)  ## Run the whole test suite, on every backend that is installed
	$(BIN)/python -m $(PYTEST) -n $(TEST_WORKERS) --dist loadfile $(TEST_ARGS)
	@for backend in jax torch; do \
		if $(BIN)/python -c "import $$backend" >/dev/null 2>&1; then \
			echo "The networks on $$backend"; \
			KERAS_BACKEND=$$backend $(BIN)/python -m $(PYTEST) -n $(TEST_WORKERS) --dist worksteal \
				$(BACKEND_TESTS) $(TEST_ARGS) || exit 1; \
		fi; \
	done

# The core is that of Python 3.12 and newer; older ones have a slower one.
coverage: export COVERAGE_RCFILE := $(CURDIR)/pyproject.toml
coverage: export COVERAGE_CORE ?= sysmon
coverage: $(DEV_STAMP)  ## Run the whole test suite; show how much of each folder it runs
	rm -rf build/coverage; mkdir -p build/coverage
	$(MAKE) test PYTEST="coverage run -m pytest"
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage json --quiet -o build/coverage/report.json
	$(BIN)/python .ci/coverage_by_folder.py build/coverage/report.json

# Direct dependencies at pyproject.toml's lower bounds, the rest as new as those allow. From 1.18 on
# tensorflow-metadata does not say that it needs a newer protobuf than TensorFlow 2.18 allows.
test-oldest:  ## Run the test suite on the oldest supported dependencies, in .venv-oldest
	@set -e; python=$$($(FIND_PYTHON)); rm -rf $(OLDEST); "$$python" -m venv $(OLDEST); \
	$(OLDEST)/bin/python -m pip install --quiet --quiet uv; \
	echo 'tensorflow-metadata<1.18' >$(OLDEST)/limits.txt; \
	$(OLDEST)/bin/uv pip compile --quiet --python $(OLDEST)/bin/python --resolution lowest-direct \
		--constraint $(OLDEST)/limits.txt --extra test --output-file $(OLDEST)/constraints.txt pyproject.toml; \
	$(OLDEST)/bin/python -m pip install --quiet --quiet --constraint $(OLDEST)/constraints.txt --editable '.[test]'
	$(OLDEST)/bin/python -m pytest -n $(TEST_WORKERS) --dist loadfile $(TEST_ARGS)

# Its models are written by our own environment; the servers' have neither Keras nor TensorFlow.
test-servers: export TF_CPP_MIN_LOG_LEVEL := 3
test-servers: $(DEV_STAMP) $(SERVER_STAMPS)  ## Run the tests of real servers, in .venv-mlserver and .venv-kserve
	$(BIN)/python -m tests.servers.make_repository $(SERVED)
	@for server in $(SERVERS); do \
		echo "The models behind $$server"; \
		NASNET_KERAS_SERVED=$(SERVED) .venv-$$server/bin/python -m pytest tests/servers $(TEST_ARGS) || exit 1; \
	done

# The stamp comes last, and what has none is made anew: half-unpacked packages can pass for installed.
$(SERVER_STAMPS): TOO_NEW := 13
$(SERVER_STAMPS): .venv-%/.installed: requirements/serving-%.txt setup.py
	@set -e; python=$$($(FIND_PYTHON)); \
	echo "Making .venv-$* with $$($$python --version) (some 0.5 GB on disk)"; \
	rm -rf .venv-$*; "$$python" -m venv .venv-$*; \
	.venv-$*/bin/python -m pip install --quiet --quiet --requirement requirements/serving-$*.txt; \
	.venv-$*/bin/python -m pip install --quiet --quiet --no-deps --no-warn-conflicts --editable .; \
	touch $@

lint: $(DEV_STAMP)  ## Check style, format and types
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m pyright

format: $(DEV_STAMP)  ## Format the code and mend what ruff can mend
	$(BIN)/python -m ruff check --fix-only .
	$(BIN)/python -m ruff format .

# From nothing each time: a warning of a page that did not change would not come again.
docs: $(DOCS_STAMP)  ## Build the documentation in build/docs; warnings and broken links are errors
	rm -rf build/docs
	$(BIN)/python -m sphinx --quiet --fail-on-warning --keep-going docs build/docs
	@echo "Open build/docs/index.html"

# Needs a package index, nothing else; no file of the checkout is in reach of what is tried.
dist: $(DEV_STAMP)  ## Build sdist and wheel, and try the wheel in an empty environment
	rm -rf dist
	$(BIN)/python -m build --outdir dist . >/dev/null
	$(BIN)/python .ci/check_wheel.py dist/*.whl
	@set -e; python=$$($(FIND_PYTHON)); scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	echo "Installing the wheel in an empty environment"; "$$python" -m venv "$$scratch/env"; \
	"$$scratch/env/bin/python" -m pip install --quiet --quiet --constraint constraints.txt dist/*.whl; \
	cd "$$scratch"; unset PYTHONPATH; export PATH="$$scratch/env/bin:$$PATH"; \
	nasnet-keras train --recipe=digits --max_number_of_steps=5 --train_dir=run; \
	nasnet-keras eval --checkpoint_path=run --dataset_name=digits --eval_dir=run/eval; \
	nasnet-keras export-saved-model --checkpoint_path=run --output_dir=run/saved_model; \
	nasnet-keras classify --model=run/saved_model "$$(ls run/samples/*.png | head -n 1)"; \
	echo "The wheel trains, evaluates, exports and classifies"

# One file for every supported Python and every extra: the resolver writes environment markers
# where the versions differ. It comes from a throwaway environment.
lock:  ## Renew constraints.txt: the newest versions that fit pyproject.toml
	@set -e; python=$$($(FIND_PYTHON)); scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	"$$python" -m venv "$$scratch"; "$$scratch/bin/python" -m pip install --quiet --quiet uv; \
	UV_PYTHON_DOWNLOADS=never "$$scratch/bin/uv" pip compile --quiet --universal --upgrade \
		--python-version 3.10 --all-extras --no-emit-index-url --no-emit-find-links \
		--custom-compile-command 'make lock' --output-file constraints.txt pyproject.toml; \
	echo "Renewed constraints.txt; make venv installs it"

lock-servers:  ## Renew requirements/serving-*.txt: the newest versions that fit their .in files
	@set -e; python=$$($(FIND_PYTHON)); scratch=$$(mktemp -d); trap 'rm -rf "$$scratch"' EXIT; \
	"$$python" -m venv "$$scratch"; "$$scratch/bin/python" -m pip install --quiet --quiet uv; \
	for server in $(SERVERS); do \
		UV_PYTHON_DOWNLOADS=never "$$scratch/bin/uv" pip compile --quiet --universal --upgrade \
			--python-version 3.10 --no-emit-index-url --no-emit-find-links \
			--custom-compile-command 'make lock-servers' \
			--output-file requirements/serving-$$server.txt requirements/serving-$$server.in; \
	done; \
	echo "Renewed requirements/; make test-servers installs them"

clean:  ## Remove build products and caches (neither .venv nor runs/)
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache
	find . -name .venv\* -prune -o -name runs -prune -o -type d -name __pycache__ -exec rm -rf {} +

clean-venv:  ## Remove the environments
	rm -rf $(VENV) $(OLDEST) $(SERVERS:%=.venv-%)
