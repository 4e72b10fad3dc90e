#!/usr/bin/env bash
# Installs what the build needs and this machine lacks (Debian 12 or newer): GLPK, Z3, pkg-config.
# Does nothing when all is there. Swift 6.3 or newer has to be there already: https://www.swift.org/install/linux/
set -euo pipefail

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "error: $1"; exit 1; }

check_swift() {
  command -v swift >/dev/null 2>&1 || fail "no 'swift' on the path; install Swift 6.3 or newer: https://www.swift.org/install/linux/"
  local version major minor
  version=$(swift --version 2>/dev/null | sed -n 's/.*Swift version \([0-9]*\.[0-9]*\).*/\1/p' | head -n 1)
  [ -n "$version" ] || fail "'swift --version' names no version"
  major=${version%%.*}
  minor=${version#*.}
  if [ "$major" -lt 6 ] || { [ "$major" -eq 6 ] && [ "$minor" -lt 3 ]; }; then
    fail "Swift $version is too old; install Swift 6.3 or newer: https://www.swift.org/install/linux/"
  fi
}

# True when the C compiler that comes with Swift finds the header.
has_header() {
  local folder
  for folder in /usr/include /usr/local/include; do
    if [ -e "$folder/$1" ]; then return 0; fi
  done
  printf '#include <%s>\n' "$1" | clang -E -x c - >/dev/null 2>&1
}

missing_packages() {
  has_header glpk.h || echo libglpk-dev
  has_header z3.h || echo libz3-dev
  # The package manifest asks pkg-config for Z3's flags.
  command -v pkg-config >/dev/null 2>&1 || echo pkg-config
}

install_packages() {
  command -v apt-get >/dev/null 2>&1 || fail "install the development files of: $* (no apt-get here)"
  local as_root=()
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || fail "become root, or install by hand: apt-get install $*"
    as_root=(sudo)
  fi
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq)
  local attempt
  for attempt in 1 2; do
    say "installing $* (attempt $attempt)"
    if "${as_root[@]}" "${apt[@]}" update >&2 \
      && "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "$@" >&2; then
      return 0
    fi
    sleep 3
  done
  fail "apt-get could not install: $*"
}

check_swift
mapfile -t missing < <(missing_packages)
if [ "${#missing[@]}" -gt 0 ]; then
  install_packages "${missing[@]}"
  mapfile -t missing < <(missing_packages)
  [ "${#missing[@]}" -eq 0 ] || fail "still missing after the installation: ${missing[*]}"
fi
