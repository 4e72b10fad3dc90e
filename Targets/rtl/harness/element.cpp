// Runs commands on one processing element with the ports of os_pe; compiled with SUM_WIDTH, LATENCY and HAS_OUTPUT.
// Usage: twin COMMANDS RESULTS SEED
//
// Commands are records of six 32-bit words in little-endian bytes: kind, activation, weight, three words of a sum.
//   0: the sum becomes what the record holds (without an output register: it comes from above)
//   1: multiply and add; the sum's three words are written to RESULTS (nothing is written with an output register)
//   2: multiply, add and begin again from zero; what is in the output register is written (with an output register only)
// In about a quarter of the cycles, drawn by SplitMix64(SEED), the enable is low and other inputs are noise: nothing may move.
// Exits with 1 when an operand does not come out where the next element takes it, a result from above does not pass through the
// output register, or anything moves without the enable.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
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

// Three words hold any sum; bits above its width are zero.
struct Sum {
  uint32_t words[3];
  Sum limited() const {
    Sum sum = *this;
    for (int i = 0; i < 3; i++) {
      const int bits = SUM_WIDTH - 32 * i;
      if (bits < 32) sum.words[i] &= bits <= 0 ? 0u : (uint32_t)((1ull << bits) - 1);
    }
    return sum;
  }
  bool operator==(const Sum& other) const {
    return words[0] == other.words[0] && words[1] == other.words[1] && words[2] == other.words[2];
  }
};

template <class T> Sum read(const T& port) { return Sum{{(uint32_t)port, (uint32_t)((uint64_t)port >> 32), 0}}; }
template <std::size_t N> Sum read(const VlWide<N>& port) {
  Sum sum{{0, 0, 0}};
  for (std::size_t i = 0; i < N && i < 3; i++) sum.words[i] = port[i];
  return sum;
}
template <class T> void write(T& port, const Sum& sum) { port = (T)((uint64_t)sum.words[1] << 32 | sum.words[0]); }
template <std::size_t N> void write(VlWide<N>& port, const Sum& sum) {
  for (std::size_t i = 0; i < N && i < 3; i++) port[i] = sum.words[i];
}

[[noreturn]] void fail(const char* what, unsigned long long record) {
  std::fprintf(stderr, "element: record %llu: %s\n", record, what);
  std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return 2;
  std::FILE* commands = std::fopen(argv[1], "rb");
  std::FILE* results = std::fopen(argv[2], "wb");
  if (!commands || !results) return 2;
  SplitMix64 random{std::strtoull(argv[3], nullptr, 10)};
  auto context = std::make_unique<VerilatedContext>();
  auto twin = std::make_unique<Vtwin>(context.get());
  auto& t = *twin;
  auto edge = [&] {
    t.clock = 0;
    t.eval();
    t.clock = 1;
    t.eval();
  };
  auto draw = [&] { return Sum{{(uint32_t)random.next(), (uint32_t)random.next(), (uint32_t)random.next()}}.limited(); };
  t.clock = 0;
  t.enable = 1;
  t.last = 0;
  t.shift = 0;
  t.activation = 0;
  t.weight = 0;
  t.reset = 1;
  for (int i = 0; i < LATENCY; i++) edge();
  t.reset = 0;

  uint32_t record[6];
  for (unsigned long long number = 0; std::fread(record, sizeof record, 1, commands) == 1; number++) {
    if ((random.next() & 3) == 0) {
      const Sum before = read(t.result_below);
      const auto right = t.activation_right;
      const auto below = t.weight_below;
      const Sum noise = draw();
      t.enable = 0;
      t.shift = noise.words[0] & 1;
      t.last = noise.words[0] >> 1 & 1;
      t.activation = (decltype(t.activation))record[2];
      t.weight = (decltype(t.weight))record[1];
      write(t.result_above, noise);
      edge();
      t.enable = 1;
      if (!(read(t.result_below) == before) || t.activation_right != right || t.weight_below != below)
        fail("moved without the enable", number);
    }
    t.activation = (decltype(t.activation))record[1];
    t.weight = (decltype(t.weight))record[2];
    t.last = record[0] == 2;
    if (record[0] == 0) {
      t.shift = 1;
      write(t.result_above, Sum{{record[3], record[4], record[5]}}.limited());
      edge();
      continue;
    }
    // Stages behind the multiplier fill while the sum stands.
    for (int stage = 1; stage < LATENCY; stage++) {
      t.shift = 1;
      write(t.result_above, read(t.result_below));
      edge();
    }
    Sum passing = draw();
    t.shift = HAS_OUTPUT;
    write(t.result_above, passing);
    edge();
    if (t.activation_right != t.activation || t.weight_below != t.weight) fail("an operand was not handed on", number);
    const Sum sum = read(t.result_below);
    if (HAS_OUTPUT && record[0] == 1) {
      if (!(sum == passing)) fail("a result from above did not pass", number);
    } else if (std::fwrite(sum.words, sizeof sum.words, 1, results) != 1) return 2;
  }
  return std::fclose(results) == 0 ? 0 : 2;
}
