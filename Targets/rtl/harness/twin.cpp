// Runs cases on the RTL twin of a systolic array. One binary an array; compiled with ROWS, COLUMNS, DATA_WIDTH and DATAFLOW
// (0: ws, 1: os, 2: is).
//
// Input, one case a line: id m k n accumulate seed freeze quiet
//   Operands come from SplitMix64(seed): A row by row, then B, the upper DATA_WIDTH bits of each draw. The enable is low in a cycle
//   when the low byte of a draw of SplitMix64(~seed) is below `freeze`. A quiet case counts towards the speed, not the events.
// Output, one case a line: id cycles frozen events hash mismatches
//   Cycles are those with `busy`. The hash is FNV-1a (64 bits) over cycle, port and value of each event, 32 bits each in
//   little-endian bytes, in the order of cycle and port; ports as in SystolicPorts. Mismatches are accumulators that differ from
//   the plain product.
// Last line: speed PE-cycles seconds, over all quiet cases.
// With a second argument that is a case's id, its events are listed as well: event cycle port value.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <vector>

#include "Vtwin.h"
#include "verilated.h"

namespace {

struct SplitMix64 {
  uint64_t state;
  uint64_t next() {
    state += 0x9E3779B97F4A7C15ull;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
};

// Lanes of packed ports; a lane never crosses a word.
template <class T> uint32_t lane(const T& port, int index, int width) {
  return (uint32_t)(((uint64_t)port >> (index * width)) & ((1ull << width) - 1));
}
template <std::size_t N> uint32_t lane(const VlWide<N>& port, int index, int width) {
  const int bit = index * width;
  return (uint32_t)((port[bit / 32] >> (bit % 32)) & ((1ull << width) - 1));
}
template <class T> void setLane(T& port, int index, int width, uint32_t value) {
  const uint64_t mask = ((1ull << width) - 1) << (index * width);
  port = (T)(((uint64_t)port & ~mask) | (((uint64_t)value << (index * width)) & mask));
}
template <std::size_t N> void setLane(VlWide<N>& port, int index, int width, uint32_t value) {
  const int bit = index * width;
  const uint32_t mask = (uint32_t)(((1ull << width) - 1) << (bit % 32));
  port[bit / 32] = (port[bit / 32] & ~mask) | ((value << (bit % 32)) & mask);
}
int32_t element(uint32_t raw) { return (int32_t)(raw << (32 - DATA_WIDTH)) >> (32 - DATA_WIDTH); }

struct Events {
  bool isOn = false, isListed = false;
  uint64_t hash = 0xCBF29CE484222325ull, count = 0;
  void add(uint32_t cycle, uint32_t port, uint32_t value) {
    for (uint32_t word : {cycle, port, value})
      for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ ((word >> shift) & 0xFF)) * 0x100000001B3ull;
    count++;
    if (isListed) std::printf("event %u %u %d\n", cycle, port, (int32_t)value);
  }
};

struct Case {
  unsigned long long id, seed;
  unsigned m, k, n, accumulate, freeze, quiet;
};

void run(const Case& c, bool isListed, double& seconds, double& peCycles) {
  auto context = std::make_unique<VerilatedContext>();
  auto twin = std::make_unique<Vtwin>(context.get());
  const size_t m = c.m, k = c.k, n = c.n;
  SplitMix64 random{c.seed}, frost{~c.seed};
  std::vector<int32_t> a(m * k), b(k * n), accumulators(m * n), expected(m * n);
  for (auto& value : a) value = (int32_t)((int64_t)random.next() >> (64 - DATA_WIDTH));
  for (auto& value : b) value = (int32_t)((int64_t)random.next() >> (64 - DATA_WIDTH));
  for (size_t i = 0; i < m * n; i++) {
    accumulators[i] = (int32_t)random.next();
    expected[i] = c.accumulate ? accumulators[i] : 0;
  }
  if (!c.quiet)
    for (size_t i = 0; i < m; i++)
      for (size_t l = 0; l < k; l++)
        for (size_t j = 0; j < n; j++)
          expected[i * n + j] = (int32_t)((uint32_t)expected[i * n + j] + (uint32_t)a[i * k + l] * (uint32_t)b[l * n + j]);

  auto& t = *twin;
  // The inputs stand: settle what depends on them, then the clock edge; registers show their new values.
  auto edge = [&] {
    t.clock = 0;
    t.eval();
    t.clock = 1;
    t.eval();
  };
  t.clock = 0;
  t.enable = 1;
  t.start = 0;
  t.reset = 1;
  edge();
  t.reset = 0;
  t.m = c.m;
  t.k = c.k;
  t.n = c.n;
  t.accumulate = c.accumulate;
  t.start = 1;
  edge();
  t.start = 0;

  Events events;
  events.isOn = !c.quiet;
  events.isListed = isListed;
  const uint32_t rowPort = 2, columnPort = 2 + ROWS, resultPort = columnPort + COLUMNS, writePort = resultPort + COLUMNS,
                 readPort = writePort + COLUMNS;
  uint32_t cycle = 0, frozen = 0;
  // No array takes longer than one multiply a cycle, with time for waves and freezing.
  const uint64_t limit = 4096 + 16ull * (m * k * n + (m + k + n) * (ROWS + COLUMNS + 64));
  const clock_t begun = clock();
  while (t.busy && cycle < limit) {
    if (c.freeze && (frost.next() & 255) < c.freeze) {
      t.enable = 0;
      edge();
      t.enable = 1;
      cycle++;
      frozen++;
      continue;
    }
    // Memories answer in the cycle of the address; lanes beyond the operand bring rubbish.
    const size_t beat = t.row_beat, base = t.row_base;
    for (int r = 0; r < ROWS; r++) {
      const size_t at = base + r;
      uint32_t value = 0x5A5A5A5A;
#if DATAFLOW == 0
      if (beat < m && at < k) value = (uint32_t)a[beat * k + at];
#elif DATAFLOW == 1
      if (beat < k && at < m) value = (uint32_t)a[at * k + beat];
#else
      if (beat < n && at < k) value = (uint32_t)b[at * n + beat];
#endif
      setLane(t.row_data, r, DATA_WIDTH, value);
    }
    const size_t loadBeat = t.column_beat, loadBase = t.column_base;
    for (int j = 0; j < COLUMNS; j++) {
      const size_t at = loadBase + j;
      uint32_t value = 0xA5A5A5A5;
#if DATAFLOW == 2
      if (loadBeat < k && at < m) value = (uint32_t)a[at * k + loadBeat];
#else
      if (loadBeat < k && at < n) value = (uint32_t)b[loadBeat * n + at];
#endif
      setLane(t.column_data, j, DATA_WIDTH, value);
    }
    uint32_t words[COLUMNS];
    for (int j = 0; j < COLUMNS; j++) {
      const size_t row = lane(t.acc_row, j, 16), column = lane(t.acc_base, j, 16) + j;
#if DATAFLOW == 2
      words[j] = (uint32_t)(column * n + row);
#else
      words[j] = (uint32_t)(row * n + column);
#endif
      setLane(t.acc_old, j, 32, words[j] < m * n ? (uint32_t)accumulators[words[j]] : 0xDEADBEEF);
    }
    t.clock = 0;
    t.eval();
    if (events.isOn) {
#if DATAFLOW == 0
      if (t.row_read) events.add(cycle, 0, (uint32_t)(beat * k + base));
      if (t.column_read) events.add(cycle, 1, (uint32_t)(loadBeat * n + loadBase));
#elif DATAFLOW == 1
      if (t.row_read) events.add(cycle, 0, (uint32_t)(base * k + beat));
      if (t.column_read) events.add(cycle, 1, (uint32_t)(loadBeat * n + loadBase));
#else
      if (t.row_read) events.add(cycle, 0, (uint32_t)(base * n + beat));
      if (t.column_read) events.add(cycle, 1, (uint32_t)(loadBase * k + loadBeat));
#endif
      for (int r = 0; r < ROWS; r++)
        if (lane(t.row_valid, r, 1))
          events.add(cycle, rowPort + r, (uint32_t)element(lane(t.row_edge, r, DATA_WIDTH)));
      for (int j = 0; j < COLUMNS; j++)
        if (lane(t.column_valid, j, 1))
          events.add(cycle, columnPort + j, (uint32_t)element(lane(t.column_edge, j, DATA_WIDTH)));
      for (int j = 0; j < COLUMNS; j++)
        if (lane(t.result_valid, j, 1)) events.add(cycle, resultPort + j, lane(t.result, j, 32));
      for (int j = 0; j < COLUMNS; j++)
        if (lane(t.acc_write, j, 1)) events.add(cycle, writePort + j, words[j]);
      for (int j = 0; j < COLUMNS; j++)
        if (lane(t.acc_read, j, 1)) events.add(cycle, readPort + j, words[j]);
    }
    for (int j = 0; j < COLUMNS; j++)
      if (lane(t.acc_write, j, 1) && words[j] < m * n) accumulators[words[j]] = (int32_t)lane(t.acc_new, j, 32);
    t.clock = 1;
    t.eval();
    cycle++;
  }
  if (c.quiet) {
    seconds += (double)(clock() - begun) / CLOCKS_PER_SEC;
    peCycles += (double)cycle * ROWS * COLUMNS;
  }
  unsigned long mismatches = 0;
  if (!c.quiet)
    for (size_t i = 0; i < m * n; i++) mismatches += accumulators[i] != expected[i];
  std::printf("%llu %u %u %llu %016llx %lu\n", c.id, cycle, frozen, (unsigned long long)events.count,
              (unsigned long long)events.hash, mismatches);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CASES [ID]\n", argv[0]);
    return 2;
  }
  FILE* file = std::fopen(argv[1], "r");
  if (!file) {
    std::fprintf(stderr, "%s: cannot open '%s'\n", argv[0], argv[1]);
    return 2;
  }
  double seconds = 0, peCycles = 0;
  Case c;
  while (std::fscanf(file, "%llu %u %u %u %u %llu %u %u", &c.id, &c.m, &c.k, &c.n, &c.accumulate, &c.seed, &c.freeze,
                     &c.quiet) == 8)
    run(c, argc > 2 && std::strtoull(argv[2], nullptr, 10) == c.id, seconds, peCycles);
  std::fclose(file);
  std::printf("speed %.0f %.6f\n", peCycles, seconds);
  return 0;
}
