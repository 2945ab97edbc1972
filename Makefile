# make run          trains handwritten digits: one parameter server, two workers
# make test         builds and runs all tests
# make conformance  compares with TensorFlow, which it installs for that
# make bench        prints the benchmarks' figures
# make format       formats the sources

SWIFT ?= swift
PROGRAM := .build/release/tributary

.PHONY: run test conformance bench build dependencies format lint

run: build
	$(PROGRAM) launch configs/quickstart.yaml

build: dependencies
	$(SWIFT) build -c release --product tributary

test: dependencies
	$(SWIFT) build -c release --build-tests
	$(SWIFT) test -c release --skip-build

conformance: build
	deploy/conformance

bench: dependencies
	$(SWIFT) build -c release --product tributary-bench
	deploy/bench

dependencies:
	@deploy/install-dependencies

format:
	$(SWIFT) format -i -r Package.swift Sources Tests

lint:
	$(SWIFT) format lint --strict -r Package.swift Sources Tests
