# Every target works in a fresh clone: it sets up what it needs in .venv first, and again when that has changed.
# What is done, and in what order, stands in scripts/; here are only the names.
.DEFAULT_GOAL := help
.PHONY: help setup demo lab test lint bench docs shots conformance lock matrix hosts mutants clean

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

setup:  ## Install everything into .venv and build the front end
	@scripts/run setup

demo:  ## Run the first notebook on the embedded engine; images go to demo-output/
	@scripts/run demo

lab:  ## Open the first notebook in JupyterLab
	@scripts/run lab

test:  ## Run every check and every test
	@scripts/run test

lint:  ## Only the checks: ruff, mypy, import rules, Biome, tsc
	@scripts/run lint

bench:  ## Measure the client against a bare loop
	@scripts/run bench

conformance:  ## Show, one by one, the 60 statements that a ComfyUI client must hold
	@scripts/run conformance

lock:  ## Write the newest versions of all that is installed here, with hashes, into locks/
	@scripts/run lock

matrix:  ## Run the tests without browsers on every Python that is here, and on the oldest allowed packages
	@scripts/run matrix

hosts:  ## Try the main path in JupyterLab, Notebook 7, Voila, marimo, ...; the result goes to docs/hosts.md
	@scripts/run hosts

mutants:  ## Break the code on purpose, and count the breaks that a test notices
	@scripts/run mutants

docs:  ## Build the documentation into docs/_build/html
	@scripts/run docs

shots:  ## Take screenshots of the widgets into shots/, and those of the documentation into docs/
	@scripts/run shots

clean:  ## Remove all that was built or installed here
	@scripts/run clean
