#!/usr/bin/env bash
# Checks the format of all Swift files that people write; generated ones are exempt.
set -euo pipefail
cd "$(dirname "$0")/.."
find Package.swift Sources Tests Benchmarks -name '*.swift' -not -path '*/Generated/*' -not -path '*/.build/*' -print0 \
  | LC_ALL=C sort -z | xargs -0 swift format lint --strict --parallel
