#!/usr/bin/env bash
# Installs what the RTL twins need and this machine lacks (Debian 12 or newer): Verilator, a C++ compiler and make; with the
# argument `gates` Yosys as well. Does nothing when all is there.
set -euo pipefail

say() { printf 'setup-cosim: %s\n' "$*" >&2; }
fail() { say "error: $1"; exit 1; }

missing() {
  command -v verilator >/dev/null 2>&1 || echo verilator
  command -v g++ >/dev/null 2>&1 || echo g++
  command -v make >/dev/null 2>&1 || echo make
  if [ "${1:-}" = gates ]; then command -v yosys >/dev/null 2>&1 || echo yosys; fi
}

mapfile -t packages < <(missing "${1:-}")
[ "${#packages[@]}" -gt 0 ] || exit 0
command -v apt-get >/dev/null 2>&1 || fail "install: ${packages[*]} (no apt-get here)"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null 2>&1 || fail "become root, or install by hand: apt-get install ${packages[*]}"
  as_root=(sudo)
fi
apt=(env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 -qq)
for attempt in 1 2; do
  say "installing ${packages[*]} (attempt $attempt)"
  if "${as_root[@]}" "${apt[@]}" update >&2 \
    && "${as_root[@]}" "${apt[@]}" install -y --no-install-recommends "${packages[@]}" >&2; then
    mapfile -t packages < <(missing "${1:-}")
    [ "${#packages[@]}" -eq 0 ] || fail "still missing after the installation: ${packages[*]}"
    exit 0
  fi
  sleep 3
done
fail "apt-get could not install: ${packages[*]}"
