# make run    the dashboard on http://localhost:8501, with demo data unless a bill is configured
# make test   every check and test that this machine can run; says what it left out
# make test-trino   every statement on a real Trino as well (needs a JDK from 17 on, and Maven)
# make test-focus   FOCUS files with the FinOps Foundation's validator as well (needs Python 3.12)
# make lock   requirements*.txt from requirements*.in: every package needed, with its hashes. What is
#             locked stays at its version: `make lock FLAGS=--upgrade` takes the newest that fit
# make audit  known vulnerabilities of the locked packages
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# For every platform and every Python from 3.11 on, with the fewest versions of a package: what is
# tested on one Python is what runs on another.
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
  --fork-strategy fewest --custom-compile-command "make lock"

# The validator's environment is of its own: it needs older packages, which need an older Python.
FOCUS := .venv-focus
PYTHON_3_12 ?= $(firstword $(foreach python,python3.12 \
  $(wildcard $(HOME)/.pyenv/versions/3.12*/bin/python3.12),$(shell $(python) -c 'print("$(python)")' 2>/dev/null)))

.PHONY: run test test-trino test-focus check format lock audit clean

run: $(VENV)/runtime
	$(BIN)/python -m chargeback refresh & \
	exec $(BIN)/streamlit run app.py

test: check
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder

test-trino: $(VENV)/development
	@if command -v java >/dev/null && command -v mvn >/dev/null; then \
	  $(BIN)/pytest tests/trino; \
	else \
	  echo "Left out: tests/trino, the statements on Trino, need Java 17 or newer (a JDK) and Maven."; \
	  test -z "$$CI"; \
	fi

test-focus: $(VENV)/development
	@if [ -n "$(PYTHON_3_12)" ]; then \
	  $(MAKE) --no-print-directory $(FOCUS)/ready && $(BIN)/pytest tests/focus; \
	else \
	  echo "Left out: tests/focus, FOCUS files in its validator, need Python 3.12."; \
	  test -z "$$CI"; \
	fi

check: $(VENV)/development
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/development
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lock: $(VENV)/development
	$(COMPILE) $(FLAGS) requirements.in -o requirements.txt
	$(COMPILE) $(FLAGS) requirements-dev.in -o requirements-dev.txt
	$(BIN)/uv pip compile --quiet --generate-hashes --python-version 3.12 \
	  --custom-compile-command "make lock" $(FLAGS) \
	  tools/focus-validator/requirements.in -o tools/focus-validator/requirements.txt

# Strict, because pip-audit otherwise passes a package that it learned nothing about.
audit: $(VENV)/development
	@if $(BIN)/pip-audit --strict --disable-pip --progress-spinner off -r requirements-dev.txt \
	  >$(VENV)/audit.txt 2>&1; then \
	  cat $(VENV)/audit.txt; \
	elif grep -q "^Found " $(VENV)/audit.txt; then \
	  cat $(VENV)/audit.txt; exit 1; \
	else \
	  echo "Not audited: PyPI's list of vulnerabilities can't be had for all packages: \
	$$(tail -n 1 $(VENV)/audit.txt)"; \
	  exit 1; \
	fi

clean:
	rm -rf $(VENV) $(FOCUS) data out

$(VENV)/runtime: requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/development: requirements-dev.txt requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@ $(VENV)/runtime

$(FOCUS)/ready: tools/focus-validator/requirements.txt
	$(PYTHON_3_12) -m venv --clear $(FOCUS)
	$(FOCUS)/bin/pip install --quiet --disable-pip-version-check -r $<
	touch $@
