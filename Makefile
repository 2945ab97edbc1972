# make run     trains handwritten digits: one parameter server, two workers
# make test    builds and runs all tests
# make bench   prints the benchmarks' figures
# make format  formats the sources

SWIFT ?= swift
PROGRAM := .build/release/tributary

.PHONY: run test bench build dependencies format lint

run: build
	$(PROGRAM) launch configs/quickstart.yaml

build: dependencies
	$(SWIFT) build -c release --product tributary

test: dependencies
	$(SWIFT) build -c release --build-tests
	$(SWIFT) test -c release --skip-build

bench: dependencies
	$(SWIFT) build -c release --product tributary-bench
	deploy/bench

dependencies:
	@deploy/install-dependencies

format:
	$(SWIFT) format -i -r Package.swift Sources Tests

lint:
	$(SWIFT) format lint --strict -r Package.swift Sources Tests
