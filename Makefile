# make run          trains handwritten digits: one parameter server, two workers
# make test         builds and runs all tests, and the programs of Tests/UserPackage
# make conformance  compares with TensorFlow, which it installs for that
# make fuzz         damages 100,000 graphs, as many messages and 20,000 files and reads them, and compares the plans of
#                   twice as many random graphs with the reference executor: COUNT, SEED
# make sanitize     runs tests and fuzzers under ThreadSanitizer, AddressSanitizer and UndefinedBehaviorSanitizer: COUNT, SEED
# make bench        prints the benchmarks' figures
# make format       formats the sources

SWIFT ?= swift
# SwiftPM 6.3 keeps the plan of a build of one product, and the next build of all then takes it over, with the tools of
# swift-protobuf's plugin in it: 431 files of C++. So the plan is not kept. It writes the options of a package's traits in
# the order of a set: of a random one, half of all builds would compile swift-protobuf and what uses it anew.
BUILD := SWIFT_DETERMINISTIC_HASHING=1 $(SWIFT) build -c release --disable-build-manifest-caching
# A package of its own, as a user writes one. With the library's build folder and versions, it takes what is built there.
USER_PACKAGE := --package-path Tests/UserPackage --scratch-path .build
PROGRAM := .build/release/tributary
SEED ?= 1
COUNT ?= 100000

.PHONY: run test conformance fuzz sanitize bench build dependencies format lint

run: build
	$(PROGRAM) launch configs/quickstart.yaml

build: dependencies
	$(BUILD) --product tributary

test: dependencies
	$(BUILD) --build-tests
# The kernels of the tests run once or twice: PoCL is to compile each for all sizes, not anew for some.
	POCL_WORK_GROUP_SPECIALIZATION=0 $(SWIFT) test -c release --skip-build
	cp Package.resolved Tests/UserPackage/
	$(BUILD) $(USER_PACKAGE) --build-tests
	$(SWIFT) test -c release --skip-build $(USER_PACKAGE)

conformance: build
	deploy/conformance

fuzz: dependencies
	$(BUILD) --product tributary-fuzz
	.build/release/tributary-fuzz files --seed $(SEED) --count 20000
	.build/release/tributary-fuzz plans --seed $(SEED) --count $$((2 * $(COUNT)))
	.build/release/tributary-fuzz placements --seed $(SEED) --count $$(($(COUNT) / 20))
	.build/release/tributary-fuzz sockets --seed $(SEED) --count $(COUNT)
	.build/release/tributary-fuzz graphs --seed $(SEED) --count $(COUNT) --graphs Tests/InterchangeTests/Graphs \
		--graphs Tests/DataflowTests/Vectors

# Fewer inputs than of `make fuzz`: sanitizers take their time.
sanitize: dependencies
	SWIFT="$(SWIFT)" SEED=$(SEED) COUNT=$$(($(COUNT) / 20)) deploy/sanitize

bench: dependencies
	$(BUILD) --product tributary-bench
	deploy/bench

dependencies:
	@deploy/install-dependencies

format:
	$(SWIFT) format -i -r Package.swift Sources Tests

lint:
	$(SWIFT) format lint --strict -r Package.swift Sources Tests
