// Runs cases on the RTL twin of a bit-serial machine. One binary a machine; compiled with UNITS, ELEMENTS, LANES and SERIAL
// (0: weights, units are rows; 1: activations, units are columns).
//
// Input, numbers separated by white space, one case after the other:
//   id m k n group_steps groups, then weights [n][k], activations [m][k], scales [n][groups of a fold].
//   group_steps: steps of a group; groups: groups of a fold.
// Output, one case a line: id cycles events hash mismatches
//   An event is a scaled sum that leaves an element; the hash is FNV-1a (64 bits) over cycle, element (row times columns of the array
//   plus column), group and the two halves of the value, 32 bits each in little-endian bytes, in the order of cycle and element.
//   Mismatches are results that differ from the plain product.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <vector>

#include "Vtwin.h"
#include "verilated.h"

namespace {

template <class T> void set16(T& port, int index, int16_t value) {
  const uint64_t mask = 0xFFFFull << (index * 16);
  port = (T)(((uint64_t)port & ~mask) | ((uint64_t)(uint16_t)value << (index * 16)));
}
template <std::size_t N> void set16(VlWide<N>& port, int index, int16_t value) {
  const int shift = index * 16 % 32;
  port[index * 16 / 32] = (port[index * 16 / 32] & ~(0xFFFFu << shift)) | ((uint32_t)(uint16_t)value << shift);
}
template <class T> uint32_t get32(const T& port, int index) { return (uint32_t)((uint64_t)port >> (index * 32)); }
template <std::size_t N> uint32_t get32(const VlWide<N>& port, int index) { return port[index]; }
template <class T> int64_t get64(const T& port, int) { return (int64_t)port; }
template <std::size_t N> int64_t get64(const VlWide<N>& port, int index) {
  return (int64_t)((uint64_t)port[2 * index] | (uint64_t)port[2 * index + 1] << 32);
}

struct Event {
  uint32_t element, group;
  int64_t value;
};

bool run(FILE* file) {
  unsigned long long id;
  int m, k, n, groupSteps, groups;
  if (std::fscanf(file, "%llu %d %d %d %d %d", &id, &m, &k, &n, &groupSteps, &groups) != 6) return false;
  auto read = [&](size_t count) {
    std::vector<int> values(count);
    for (auto& value : values)
      if (std::fscanf(file, "%d", &value) != 1) std::exit(2);
    return values;
  };
  const auto weights = read((size_t)n * k), activations = read((size_t)m * k), scales = read((size_t)n * groups);
  const int rows = SERIAL ? ELEMENTS : UNITS, columns = SERIAL ? UNITS : ELEMENTS;
  const int steps = (k + LANES - 1) / LANES, across = (m + columns - 1) / columns;
  const int folds = (n + rows - 1) / rows * across;

  auto context = std::make_unique<VerilatedContext>();
  auto twin = std::make_unique<Vtwin>(context.get());
  auto& t = *twin;
  auto weight = [&](int fold, int row, int position) {
    const int line = fold / across * rows + row;
    return (int16_t)(line < n && position < k ? weights[(size_t)line * k + position] : 0);
  };
  auto activation = [&](int fold, int column, int position) {
    const int line = fold % across * columns + column;
    return (int16_t)(line < m && position < k ? activations[(size_t)line * k + position] : 0);
  };
  t.clock = 0;
  t.steps = steps;
  t.group_steps = groupSteps;
  t.folds = folds;
  t.reset = 1;
  t.eval();
  t.clock = 1;
  t.eval();
  t.reset = 0;

  std::vector<int64_t> result((size_t)m * n);
  uint64_t hash = 0xCBF29CE484222325ull, count = 0;
  uint32_t cycle = 0;
  const uint64_t limit = 4096 + 4096ull * steps * folds;
  while (t.busy && cycle < limit) {
    t.clock = 0;
    t.eval();
    for (int u = 0; u < UNITS; u++) {
      const bool begins = (t.begins >> u) & 1;
      const uint32_t begun = get32(t.begun, u);
      const uint32_t step = begins ? begun : begun == 0 ? 0 : begun - 1;
      const int fold = step / steps, base = step % steps * LANES;
      for (int l = 0; l < LANES; l++)
        set16(t.serial, u * LANES + l, SERIAL ? activation(fold, u, base + l) : weight(fold, u, base + l));
      const uint32_t group = get32(t.scaling_group, u);
      for (int e = 0; e < ELEMENTS; e++) {
        for (int l = 0; l < LANES; l++)
          set16(t.other, (u * ELEMENTS + e) * LANES + l,
                SERIAL ? weight(fold, e, base + l) : activation(fold, e, base + l));
        const int line = (int)(group / groups) / across * rows + (SERIAL ? e : u);
        set16(t.scale, u * ELEMENTS + e, (int16_t)(line < n ? scales[(size_t)line * groups + group % groups] : 1));
      }
    }
    t.eval();
    std::vector<Event> events;
    for (int u = 0; u < UNITS; u++)
      if ((t.leaves >> u) & 1)
        for (int e = 0; e < ELEMENTS; e++)
          events.push_back({(uint32_t)(SERIAL ? e * columns + u : u * columns + e), get32(t.leaves_group, u),
                            get64(t.leaves_value, u * ELEMENTS + e)});
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.element < b.element; });
    for (const auto& event : events) {
      // A value is there at the end of its cycle.
      for (uint32_t word : {cycle + 1, event.element, event.group, (uint32_t)event.value, (uint32_t)(event.value >> 32)})
        for (int shift = 0; shift < 32; shift += 8) hash = (hash ^ ((word >> shift) & 0xFF)) * 0x100000001B3ull;
      count++;
      const int fold = event.group / groups;
      const int row = fold / across * rows + event.element / columns;
      const int column = fold % across * columns + event.element % columns;
      if (row < n && column < m) result[(size_t)column * n + row] += event.value;
    }
    t.clock = 1;
    t.eval();
    cycle++;
  }
  unsigned long mismatches = 0;
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++) {
      int64_t expected = 0;
      for (int position = 0; position < k; position++)
        expected += (int64_t)weights[(size_t)j * k + position] * activations[(size_t)i * k + position]
            * scales[(size_t)j * groups + position / (groupSteps * LANES)];
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
