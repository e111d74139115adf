# Two commands for a fresh machine: `make repro` and `make test`. Each sets itself up first, in .venv.
#
# `make extras` adds the packages of further export formats.
#
# Another build of PyTorch:  make repro TORCH="torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu"
# Another interpreter:       make repro PYTHON=python3.12

PYTHON ?= python3
TORCH ?=
BIN := .venv/bin
INSTALLED := .venv/.installed
PYTEST = PATH="$(CURDIR)/$(BIN):$$PATH" OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
# Foreign runtimes stay in the processes of their own tests: one in which OpenVINO had been loaded ended minutes later,
# in the middle of other tests, without a word.
ALONE := tests/deployment/test_openvino.py

.PHONY: repro test format setup extras clean FORCE

repro: setup
	@git rev-parse --git-dir > /dev/null 2>&1 || { \
		echo "There is no git repository here, as after a download without git. DVC needs one: making it."; \
		git init -q && git add -A && git -c user.name=download -c user.email=download@localhost commit -q -m "As downloaded"; }
	@$(BIN)/python -m stages.params > /dev/null
	PATH="$(CURDIR)/$(BIN):$$PATH" dvc repro

test: setup
	$(BIN)/python -m ruff check .
	$(BIN)/python -m ruff format --check .
	$(PYTEST) --ignore=tests/deployment
	$(PYTEST) tests/deployment --ignore=$(ALONE)
	$(PYTEST) $(ALONE) tests/deployment/test_description.py

format: setup
	$(BIN)/python -m ruff check --fix .
	$(BIN)/python -m ruff format .

setup: $(INSTALLED)

# The opencv-python wheel needs libGL, which a server without a screen may lack; its headless build does not.
$(INSTALLED): requirements.lock requirements-nodeps.lock $(if $(TORCH),FORCE)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(if $(TORCH),$(BIN)/python -m pip install $(TORCH))
	grep -v $(if $(TORCH),'^torch==','^$$') requirements.lock > .venv/requirements.txt
	$(BIN)/python -m pip install -r .venv/requirements.txt
	$(BIN)/python -m pip install --no-deps -r requirements-nodeps.lock
	@$(BIN)/python -c 'import cv2' 2> .venv/cv2.log || { \
		version=$$(sed -n 's/^opencv-python==//p' requirements.lock); \
		echo "opencv-python cannot be imported here ($$(tail -n 1 .venv/cv2.log))"; \
		echo "taking the headless build of the same release instead: opencv-python-headless==$$version"; \
		$(BIN)/python -m pip uninstall -y opencv-python && \
		$(BIN)/python -m pip install --force-reinstall --no-deps "opencv-python-headless==$$version" && \
		$(BIN)/python -c 'import cv2'; }
	@touch $@

extras: setup
	$(BIN)/python -m pip install -r requirements-extras.lock
	@if command -v npm > /dev/null; then \
		$(BIN)/python -c 'from bisenet.deployment.formats.web import runtime_files; runtime_files(".cache")'; \
	else echo "no npm here: the page for the browser cannot be exported"; fi

clean:
	rm -rf .venv
