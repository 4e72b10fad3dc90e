#!/usr/bin/env python3
"""Puts what commands printed into a page: insert-blocks.py PAGE NAME=FILE…

A block of the page stands between <!-- NAME --> and <!-- /NAME --> and becomes the file's text in a code fence.
"""
import pathlib
import re
import sys


def main():
    page = pathlib.Path(sys.argv[1])
    text = page.read_text()
    for argument in sys.argv[2:]:
        name, path = argument.split("=", 1)
        block = pathlib.Path(path).read_text().rstrip("\n")
        pattern = re.compile(rf"(<!-- {re.escape(name)} -->\n).*?(<!-- /{re.escape(name)} -->)", re.DOTALL)
        if not pattern.search(text):
            sys.exit(f"{page}: no block <!-- {name} -->")
        text = pattern.sub(lambda match: f"{match[1]}```\n{block}\n```\n{match[2]}", text)
    page.write_text(text)


main()
