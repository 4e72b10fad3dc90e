// Runs cases on an RTL twin of an N:M array. One binary an array; compiled with ROWS, COLUMNS, GROUP, KEPT, INDEX_WIDTH, CONTEXTS and
// WEIGHTS (1: weights stay, 0: outputs do).
//
// Input, numbers separated by white space, one case after the other: id m groups n, then activations [m][groups * GROUP], values and
// indices [groups * KEPT][n].
// Output, one case a line: id cycles events hash mismatches
//   Events are uses of the ports that NMPorts numbers; the hash is that of EdgeEvent. Mismatches are results that differ from the plain
//   product.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "Vtwin.h"
#include "verilated.h"

namespace {

template <class T> void set(T& port, int bit, int width, uint32_t value) {
  const uint64_t mask = ((1ull << width) - 1) << bit;
  port = (T)(((uint64_t)port & ~mask) | ((uint64_t)value << bit & mask));
}
template <std::size_t N> void set(VlWide<N>& port, int bit, int width, uint32_t value) {
  for (int i = 0; i < width; i++) {
    const int at = bit + i;
    port[at / 32] = (port[at / 32] & ~(1u << at % 32)) | ((value >> i & 1u) << at % 32);
  }
}
template <class T> uint32_t get(const T& port, int bit, int width) {
  return (uint32_t)((uint64_t)port >> bit & ((1ull << width) - 1));
}
template <std::size_t N> uint32_t get(const VlWide<N>& port, int bit, int width) {
  uint32_t value = 0;
  for (int i = 0; i < width; i++) value |= (port[(bit + i) / 32] >> (bit + i) % 32 & 1u) << i;
  return value;
}

bool run(FILE* file) {
  unsigned long long id;
  int m, groups, n;
  if (std::fscanf(file, "%llu %d %d %d", &id, &m, &groups, &n) != 4) return false;
  auto read = [&](size_t count) {
    std::vector<int> values(count);
    for (auto& value : values)
      if (std::fscanf(file, "%d", &value) != 1) std::exit(2);
    return values;
  };
  const int k = groups * GROUP, slots = groups * KEPT;
  const auto a = read((size_t)m * k), values = read((size_t)slots * n), indices = read((size_t)slots * n);

  auto context = std::make_unique<VerilatedContext>();
  auto twin = std::make_unique<Vtwin>(context.get());
  auto& t = *twin;
  t.m = m;
  t.groups = groups;
  t.n = n;
  t.reset = 1;
  // Long enough for every line of registers to be empty.
  for (int i = 0; i < 64 + 64 * (ROWS + COLUMNS); i++) {
    t.clock = 0;
    t.eval();
    t.clock = 1;
    t.eval();
  }
  t.reset = 0;

  std::vector<int32_t> result((size_t)m * n);
  uint64_t hash = 0xCBF29CE484222325ull, count = 0;
  uint32_t cycle = 0;
  auto event = [&](int port, int32_t value) {
    for (uint32_t word : {cycle, (uint32_t)port, (uint32_t)value})
      for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ (word >> shift & 0xFF)) * 0x100000001B3ull;
    count++;
  };
  const int valuePort = 2 + ROWS * GROUP;
  const uint64_t limit = 1 << 22;
  while (cycle < limit) {
    t.clock = 0;
    t.eval();
    if (!t.busy) break;
    // Memories answer in the same cycle; what is padding reads as zero.
    for (int line = 0; line < (WEIGHTS ? ROWS / KEPT : ROWS); line++)
      for (int e = 0; e < GROUP; e++) {
        const int row = WEIGHTS ? t.row_beat : t.row_base + line;
        const int group = WEIGHTS ? t.row_base + line : t.row_beat;
        const bool inside = t.row_read && row < m && group < groups;
        set(t.row_data, (line * GROUP + e) * 8, 8, inside ? a[(size_t)row * k + group * GROUP + e] : 0);
      }
    for (int c = 0; c < COLUMNS; c++) {
      const int column = WEIGHTS ? t.column_base + c : t.column_base + c * CONTEXTS + t.column_context;
      const int slot = WEIGHTS ? t.column_group * KEPT + t.column_beat : t.column_beat;
      const bool inside = t.column_read && column < n && slot < slots && (!WEIGHTS || t.column_beat < ROWS / KEPT * KEPT);
      set(t.column_value, c * 8, 8, inside ? values[(size_t)slot * n + column] : 0);
      set(t.column_index, c * INDEX_WIDTH, INDEX_WIDTH, inside ? indices[(size_t)slot * n + column] : 0);
    }
    t.eval();
    if (t.row_read) event(0, WEIGHTS ? t.row_beat * k + t.row_base * GROUP : t.row_base * k + t.row_beat * GROUP);
    if (t.column_read) event(1, t.column_beat);
    for (int r = 0; r < ROWS; r++)
      if (get(t.row_valid, r, 1))
        for (int e = 0; e < GROUP; e++) event(2 + r * GROUP + e, (int8_t)get(t.row_edge, (r * GROUP + e) * 8, 8));
    for (int c = 0; c < COLUMNS; c++)
      if (get(t.column_valid, c, 1)) event(valuePort + c, (int8_t)get(t.value_edge, c * 8, 8));
    for (int c = 0; c < COLUMNS; c++)
      if (get(t.column_valid, c, 1)) event(valuePort + COLUMNS + c, (int)get(t.index_edge, c * INDEX_WIDTH, INDEX_WIDTH));
    for (int c = 0; c < COLUMNS; c++)
      if (get(t.result_valid, c, 1)) event(valuePort + 2 * COLUMNS + c, (int32_t)get(t.result, c * 32, 32));
    for (int kind = 3; kind < 5; kind++)
      for (int c = 0; c < COLUMNS; c++) {
        if (!(kind == 3 ? get(t.acc_write, c, 1) : get(t.acc_read, c, 1))) continue;
        const uint32_t row = get(t.acc_row, c * 16, 16), column = get(t.acc_column, c * 16, 16);
        event(valuePort + kind * COLUMNS + c, row * n + column);
        if (kind == 3 && row < (uint32_t)m && column < (uint32_t)n)
          result[(size_t)row * n + column] += (int32_t)get(t.result, c * 32, 32);
      }
    t.clock = 1;
    t.eval();
    cycle++;
  }
  unsigned long mismatches = 0;
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      int32_t expected = 0;
      for (int slot = 0; slot < slots; slot++) {
        const size_t at = (size_t)slot * n + j;
        expected += values[at] * a[(size_t)i * k + slot / KEPT * GROUP + indices[at]];
      }
      mismatches += result[(size_t)i * n + j] != expected;
    }
  std::printf("%llu %u %llu %016llx %lu\n", id, cycle, (unsigned long long)count, (unsigned long long)hash, mismatches);
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  FILE* file = argc == 2 ? std::fopen(argv[1], "r") : nullptr;
  if (!file) {
    std::fprintf(stderr, "usage: %s CASES\n", argv[0]);
    return 2;
  }
  while (run(file)) {
  }
  std::fclose(file);
  return 0;
}
