# Pantile: `make demo` shows it, `make test` checks it. Everything is built once, in release.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

SWIFT ?= swift
BUILD := $(SWIFT) build -c release
PANTILE := .build/release/pantile
# A crash should say so and end, not spend minutes on a symbolised backtrace.
export SWIFT_BACKTRACE := enable=no

.PHONY: help setup build build-tests demo test lint format bench bench-speed bench-planner bench-scalesim bench-stepper cosim cosim-core cosim-pe \
  rtl-gates paper-cosma paper-bit-serial paper-sat train-chip validate-tpu interop formats grad-torch fuzz clean

help:
	@echo 'make demo     compile the digits network for three chips, run it, write reports to out/demo'
	@echo 'make test     install what is missing, check the format, build, run all tests'
	@echo 'make bench    CPU seconds of compiling, running and sweeping, against Benchmarks/thresholds.csv and speed.csv'
	@echo 'make bench-speed  the speed goals beside SCALE-Sim 3.0.0 (installed from PyPI) in one run, against Benchmarks/speed.csv'
	@echo 'make bench-planner  pantile plan against CP-SAT and HiGHS on random wired graphs (their results are on record)'
	@echo 'make bench-scalesim  ResNet-18 through SCALE-Sim 3.0.0 (installed from PyPI) and here: figures and CPU seconds'
	@echo 'make bench-stepper  PE-cycles a second of the register-transfer model, against Benchmarks/thresholds-stepper.csv and thresholds-nm.csv'
	@echo 'make cosim    RTL twins of systolic arrays, N:M arrays and bit-serial machines under Verilator = stepper = model: COSIM_SEED=1 (installs verilator)'
	@echo 'make paper-cosma    the COSMA experiment over the shipped networks'
	@echo 'make paper-bit-serial  what skipping zero terms brings: all points as CSV, the plot, the tables of its page'
	@echo 'make paper-sat  what N:M weights bring to a training step: machines and layers as CSV, plots, the tables of its page'
	@echo 'make cosim-core  the whole core in SystemVerilog under Verilator, event by event against the simulator (installs verilator)'
	@echo 'make cosim-pe  processing elements for INT8, FP8 and 16-bit floats under Verilator against exact integers: COSIM_SEED=1, SEQUENCES=100000'
	@echo 'make rtl-gates  gates of arrays, elements and pieces of the core in SystemVerilog (installs yosys), FP8 beside INT8: minutes'
	@echo 'make validate-tpu  four networks on a TPU-v1-like chip against the counters of its paper'
	@echo 'make formats  conversions of number formats against ml_dtypes (installed from PyPI): all codes, 2^21 values a format'
	@echo 'make train-chip  an epoch of the digits network in 16-bit floats on a simulated chip, by seed: SEEDS="1 2 3"'
	@echo 'make grad-torch  gradients of every op against PyTorch (installed from PyPI): CASES=20 a kind, SEED=1'
	@echo 'make interop  MLIR text through mlir-opt and back (installs mlir-16-tools)'
	@echo 'make fuzz     damaged models, chips and texts: FUZZ_RUNS=2000 FUZZ_SEED=1'
	@echo 'make lint     check the format; make format: repair it'

setup:
	@Scripts/setup.sh

build: setup
	@$(BUILD) --product pantile

# Products by name: --build-tests builds the C++ protobuf compiler of a dependency, too, which nobody calls.
build-tests: setup
	@$(BUILD) --product pantile
	@$(BUILD) --product pantilePackageTests

demo: build
	@$(PANTILE) demo --output-dir out/demo

test: setup lint build-tests
	@$(SWIFT) test -c release --skip-build --disable-xctest

lint:
	@Scripts/lint.sh

format:
	@$(SWIFT) format --in-place --recursive --parallel Package.swift Sources Tests

bench: build
	@Benchmarks/run.sh $(PANTILE)
	@python3 Benchmarks/speed.py $(abspath $(PANTILE)) --no-peer

bench-speed: build
	@python3 Benchmarks/speed.py $(abspath $(PANTILE))

bench-planner: build
	@Benchmarks/planner/run.sh $(abspath $(PANTILE))

bench-scalesim: build
	@python3 Benchmarks/scalesim/run.py $(abspath $(PANTILE))

bench-stepper: build-tests
	@PANTILE_STEPPER_BENCH=1 $(SWIFT) test -c release --skip-build --disable-xctest --filter StepperSpeed

cosim: build-tests
	@Scripts/setup-cosim.sh
	@PANTILE_COSIM=full PANTILE_COSIM_SEED=$(or $(COSIM_SEED),1) \
	  $(SWIFT) test -c release --skip-build --disable-xctest --filter CoSimTests

paper-cosma: build
	@Workloads/papers/cosma/run.py $(abspath $(PANTILE))

paper-bit-serial: build
	@$(PANTILE) reproduce bit-serial --csv Workloads/papers/bit-serial/results.csv --plot Docs/papers/bit-serial.svg \
	  > Workloads/papers/bit-serial/tables.txt
	@$(PANTILE) demo --formats --output-dir out/formats > Workloads/papers/bit-serial/digits.txt
	@python3 Scripts/insert-blocks.py Docs/papers/bit-serial.md tables=Workloads/papers/bit-serial/tables.txt \
	  digits=Workloads/papers/bit-serial/digits.txt

paper-sat: build
	@mkdir -p out
	@$(PANTILE) reproduce sat --csv out/sat-machines.csv --layers Workloads/papers/sat/layers.csv \
	  --plot Docs/papers/sat.svg --pareto-plot Docs/papers/sat-pareto.svg > Workloads/papers/sat/tables.txt
	@python3 Scripts/insert-blocks.py Docs/papers/sat.md tables=Workloads/papers/sat/tables.txt

cosim-core: build-tests
	@Scripts/setup-cosim.sh
	@PANTILE_COSIM_CORE=1 PANTILE_COSIM_FOLDER=$(abspath out/cosim) \
	  $(SWIFT) test -c release --skip-build --disable-xctest --filter 'CoreTwinTests|RTLCommandTests'

cosim-pe:
	@Scripts/setup-cosim.sh
	@python=$$(Scripts/setup-ml-dtypes.sh) && $$python Scripts/cosim-pe.py $(or $(COSIM_SEED),1) $(or $(SEQUENCES),100000)

rtl-gates:
	@Scripts/rtl-gates.sh
	@mkdir -p out
	@Scripts/fp8-int8.py Targets/rtl/gates.csv > out/fp8-int8.txt
	@python3 Scripts/insert-blocks.py Docs/papers/fp8-int8.md tables=out/fp8-int8.txt

validate-tpu: build
	@python3 Workloads/validation/tpu-v1/run.py $(abspath $(PANTILE)) --update Docs/validation/tpu-v1.md

interop: build
	@Scripts/interop.sh $(PANTILE)

formats: build
	@python=$$(Scripts/setup-ml-dtypes.sh) && $$python Scripts/compare-ml-dtypes.py $(PANTILE) $(or $(VALUES),2097152) $(or $(SEED),1)

train-chip: build
	@Scripts/train-on-chip.sh $(SEEDS)

grad-torch: build-tests
	@Scripts/grad-torch.sh $(or $(CASES),20) $(or $(SEED),1)

fuzz: build-tests
	@PANTILE_FUZZ_RUNS=$(or $(FUZZ_RUNS),2000) PANTILE_FUZZ_SEED=$(or $(FUZZ_SEED),1) \
	  $(SWIFT) test -c release --skip-build --disable-xctest --filter Fuzz

clean:
	@rm -rf .build out
