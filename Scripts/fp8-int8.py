#!/usr/bin/env python3
"""Prints the tables of Docs/papers/fp8-int8.md from the counts of Scripts/rtl-gates.sh: fp8-int8.py Targets/rtl/gates.csv"""
import csv
import sys

# Operands, sum, published surplus over INT8 in percent (arXiv 2303.17951).
ELEMENTS = [
    ("int", "int8", "int32", None),
    ("float", "e4m3", "float16", 53),
    ("float", "e4m3", "float32", 183),
    ("fixed", "e4m3", "fixed54", None),
    ("float", "e5m2", "float16", None),
    ("float", "e5m2", "float32", None),
    ("fixed", "e5m2", "fixed82", None),
    ("float", "bfloat16", "float32", None),
    ("float", "float16", "float32", None),
]


def main():
    with open(sys.argv[1], newline="") as file:
        rows = {row["design"]: row for row in csv.DictReader(file)}

    def gates(design):
        return int(rows[design]["transistors_without_flip_flops"])

    def whole(design):
        return int(rows[design]["transistors_with_flip_flops"])

    def surplus(value, base):
        return f"{100 * (value - base) / base:+.0f} %" if value != base else ""

    print("transistors, and how many more they are than INT8's: datapath alone; element without and with flip-flops; with an output register")
    print()
    heads = ["datapath", "element", "flip-flops", "output"]
    print(f"{'operands':9} {'sum':8} {'published':>9}" + "".join(f"  {head:>10} {'':>6}" for head in heads).rstrip())
    base = None
    for kind, operand, total, published in ELEMENTS:
        element = f"{kind}_os_pe {operand} {total}"
        values = [
            gates(f"{kind}_mac {operand} {total}"), gates(f"{element} serial"), whole(f"{element} serial"),
            whole(f"{element} output register")]
        base = base or values
        line = f"{operand:9} {total:8} {'' if published is None else f'+{published} %':>9}"
        print((line + "".join(f"  {value:10,} {surplus(value, first):>6}" for value, first in zip(values, base))).rstrip())
    print()
    print("transistors of parts of the datapath, each synthesised alone")
    print()
    print(f"{'':16} {'multiply':>8} {'leading zeros':>14} {'align':>6} {'normalise, round':>17} {'add, signs, special values':>27}")
    multiplier = gates("int_multiply int8")
    print(f"{'int8 int32':16} {multiplier:8,} {'':14} {'':6} {'':17} {gates('int_mac int8 int32') - multiplier:27,}")
    for total in ("float16", "float32"):
        product, add = gates(f"float_product e4m3 {total}"), gates(f"float_add {total}")
        multiplier, align, rounding = gates("float_multiply e4m3"), gates(f"float_align {total}"), gates(f"float_round {total}")
        print(f"{'e4m3 ' + total:16} {multiplier:8,} {product - multiplier:14,} {align:6,} {rounding:17,} {add - align - rounding:27,}")


main()
