#!/usr/bin/env python3
"""Rewrites a piece of the core for readers without packages and vectors of vectors: flatten-packed.py TYPES.sv PIECE.sv > FLAT.sv

Constants of the package become numbers, a port of a packed struct becomes a port for each of its fields (access.count to access_count),
and a vector of vectors becomes one vector whose elements are parts of it. Meaning and widths stay. Arrays of structs are refused.
"""
import re
import sys


def closing(text, at):
    """The place of the bracket that closes the one at `at`."""
    depth = 0
    for place in range(at, len(text)):
        depth += {"[": 1, "]": -1}.get(text[place], 0)
        if depth == 0:
            return place
    sys.exit(f"no closing bracket: {text[at:at + 40]}")


def package(text):
    """Constants, and the fields of packed structs: type, signed, name."""
    constants = dict(re.findall(r"localparam (?:int|logic \[[^\]]+\]) (\w+) = ([\w']+);", text))
    text = numbers(text, constants)
    structs = {}
    for body, name in re.findall(r"typedef struct packed \{(.*?)\} (\w+);", text, re.DOTALL):
        structs[name] = re.findall(r"logic( signed)?((?:\s*\[[^\]]+\])*) (\w+);", body)
    return constants, structs


def numbers(text, constants):
    """The text with constants as numbers."""
    return re.sub(r"(?:pantile_core_types::)?\b([A-Z_]+)\b", lambda match: constants.get(match[1], match[0]), text)


def spread_ports(text, structs):
    """A port of a struct as a port for each field."""
    def ports(match):
        direction, kind, name = match.groups()
        if kind not in structs:
            sys.exit(f"no type {kind}")
        fields = [f"{direction} logic{signed}{dims} {name}_{field}" for signed, dims, field in structs[kind]]
        names.append((name, [field for _, _, field in structs[kind]]))
        return ",\n    ".join(fields)

    names = []
    text = re.sub(r"\b(input|output) pantile_core_types::(\w+) (\w+)", ports, text)
    for name, fields in names:
        text = re.sub(rf"\b{name}\.({'|'.join(fields)})\b", rf"{name}_\1", text)
    return text


def flatten(text):
    """Vectors of vectors as vectors."""
    widths = {}

    def declaration(match):
        head, outer, inner, names = match.groups()
        for name in re.findall(r"\w+", names):
            widths[name] = f"(({inner})+1)"
        return f"{head} [(({outer})+1)*(({inner})+1)-1:0] {names}"

    text = re.sub(r"(logic(?: signed)?) \[([^\]]+):0\]\[([^\]]+):0\] (\w+(?:, \w+)*(?=[;,\s)]))", declaration, text)
    for name, width in widths.items():
        place = 0
        while match := re.compile(rf"\b{name}\[").search(text, place):
            start = match.end() - 1
            end = closing(text, start)
            element = f"({text[start + 1:end]})*{width}"
            if text[end + 1:end + 2] == "[":
                last = closing(text, end + 1)
                inner = text[end + 2:last]
                if "+:" in inner:
                    offset, size = inner.split("+:")
                    part = f"{element}+({offset})+:{size}"
                elif ":" in inner:
                    high, low = inner.split(":")
                    part = f"{element}+({low})+:({high})-({low})+1"
                else:
                    part = f"{element}+({inner})"
                end = last
            else:
                part = f"{element}+:{width}"
            text = f"{text[:start]}[{part}]{text[end + 1:]}"
            place = match.end()
    return text


def main():
    with open(sys.argv[1]) as types, open(sys.argv[2]) as piece:
        constants, structs = package(types.read())
        text = re.sub(r"//[^\n]*", "", piece.read())
    text = re.sub(r"\s*import pantile_core_types::\*;", "", text)
    text = flatten(spread_ports(numbers(text, constants), structs))
    if "pantile_core_types" in text:
        sys.exit(f"{sys.argv[2]}: a type of the package is left")
    print(text, end="")


main()
