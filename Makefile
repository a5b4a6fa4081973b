# The two commands of the README are `make run` and `make test`.
.DEFAULT_GOAL := help
.PHONY: run test check soak gen e2e fuzz bench deps spec help

run: ## Build Aldaba and start its demonstration here; with RESET=1 it begins anew
	@go run ./tools/build
	@$(if $(RESET),bin/aldaba demo reset,true)
	@exec bin/aldaba run --demo=on

test: ## Everything, as CI runs it: install, build, lint, test; prints the time of each part
	@go run ./tools/verify test

check: ## The quick lane before a commit: build, lint, unit and contract tests
	@go run ./tools/verify check

soak: ## The tests of `make test` with many more rounds and fresh seeds (hours)
	@go run ./tools/verify soak

gen: ## Run the generators and write the hash of their inputs
	@go generate ./...

e2e: ## Browser tests against the built binary
	@go run ./tools/verify e2e

fuzz: ## Every Go fuzzer for 5 seconds
	@go run ./tools/verify fuzz

bench: ## Benchmarks in Go and in Chromium
	@go run ./tools/verify bench

deps: ## Install the Debian packages that the tests use
	@tools/deps.sh

spec: ## List the rules of protocol/SPEC.md with their tests
	@go run ./tools/spec

help: ## This list
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "make %-7s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
