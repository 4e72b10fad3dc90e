// Runs one aligned element; compiled with LANES. Reads lines "clear, then for each lane: present negative power activation" of decimal numbers
// and writes the sum's bits behind each as a line of decimals. Before each a cycle without the enable, in which nothing may move.
// Usage: twin FILE
#include <cstdint>
#include <cstdio>
#include <memory>

#include "Vtwin.h"
#include "verilated.h"

template <class T> void put(T& port, int lane, int width, unsigned value) {
  port |= (T)((uint64_t)value << (lane * width));
}
template <std::size_t N> void put(VlWide<N>& port, int lane, int width, unsigned value) {
  port[lane * width / 32] |= value << (lane * width % 32);
}
template <class T> void zero(T& port) { port = 0; }
template <std::size_t N> void zero(VlWide<N>& port) {
  for (std::size_t i = 0; i < N; i++) port[i] = 0;
}

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::FILE* file = std::fopen(argv[1], "r");
  if (!file) return 2;
  auto context = std::make_unique<VerilatedContext>();
  auto twin = std::make_unique<Vtwin>(context.get());
  auto& t = *twin;
  auto edge = [&] {
    t.clock = 0;
    t.eval();
    t.clock = 1;
    t.eval();
  };
  t.reset = 1;
  t.enable = 0;
  edge();
  t.reset = 0;
  unsigned clear;
  while (std::fscanf(file, "%u", &clear) == 1) {
    t.clear = clear;
    zero(t.present);
    zero(t.negative);
    zero(t.power);
    zero(t.activation);
    for (int lane = 0; lane < LANES; lane++) {
      unsigned present, negative, power, activation;
      if (std::fscanf(file, "%u %u %u %u", &present, &negative, &power, &activation) != 4) return 2;
      put(t.present, lane, 1, present);
      put(t.negative, lane, 1, negative);
      put(t.power, lane, 4, power);
      put(t.activation, lane, 16, activation);
    }
    const uint32_t before = t.sum;
    t.enable = 0;
    edge();
    if (t.sum != before) {
      std::fprintf(stderr, "the sum moves without the enable\n");
      return 1;
    }
    t.enable = 1;
    edge();
    std::printf("%u\n", (uint32_t)t.sum);
  }
  std::fclose(file);
  return 0;
}
