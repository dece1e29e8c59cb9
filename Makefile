# `make` lists the targets. Everything is set up where it is missing: system packages through apt, then .venv from the lock.
.DEFAULT_GOAL := help
SHELL := /bin/bash
UV_VERSION := 0.13.9
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

.PHONY: help setup demo test test-nightly lint format docs replay doctor bench soak bench-graphs mutants evaluate clean
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 16

setup: .venv/.ready ## system packages (named before they are installed) and .venv from the lock

.venv/.ready: uv.lock pyproject.toml firmware_scripts/setup.sh
	@UV_VERSION=$(UV_VERSION) PYTHON=$(PYTHON) bash firmware_scripts/setup.sh
	@touch $@

demo: setup ## the whole story on one machine; ARGS="--headless --seed 7"
	@$(BIN)/sealcam demo $(ARGS)

test: setup ## every test but the nightly ones, which take minutes
	@$(BIN)/pytest -q -m "not nightly" $(ARGS)

test-nightly: setup ## every test, the nightly ones too
	@$(BIN)/pytest -q $(ARGS)

lint: setup ## ruff, ruff format, mypy --strict, and the system call policies
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/python -m device.confine.lint

format: setup ## let ruff fix and format what it can
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: setup ## write the tables and the diagram of docs/ from the code; ARGS=--check only says which differ
	@$(BIN)/python -m device.cli.reference $(ARGS)

replay: setup ## play a recording through the device; ARGS="VIDEO --gps FILE.gpx --out DIR"
	@$(BIN)/sealcam replay $(ARGS)

doctor: setup ## what this machine enforces and lacks
	@$(BIN)/sealcam doctor

bench: setup ## what isolation costs, what faster cameras come to, how the chain endures losses, what perception takes beside known networks (minutes; builds the known networks if need be)
	@$(BIN)/python -m bench.isolation
	@$(BIN)/python -m bench.slope
	@$(BIN)/python -m bench.recovery
	@$(BIN)/python -m bench.graphs || $(MAKE) bench-graphs
	@$(BIN)/python -m bench.perception $(ARGS)

soak: setup ## half an hour in realtime at 30 frames a second: nothing may grow; ARGS="--minutes 5"
	@$(BIN)/python -m bench.soak $(ARGS)

evaluate: setup ## figures of the models; ARGS="--gtsrb PATH --gtsdb PATH --json FILE", folders or zips as published
	@$(BIN)/python -m models.evaluate $(ARGS)

bench-graphs: setup ## the known networks that bench compares with, once; installs the train extra (gigabytes, minutes)
	@UV_NO_CACHE=1 UV_PROJECT_ENVIRONMENT=.venv UV_PYTHON=$(BIN)/python $(BIN)/uv sync -q --frozen --inexact --extra train
	@$(BIN)/python -m bench.reference_graphs

mutants: setup ## small faults put into copies of the code: which do the tests notice? ARGS="--sample 4 --seed 7 wire"
	@$(BIN)/python -m bench.mutants $(ARGS)

clean: ## remove .venv and the caches (build/bench, and keys and spool in ~/.local/share/sealcam, stay)
	@rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis
