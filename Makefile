# make demo   build, submit, evaluate and show the board; SERVE=0 ends after printing it
# make test   all that CI runs: lint, types, tests in a headless Chromium and outside it
# make clean  remove the environment and what the demo made

PYTHON ?= python3
PORT ?= 7860
SERVE ?= 1
VENV := .venv
BIN := $(VENV)/bin
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test lint types browser tesseract clean

demo: $(VENV)/.evaluator
	$(BIN)/cmc demo --port $(PORT) $(if $(filter 0 no false,$(SERVE)),--no-serve)

# Two processes of one thread; a file's tests stay together and share what they build.
test: lint types browser tesseract
	$(BIN)/python -m pytest --numprocesses 2 --dist loadfile

lint: $(VENV)/.dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.dev
	$(BIN)/mypy

# Playwright drives any Chromium. As root on Debian the system's own is installed; elsewhere
# Playwright fetches one.
browser: $(VENV)/.dev
	@if ! command -v chromium chromium-browser google-chrome >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; \
	  else $(BIN)/playwright install chromium; fi; fi

# The program that reads text for the legibility indicator.
tesseract:
	@if ! command -v tesseract >/dev/null; then \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq tesseract-ocr >/dev/null; \
	  else echo "install tesseract with its English data"; exit 1; fi; fi

$(VENV)/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)

$(VENV)/.evaluator: pyproject.toml $(VENV)/bin/pip
	@echo "installing into $(VENV): about 7 GB with torch, some minutes"
	$(BIN)/pip install -e '.[evaluator]'
	@touch $@

$(VENV)/.dev: $(VENV)/.evaluator
	$(BIN)/pip install --quiet -e '.[evaluator,dev]'
	@touch $@

clean:
	rm -rf $(VENV) demo-run build *.egg-info
