#!/usr/bin/env python3
"""Compares processing elements in SystemVerilog with exact integers, to the bit: cosim-pe.py [SEED] [SEQUENCES]

Elements run under Verilator (Scripts/verilate.sh, Targets/rtl/harness/element.cpp). For every element: all pairs of 8-bit codes from a
zero sum, and SEQUENCES (100000) seeded sequences of a first sum and three products. First sums are uniform codes, the negative of the
product and its neighbours, subnormals, largest numbers, zeros, infinities, no numbers, and sums whose exponent is near the product's with
fractions that tie. The expected sum is computed in integers in units of the smallest product; where numpy computes the same in one
rounding, it has to agree as well. Decoding is held against ml_dtypes (PyPI). Then elements with planted faults run: each must differ.
Exits with 1 when anything is not as stated.
"""
import concurrent.futures
import dataclasses
import pathlib
import subprocess
import sys
import tempfile
import time

import ml_dtypes
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
RTL = "Targets/rtl"
STEPS = 3


@dataclasses.dataclass(frozen=True)
class Float:
    """A binary float: IEEE 754, or like E4M3 of OCP without infinity."""

    exponent: int
    fraction: int
    infinity: bool = True

    @property
    def bits(self):
        return 1 + self.exponent + self.fraction

    @property
    def sign(self):
        return 1 << (self.exponent + self.fraction)

    @property
    def unit(self):
        """The smallest number is 2^-unit."""
        return (1 << (self.exponent - 1)) - 2 + self.fraction

    @property
    def infinite(self):
        return ((1 << self.exponent) - 1) << self.fraction

    @property
    def nan(self):
        return self.infinite | 1 << (self.fraction - 1)

    def decode(self, code):
        """Sign and magnitude in units of the smallest number; the magnitude is 'inf' or 'nan' where it is no number."""
        size = code & (self.sign - 1)
        negative = code >= self.sign
        if self.infinity and size >= self.infinite:
            return negative, "inf" if size == self.infinite else "nan"
        if not self.infinity and size == self.sign - 1:
            return negative, "nan"
        field, fraction = size >> self.fraction, size & ((1 << self.fraction) - 1)
        return negative, (fraction | 1 << self.fraction) << (field - 1) if field else fraction

    def encode(self, negative, magnitude, unit):
        """The code nearest to magnitude * 2^-unit, ties to even; an IEEE float."""
        place = max(magnitude.bit_length() - 1 - self.fraction, unit - self.unit)  # of the last bit that is kept
        if place <= 0:
            kept = magnitude << -place
        else:
            kept, rest, half = magnitude >> place, magnitude & ((1 << place) - 1), 1 << (place - 1)
            kept += rest > half or (rest == half and kept & 1)
        size = ((place - unit + self.unit) << self.fraction) + kept
        return min(size, self.infinite) | (self.sign if negative else 0)


E4M3 = Float(4, 3, infinity=False)
E5M2 = Float(5, 2)
HALF = Float(5, 10)
BRAIN = Float(8, 7)
SINGLE = Float(8, 23)
THEIRS = {E4M3: ml_dtypes.float8_e4m3fn, E5M2: ml_dtypes.float8_e5m2, HALF: np.float16, BRAIN: ml_dtypes.bfloat16, SINGLE: np.float32}
WORDS = {8: np.uint8, 16: np.uint16, 32: np.uint32}


class FloatElement:
    """sum + left * right with one rounding, or with the product rounded to the sum's format before."""

    def __init__(self, name, operand, total, rounds=False, has_output=False, latency=1):
        self.name, self.operand, self.total, self.rounds = name, operand, total, rounds
        self.has_output, self.latency, self.width, self.top = has_output, latency, total.bits, "float_os_pe"
        self.codes = [operand.decode(code) for code in range(1 << operand.bits)]
        self.unit = max(2 * operand.unit, total.unit)
        self.parameters = {
            "EXPONENT": operand.exponent, "FRACTION": operand.fraction, "HAS_INFINITY": bit(operand.infinity),
            "SUM_EXPONENT": total.exponent, "SUM_FRACTION": total.fraction, "ROUND": bit(rounds), "LATENCY": latency}
        # Whether numpy's own arithmetic makes the same roundings: products are exact in single precision, sums in double or rounded once.
        self.numpy = (total == SINGLE and (rounds or operand != BRAIN)) or operand == E4M3

    def step(self, start, left, right):
        (left_negative, a), (right_negative, b) = self.codes[left], self.codes[right]
        total, negative = self.total, left_negative != right_negative
        sum_negative, held = total.decode(start)
        if held == "nan" or a == "nan" or b == "nan":
            return total.nan
        if a == "inf" or b == "inf":
            if a == 0 or b == 0:
                return total.nan
            product = "inf"
        else:
            product, unit = a * b, 2 * self.operand.unit
            if self.rounds:
                _, product = total.decode(total.encode(False, product, unit))
                unit = total.unit
        if product == "inf":
            return total.nan if held == "inf" and sum_negative != negative else total.infinite | negative * total.sign
        if held == "inf":
            return start
        product <<= self.unit - unit
        held <<= self.unit - total.unit
        exact = (-held if sum_negative else held) + (-product if negative else product)
        if exact == 0:
            return total.sign if sum_negative and negative else 0
        return total.encode(exact < 0, abs(exact), self.unit)

    def step_numpy(self, start, left, right):
        """The same for arrays by numpy's arithmetic."""
        theirs = THEIRS[self.operand]
        with np.errstate(all="ignore"):
            product = left.astype(WORDS[self.operand.bits]).view(theirs).astype(np.float32) \
                * right.astype(WORDS[self.operand.bits]).view(theirs).astype(np.float32)
            held = start.astype(WORDS[self.width]).view(THEIRS[self.total])
            added = held + product if self.total == SINGLE else (held.astype(np.float64) + product).astype(THEIRS[self.total])
        codes = added.view(WORDS[self.width]).astype(np.uint64)
        codes[np.isnan(added)] = self.total.nan
        return codes

    def starts(self, random, left, right):
        """First sums for sequences that begin with these operands."""
        total, count = self.total, len(left)
        kind = random.integers(0, 8, count)
        products = np.array([self.step(0, int(a), int(b)) for a, b in zip(left, right)], dtype=np.int64)
        sizes, signs = products & (total.sign - 1), np.where(products & total.sign, 1, 0)
        near = np.clip(sizes + random.integers(-2, 3, count), 0, total.infinite - 1)
        # Exponents around the product's; fractions with one bit, with all but one, with all, and random ones.
        distance = random.integers(-total.fraction - 4, total.fraction + 5, count)
        fields = np.clip((sizes >> total.fraction) + distance, 0, (1 << total.exponent) - 2)
        full = (1 << total.fraction) - 1
        single = 1 << random.integers(0, total.fraction, count)
        fractions = np.choose(
            random.integers(0, 4, count), [single, full - single, np.full(count, full), random.integers(0, full + 1, count)])
        tied = (fields << total.fraction) + fractions
        small = random.integers(0, 1 << total.fraction, count)
        large = total.infinite - 1 - random.integers(0, 1 << (total.fraction + 1), count)
        special = np.choose(random.integers(0, 4, count), [0, total.infinite, total.nan, total.infinite - 1])
        patterns = random.integers(0, total.sign, count)
        ends = np.where(random.integers(0, 2, count) == 0, large, special)
        size = np.choose(kind, [near, near, tied, tied, np.minimum(sizes, total.infinite), small, ends, patterns])
        # Neighbours of the product come with the other sign half the time, and the product itself always.
        other = np.choose(np.minimum(kind, 5), [1 - signs, signs, signs, 1 - signs, 1 - signs, random.integers(0, 2, count)])
        return (size + other * total.sign).astype(np.uint64)


class FixedElement:
    """sum + left * right in units of the smallest product, modulo 2^width, and what is no integer beside it."""

    has_output, latency, numpy = False, 1, False

    def __init__(self, name, operand, width):
        self.name, self.operand, self.sum_width, self.top = name, operand, width, "fixed_os_pe"
        self.width = width + (2 if operand.infinity else 1)
        self.codes = [operand.decode(code) for code in range(1 << operand.bits)]
        self.parameters = {
            "EXPONENT": operand.exponent, "FRACTION": operand.fraction, "HAS_INFINITY": bit(operand.infinity), "SUM_WIDTH": width}

    def step(self, start, left, right):
        (left_negative, a), (right_negative, b) = self.codes[left], self.codes[right]
        negative = left_negative != right_negative
        flags, held = start >> self.sum_width, start & ((1 << self.sum_width) - 1)
        if "nan" in (a, b) or ("inf" in (a, b) and 0 in (a, b)):
            flags |= 3 if self.operand.infinity else 1
        elif "inf" in (a, b):
            flags |= 2 if negative else 1
        else:
            return flags << self.sum_width | (held + (-a * b if negative else a * b)) % (1 << self.sum_width)
        # A sum that is no number has no integer either: whatever the element leaves there.
        return flags << self.sum_width

    def starts(self, random, left, right):
        wide = [int(high) << 64 | int(low) for high, low in zip(
            random.integers(0, 1 << 32, len(left), dtype=np.uint64), random.integers(0, 1 << 64, len(left), dtype=np.uint64))]
        # One in eight begins with something that is no number.
        plain = (1 << self.sum_width) - 1
        return [value % (1 << self.width) if random.integers(0, 8) == 0 else value & plain for value in wide]


class IntegerElement:
    """sum + left * right in 32 bits that wrap."""

    numpy, width, latency = False, 32, 1
    operand = None

    def __init__(self, name, top, has_output=False):
        self.name, self.top, self.has_output, self.parameters = name, top, has_output, {}

    def step(self, start, left, right):
        return (start + (left - (left >> 7 << 8)) * (right - (right >> 7 << 8))) % (1 << 32)

    def starts(self, random, left, right):
        return random.integers(0, 1 << 32, len(left), dtype=np.uint64)


def bit(value):
    return "1'b1" if value else "1'b0"


ELEMENTS = [
    IntegerElement("int8 + int32", "int_os_pe"),
    IntegerElement("int8 + int32, multiplier by *", "os_pe"),
    FloatElement("e4m3 + float16", E4M3, HALF),
    FloatElement("e4m3 + float32", E4M3, SINGLE),
    FixedElement("e4m3 + fixed 54", E4M3, 54),
    FloatElement("e5m2 + float16", E5M2, HALF),
    FloatElement("e5m2 + float32", E5M2, SINGLE),
    FixedElement("e5m2 + fixed 82", E5M2, 82),
    FloatElement("bfloat16 + float32", BRAIN, SINGLE, rounds=True),
    FloatElement("float16 + float32", HALF, SINGLE),
    FloatElement("e4m3 + float16, latency 2", E4M3, HALF, latency=2),
    FloatElement("e4m3 + float32, output register", E4M3, SINGLE, has_output=True),
]

# Element, parameters that are changed, what is wrong.
FAULTS = [
    ("e4m3 + float16", {"FAULT": 1}, "truncation in place of rounding"),
    ("e4m3 + float16", {"FAULT": 2}, "no sticky bit"),
    ("e4m3 + float16", {"FAULT": 3}, "subnormal operands flushed"),
    ("e4m3 + float16", {"FAULT": 4}, "bias off by one"),
    ("e4m3 + float16", {"FAULT": 5}, "ties away from zero"),
    ("e4m3 + float16", {"FAULT": 6}, "overflow gives the largest number"),
    ("e4m3 + float16", {"FAULT": 9}, "subnormal sums flushed"),
    ("e4m3 + float16", {"FAULT": 10}, "the sum's sign on zeros"),
    ("e4m3 + float32", {"FAULT": 2}, "no sticky bit"),
    ("e4m3 + float32", {"FAULT": 8}, "NaN of E4M3 read as 480"),
    ("e5m2 + float16", {"FAULT": 7}, "infinity less infinity is infinity"),
    ("e5m2 + float16", {"ROUND": "1'b1"}, "product rounded before the sum"),
    ("bfloat16 + float32", {"ROUND": "1'b0"}, "product not rounded before the sum"),
    ("bfloat16 + float32", {"FAULT": 1}, "truncation in place of rounding"),
    ("float16 + float32", {"FAULT": 2}, "no sticky bit"),
    ("e4m3 + fixed 54", {"FAULT": 3}, "subnormal operands flushed"),
    ("e4m3 + fixed 54", {"FAULT": 4}, "places off by one"),
]


def build(element, changes=()):
    """The path of the program that runs the element."""
    parameters = {**element.parameters, "HAS_OUTPUT": bit(element.has_output), **dict(changes)}
    sources = {
        "os_pe": ["systolic/delay", "systolic/os_pe"],
        "int_os_pe": ["float/int_multiply", "float/int_mac", "float/sum_registers", "float/int_os_pe"],
        "fixed_os_pe": ["float/float_decode", "float/float_multiply", "float/fixed_mac", "float/sum_registers", "float/fixed_os_pe"],
        "float_os_pe": ["systolic/delay"] + [f"float/{name}" for name in (
            "float_decode", "float_multiply", "float_shift", "float_denormalise", "float_product", "float_align", "float_round",
            "float_add", "float_mac", "sum_registers", "float_os_pe")],
    }[element.top]
    command = [
        "Scripts/verilate.sh", element.top, element.top, f"{RTL}/harness/element.cpp", *(f"{RTL}/{name}.sv" for name in sources), "--",
        *(f"{key}={value}" for key, value in parameters.items()), "--",
        f"SUM_WIDTH={element.width}", f"LATENCY={element.latency}", f"HAS_OUTPUT={int(element.has_output)}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{element.name}: no twin\n{done.stderr}")
    return ROOT / done.stdout.strip()


def commands_and_sums(element, seed, sequences):
    """Records for the harness, the sums that are expected, and how many of them numpy computed as well."""
    random = np.random.default_rng(seed)
    bits = element.operand.bits if element.operand else 8
    records, expected = [], []

    def words(value):
        return (value & 0xFFFFFFFF, value >> 32 & 0xFFFFFFFF, value >> 64)

    runs = []
    if bits == 8:
        codes = np.arange(1 << 16)
        runs.append((np.zeros(1 << 16, dtype=np.uint64), [(codes >> 8, codes & 255)]))
    draws = [tuple(random.integers(0, 1 << bits, sequences) for _ in range(2)) for _ in range(STEPS)]
    if bits == 16:
        # Half of the operands are near one, where sums of products stay in range.
        draws = [tuple(np.where(random.integers(0, 2, sequences) == 0, near_one(element.operand, codes), codes) for codes in pair)
                 for pair in draws]
    starts = np.zeros(sequences, dtype=np.uint64) if element.has_output else element.starts(random, *draws[0])
    runs.append((starts, draws))
    by_numpy = 0
    for starts, steps in runs:
        sums = [int(value) for value in starts]
        columns = [[(0, 0, 0, *words(value)) for value in sums]] if not element.has_output else []
        wanted = []
        for number, (left, right) in enumerate(steps):
            before = sums
            sums = [element.step(held, a, b) for held, a, b in zip(sums, left.tolist(), right.tolist())]
            if element.numpy:
                again = element.step_numpy(np.array(before, dtype=np.uint64), left, right).tolist()
                if again != sums:
                    at = next(i for i, pair in enumerate(zip(again, sums)) if pair[0] != pair[1])
                    sys.exit(f"{element.name}: {before[at]:#x} + {left[at]:#x} * {right[at]:#x}: {sums[at]:#x}, numpy {again[at]:#x}")
                by_numpy += len(sums)
            kind = 2 if element.has_output and number + 1 == len(steps) else 1
            columns.append([(kind, a, b, 0, 0, 0) for a, b in zip(left.tolist(), right.tolist())])
            if kind == 2 or not element.has_output:
                wanted.append([words(value) for value in sums])
        records.append(np.array(columns, dtype="<u4").transpose(1, 0, 2).reshape(-1, 6))
        expected.append(np.array(wanted, dtype="<u4").transpose(1, 0, 2).reshape(-1, 3))
    return np.concatenate(records), np.concatenate(expected), by_numpy


def near_one(operand, codes):
    """The codes with their exponent field moved to within eight of the bias."""
    bias = (1 << (operand.exponent - 1)) - 1
    field = bias - 8 + (codes >> operand.fraction) % 16
    return codes & (operand.sign | (1 << operand.fraction) - 1) | field << operand.fraction


def differences(element, program, files, expected, seed):
    """How many sums the program gets wrong, and the first of them."""
    commands, results = files
    done = subprocess.run([program, commands, results, str(seed)], capture_output=True, text=True)
    if done.returncode:
        return len(expected), done.stderr.strip() or f"exit code {done.returncode}"
    got = np.fromfile(results, dtype="<u4").reshape(-1, 3)
    if len(got) != len(expected):
        return len(expected), f"{len(got)} sums, expected {len(expected)}"
    wrong = np.nonzero((comparable(element, got) != comparable(element, expected)).any(axis=1))[0]
    first = "" if not wrong.size else "sum {}: got {}, expected {}".format(
        wrong[0], *(f"{sum(int(word) << 32 * i for i, word in enumerate(row[wrong[0]])):#x}" for row in (got, expected)))
    return len(wrong), first


def comparable(element, sums):
    """Sums with what does not matter cleared: the integer of a fixed-point sum that is no number."""
    if not isinstance(element, FixedElement):
        return sums
    sums = sums.copy()
    word, place = divmod(element.sum_width, 32)
    no_number = (sums[:, word] >> place != 0) | (sums[:, word + 1:] != 0).any(axis=1)
    sums[no_number, :word] = 0
    sums[no_number, word] &= ~np.uint32((1 << place) - 1)
    return sums


def check_decoding():
    """All codes of the operands' formats and what ml_dtypes makes of them."""
    for format in (E4M3, E5M2, HALF, BRAIN):
        with np.errstate(invalid="ignore"):
            values = np.arange(1 << format.bits).astype(WORDS[format.bits]).view(THEIRS[format]).astype(np.float64)
        for code, value in enumerate(values.tolist()):
            negative, size = format.decode(code)
            ours = float(size) if isinstance(size, str) else size * 2.0 ** -format.unit
            ours = -ours if negative else ours
            if not (ours == value and negative == bool(np.signbit(value)) or (ours != ours and value != value)):
                sys.exit(f"code {code:#x}: {ours}, ml_dtypes {value}")


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    sequences = int(sys.argv[2]) if len(sys.argv) > 2 else 100_000
    begun = time.process_time()
    check_decoding()
    failed = False
    with tempfile.TemporaryDirectory() as scratch, concurrent.futures.ThreadPoolExecutor(2) as pool:
        # The first build also makes Verilator's runtime for the others.
        build(ELEMENTS[0])
        programs = [pool.submit(build, element) for element in ELEMENTS]
        by_name = {element.name: element for element in ELEMENTS}
        faulty = [pool.submit(build, by_name[name], changes) for name, changes, _ in FAULTS]
        inputs = {}
        print(f"{'element':33} {'sums':>9} {'by numpy':>9} {'wrong':>9}")
        for number, (element, program) in enumerate(zip(ELEMENTS, programs)):
            commands, expected, by_numpy = commands_and_sums(element, seed, sequences)
            files = (pathlib.Path(scratch) / f"{number}.in", pathlib.Path(scratch) / f"{number}.out")
            commands.tofile(files[0])
            inputs[element.name] = (files, expected)
            wrong, first = differences(element, program.result(), files, expected, seed)
            print(f"{element.name:33} {len(expected):9,} {by_numpy:9,} {wrong:9,}  {first}".rstrip(), flush=True)
            failed |= wrong > 0
        print(f"\n{'planted fault':33} {'':35} {'caught by':>9}")
        for (name, _, what), program in zip(FAULTS, faulty):
            files, expected = inputs[name]
            wrong, _ = differences(by_name[name], program.result(), files, expected, seed)
            print(f"{name:33} {what:35} {wrong:9,}" + ("" if wrong else "  NOT CAUGHT"), flush=True)
            failed |= wrong == 0
    print(f"\nseed {seed}, {time.process_time() - begun:.0f} processor seconds of Python", file=sys.stderr)
    sys.exit("elements and integers differ" if failed else 0)


main()
