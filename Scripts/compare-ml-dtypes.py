#!/usr/bin/env python3
"""Compares conversions with ml_dtypes (PyPI): compare-ml-dtypes.py PANTILE [VALUES] [SEED]

For every format that both have: all codes decoded, all of them encoded again, and VALUES (2^20) seeded numbers: bit patterns, values
across the format's range and the middles between neighbours with their own neighbours. Where a format has infinity or NaN, overflow goes
there; elsewhere it saturates. Left out: e8m0 of subnormal numbers. Exits with 1 at the first format that differs, and says which values.
"""
import pathlib
import subprocess
import sys
import tempfile

import ml_dtypes
import numpy as np

# Ours, theirs, bits, overflow.
FORMATS = [
    ("fp16", np.float16, 16, "special"),
    ("bf16", ml_dtypes.bfloat16, 16, "special"),
    ("fp8-e4m3", ml_dtypes.float8_e4m3fn, 8, "special"),
    ("fp8-e5m2", ml_dtypes.float8_e5m2, 8, "special"),
    ("fp6-e3m2", ml_dtypes.float6_e3m2fn, 6, "saturate"),
    ("fp6-e2m3", ml_dtypes.float6_e2m3fn, 6, "saturate"),
    ("fp4-e2m1", ml_dtypes.float4_e2m1fn, 4, "saturate"),
    ("e8m0", ml_dtypes.float8_e8m0fnu, 8, "special"),
    ("int2-full", ml_dtypes.int2, 2, "saturate"),
    ("int4-full", ml_dtypes.int4, 4, "saturate"),
    ("int8-full", np.int8, 8, "saturate"),
    ("int2-asym", ml_dtypes.uint2, 2, "saturate"),
    ("int4-asym", ml_dtypes.uint4, 4, "saturate"),
    ("int8-asym", np.uint8, 8, "saturate"),
]


def convert(pantile, folder, name, array, *options):
    np.save(folder / "in.npy", array)
    subprocess.run(
        [pantile, "convert", "--format", name, "--in", folder / "in.npy", "--out", folder / "out.npy", *options], check=True)
    return np.load(folder / "out.npy")


def codes_of(values, bits):
    """The bit patterns of an array of theirs."""
    return values.view(np.uint16 if bits == 16 else np.uint8) & ((1 << bits) - 1)


def seeded(name, kind, bits, decoded, count, random):
    """Values for the format, in single precision, which is the type that both take without rounding first."""
    numbers = np.unique(decoded[np.isfinite(decoded)]).astype(np.float64)
    middles = ((numbers[1:] + numbers[:-1]) / 2).astype(np.float32)
    near = np.concatenate([middles, np.nextafter(middles, np.float32(np.inf)), np.nextafter(middles, np.float32(-np.inf))])
    patterns = random.integers(0, 1 << 32, count // 2, dtype=np.uint32).view(np.float32)
    largest = min(float(np.abs(numbers).max()) * 1.25, 3e38)
    spread = (random.uniform(-largest, largest, count // 4)).astype(np.float32)
    small = (spread * np.exp2(-random.integers(0, 12, spread.size))).astype(np.float32)
    values = np.concatenate([near, patterns, spread, small])
    values = values[np.isfinite(values)] if bits < 8 or name.startswith(("int", "e8m0")) else values
    if name == "e8m0":
        # No code for zero and negative numbers here; ml_dtypes makes them NaN. Subnormals of single precision are left out: ml_dtypes 0.6.0
        # rounds 1.02 * 2^-127 up to 2^-126, which is not the nearest.
        values = np.abs(values)
        values = values[values >= np.finfo(np.float32).tiny]
    return values


def main():
    pantile = pathlib.Path(sys.argv[1]).resolve()
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1 << 21
    random = np.random.default_rng(int(sys.argv[3]) if len(sys.argv) > 3 else 1)
    total = 0
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        for name, kind, bits, overflow in FORMATS:
            codes = np.arange(1 << bits, dtype=np.uint16 if bits == 16 else np.uint8)
            is_signed = bits < 8 and name.startswith("int") and name.endswith("full")
            # Narrow signed integers of ml_dtypes are kept sign-extended.
            theirs = (((codes.astype(np.int8) << (8 - bits)) >> (8 - bits)).view(kind) if is_signed else codes.view(kind))
            with np.errstate(all="ignore"):
                expected = theirs.astype(np.float64)
            decoded = convert(pantile, folder, name, codes, "--decode")
            same = (decoded.view(np.uint64) == expected.view(np.uint64)) | (np.isnan(decoded) & np.isnan(expected))
            if not same.all():
                sys.exit(f"{name}: decoding differs for codes {codes[~same][:8]}")
            if name.startswith("int"):
                # Their conversion from floats truncates and wraps, as casts do; whole numbers in range are common ground.
                values = random.choice(expected, count).astype(np.float32)
            else:
                values = seeded(name, kind, bits, decoded, count, random)
            with np.errstate(all="ignore"):
                wanted = codes_of(values.astype(kind), bits)
            options = ["--overflow", overflow]
            found = convert(pantile, folder, name, values, *options)
            nan = np.isnan(values)
            same = found == wanted
            # A NaN keeps no payload; any NaN code will do.
            same |= nan & np.isnan(decoded[found])
            if not same.all():
                where = np.flatnonzero(~same)[:8]
                sys.exit(f"{name}: {np.count_nonzero(~same)} differ, " + ", ".join(
                    f"{values[i]!r}: {found[i]} for {wanted[i]}" for i in where))
            total += values.size
            print(f"{name:10} {1 << bits:6} codes, {values.size:8} values: equal")
    print(f"ml_dtypes {ml_dtypes.__version__}: {len(FORMATS)} formats, {total} values, all equal")


if __name__ == "__main__":
    main()
