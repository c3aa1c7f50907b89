# The front door. `make` alone prints what there is; each target installs what it needs and says so.
.DEFAULT_GOAL := help
.PHONY: help demo build test test-all unit python package check asan tsan fuzz bench bench-peers bench-python bench-serve format lint install clean

JOBS ?= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
FUZZ_SECONDS ?= 900
PREFIX ?= /usr/local
# of bench and bench-peers: --quick, --repeats N; of bench-python: --repeats N
BENCH_FLAGS ?=
# cmocka is not needed to build the program: a fresh build folder is set up without tests; `make test` adds them.
FRESH_BUILD = $(if $(wildcard build/release/CMakeCache.txt),,-DFTL_BUILD_TESTS=OFF)

help: ## print this list
	@echo "foretell: runs saved scikit-learn models exactly, without Python"
	@echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

demo: build ## predict 200,000 rows with a real pipeline and show the result
	@examples/demo/run

build: ## build the programs: build/release/foretell, and foretell-server beside it
	@scripts/bootstrap build
	@mkdir -p build && cmake --preset release $(FRESH_BUILD) >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build --preset release -j$(JOBS) --target ftl_products

test: ## everything a change must pass (<= 20 minutes on two cores)
	@scripts/test

test-all: ## the same, then long differential runs, every CPU mask, torture and ThreadSanitizer
	@scripts/test all

unit: ## unit tests of the release build
	@scripts/test unit

python: ## tests that drive the built program: goldens, differential, corpus, command line
	@scripts/test python

package: ## the Python package: types, build, tests
	@scripts/test package

check: ## layers, banned calls, layout, exported symbols
	@scripts/test check

asan: ## unit tests and fuzz replay under AddressSanitizer and UBSan
	@scripts/test asan

tsan: ## unit tests under ThreadSanitizer
	@scripts/test tsan

fuzz: ## fuzz every parser, FUZZ_SECONDS (900) each, FUZZ_TARGETS="pickle csv" for some
	@FUZZ_SECONDS=$(FUZZ_SECONDS) FUZZ_TARGETS="$(FUZZ_TARGETS)" scripts/fuzz

bench: build ## time loading and predicting
	@scripts/bootstrap test
	@cmake --preset release -DFTL_BUILD_TESTS=ON >build/configure.log
	@cmake --build --preset release -j$(JOBS) --target foretell time_predict time_session
	@build/venv/bin/python bench/run $(BENCH_FLAGS)

bench-peers: build ## the same beside scikit-learn, with ratios: the figures of the README
	@scripts/bootstrap test
	@cmake --preset release -DFTL_BUILD_TESTS=ON >build/configure.log
	@cmake --build --preset release -j$(JOBS) --target foretell time_predict time_session
	@build/venv/bin/python bench/run --peers $(BENCH_FLAGS)

bench-python: build ## the Python package beside the C library and scikit-learn
	@scripts/bootstrap test
	@cmake --preset release -DFTL_BUILD_TESTS=ON >build/configure.log
	@cmake --build --preset release -j$(JOBS) --target foretell time_predict foretell_shared
	@scripts/python-build
	@build/venv/bin/python bench/python $(BENCH_FLAGS)

bench-serve: build ## the server beside FastAPI + joblib and Granian + ONNX Runtime
	@bench/serve $(BENCH_FLAGS)

format: ## lay out the sources with clang-format 19
	@scripts/bootstrap test
	@tools/check_format --fix

lint: ## clang-tidy, cppcheck and gcc's analyzer
	@scripts/lint

install: build ## install program, library and headers below PREFIX (/usr/local)
	@cmake --install build/release --prefix "$(PREFIX)" --strip

clean: ## remove everything that was built
	rm -rf build
