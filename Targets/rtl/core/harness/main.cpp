// Runs the core's twin on cases and writes what it saw: `core-twin [--faults N] CASE...`.
//
// A case is a folder with `program.bin` (64-bit words), `machine.txt` (registers and sizes), `dram.bin` (the memory before the run) and
// `latencies.txt` (of the bursts in order). The twin's `events.actual`, `dram.actual`, `scratchpad.actual` and `accumulators.actual`
// are written beside them. Exit code 0 when every case has run, 2 when a file is missing or damaged.
#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "Vpantile_core.h"
#include "verilated.h"

namespace {

float real(int bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

int bits(float value) {
  int result;
  std::memcpy(&result, &value, sizeof result);
  return result;
}

float larger(float a, float b) { return a > b || std::isnan(a) ? a : b; }
float smaller(float a, float b) { return a < b || std::isnan(a) ? a : b; }

int clamped(int64_t value) { return int(std::min<int64_t>(std::max<int64_t>(value, INT32_MIN), INT32_MAX)); }

}  // namespace

// Float micro-operations, by the number of their case in `KernelOperation`; the same C library as the simulator's.
extern "C" int pantile_float(int operation, int a_bits, int b_bits, long long first, long long second) {
  const float a = real(a_bits), b = real(b_bits);
  const float x = real(int(first)), y = real(int(second));
  switch (operation) {
    case 10: return bits(a + b);
    case 11: return bits(a - b);
    case 12: return bits(a * b);
    case 13: return bits(a / b);
    case 14: return bits(larger(a, b));
    case 15: return bits(smaller(a, b));
    case 16: return bits(powf(a, b));
    case 17: return bits(a + x);
    case 18: return bits(a * x);
    case 19: return bits(a / x);
    case 20: return bits(smaller(larger(a, x), y));
    case 21: return bits(expf(a));
    case 22: return bits(logf(a));
    case 23: return bits(sqrtf(a));
    case 24: return bits(-a);
    case 25: return bits(fabsf(a));
    case 26: return bits(erff(a));
    case 27: return bits(tanhf(a));
    case 28: return bits(1 / (1 + expf(-a)));
    case 29: return bits(a < 0 ? a * x : a);
    case 30: return bits(float(a_bits));
    case 31: {
      const float value = nearbyintf(a), low = float(first), high = float(second);
      return value >= low ? clamped(int64_t(std::min(value, high))) : clamped(int64_t(low));
    }
    default: return a_bits;
  }
}

namespace {

enum Kind { issue, token, free_reads, free_writes, accept, answer, complete };
const char* const names[] = {"issue", "token", "free-reads", "free-writes", "accept", "answer", "complete"};

struct Event {
  uint64_t cycle;
  Kind kind;
  uint64_t a, b;
};

struct Case {
  std::string folder;
  std::vector<uint64_t> program;
  std::vector<std::pair<unsigned, uint32_t>> registers;
  std::vector<uint8_t> dram;
  uint64_t scratchpad_bytes = 0, accumulator_bytes = 0, limit = 1000000;
  uint32_t latency = 0;
  std::vector<uint32_t> latencies;
  int queue_of_dma[2] = {0, 0};
};

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "error: %s\n", message.c_str());
  std::exit(2);
}

std::string contents(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail("cannot read '" + path + "'");
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

Case load(const std::string& folder) {
  Case result;
  result.folder = folder;
  const std::string image = contents(folder + "/program.bin");
  if (image.size() % 8 != 0) fail("'" + folder + "/program.bin' is no array of 64-bit words");
  for (size_t at = 0; at < image.size(); at += 8) {
    uint64_t word = 0;
    for (int byte = 0; byte < 8; byte++) word |= uint64_t(uint8_t(image[at + byte])) << (8 * byte);
    result.program.push_back(word);
  }
  const std::string dram = contents(folder + "/dram.bin");
  result.dram.assign(dram.begin(), dram.end());
  std::istringstream latencies(contents(folder + "/latencies.txt"));
  for (uint32_t value; latencies >> value;) result.latencies.push_back(value);
  std::istringstream machine(contents(folder + "/machine.txt"));
  std::string key;
  for (uint64_t value; machine >> key >> value;) {
    if (key == "scratchpad") result.scratchpad_bytes = value;
    else if (key == "accumulators") result.accumulator_bytes = value;
    else if (key == "limit") result.limit = value;
    else if (key == "latency") result.latency = uint32_t(value);
    else if (key == "dma0") result.queue_of_dma[0] = int(value);
    else if (key == "dma1") result.queue_of_dma[1] = int(value);
    else if (key.rfind("register", 0) == 0) result.registers.push_back({std::stoul(key.substr(8)), uint32_t(value)});
    else fail("'" + folder + "/machine.txt' has the unknown key '" + key + "'");
  }
  return result;
}

class Twin {
 public:
  Twin() : core(new Vpantile_core) {}
  ~Twin() { core->final(); }

  void run(const Case& input, uint32_t faults) {
    set_up(input, faults);
    std::vector<Event> events;
    core->run = 1;
    std::string end;
    while (true) {
      core->burst_latency =
          core->burst_number < input.latencies.size() ? input.latencies[core->burst_number] : input.latency;
      core->clk = 0;
      core->eval();
      if (core->finished) break;
      if (core->overflow) { end = "overflow"; break; }
      if (core->cycle > input.limit) { end = "stuck"; break; }
      sample(input, events);
      core->clk = 1;
      core->eval();
    }
    core->run = 0;
    if (end.empty()) end = "cycles " + std::to_string(core->length);
    write_events(input.folder + "/events.actual", events, end);
    dump(input.folder + "/dram.actual", 0, input.dram.size());
    dump(input.folder + "/scratchpad.actual", 1, input.scratchpad_bytes);
    dump(input.folder + "/accumulators.actual", 2, input.accumulator_bytes);
  }

 private:
  std::unique_ptr<Vpantile_core> core;

  void clock() {
    core->clk = 0;
    core->eval();
    core->clk = 1;
    core->eval();
  }

  void set_up(const Case& input, uint32_t faults) {
    core->run = core->configure = core->load = core->load_image = 0;
    core->reset = 1;
    clock();
    core->reset = 0;
    core->configure = 1;
    for (const auto& [index, value] : input.registers) {
      core->configure_index = index;
      core->configure_value = value;
      clock();
    }
    core->configure_index = 19;
    core->configure_value = faults;
    clock();
    core->configure = 0;
    core->load_image = 1;
    for (size_t at = 0; at < input.program.size(); at++) {
      core->load_image_address = at;
      core->load_image_word = input.program[at];
      clock();
    }
    core->load_image = 0;
    core->load = 1;
    fill(0, input.dram.size(), [&](size_t at) { return input.dram[at]; });
    fill(1, input.scratchpad_bytes, [](size_t) { return 0; });
    fill(2, input.accumulator_bytes, [](size_t) { return 0; });
    core->load = 0;
  }

  template <typename Byte>
  void fill(int memory, size_t count, Byte byte) {
    core->load_memory = memory;
    for (size_t at = 0; at < count; at += 8) {
      uint64_t word = 0;
      for (size_t i = at; i < at + 8 && i < count; i++) word |= uint64_t(uint8_t(byte(i))) << (8 * (i - at));
      core->load_address = at;
      core->load_data = word;
      clock();
    }
  }

  void dump(const std::string& path, int memory, size_t count) {
    std::string result(count, 0);
    core->load_memory = memory;
    core->clk = 0;
    for (size_t at = 0; at < count; at++) {
      if (at % 8 == 0) {
        core->load_address = at;
        core->eval();
      }
      result[at] = char(core->dump_data >> (8 * (at % 8)));
    }
    std::ofstream(path, std::ios::binary) << result;
  }

  void sample(const Case& input, std::vector<Event>& events) {
    const uint64_t now = core->cycle;
    if (core->event_issue) events.push_back({now, issue, core->event_queue, core->event_ordinal});
    if (core->event_token) events.push_back({now, token, core->event_channel, core->event_amount});
    if (core->event_free_reads) events.push_back({now, free_reads, core->event_free_queue, core->event_banks});
    if (core->event_free_writes) events.push_back({now, free_writes, core->event_free_queue, core->event_banks});
    if (core->event_accept) events.push_back({now, accept, core->event_accept_queue, 1});
    for (int dma = 0; dma < 2; dma++) {
      const unsigned count = (core->event_answers >> (8 * dma)) & 255;
      if (count != 0) events.push_back({now + 1, answer, uint64_t(input.queue_of_dma[dma]), count});
    }
    if (core->event_complete) events.push_back({now, complete, core->event_free_queue, 0});
  }

  // In the order of `[TimingEvent].canonical`.
  static void write_events(const std::string& path, std::vector<Event>& events, const std::string& end) {
    std::stable_sort(events.begin(), events.end(), [](const Event& x, const Event& y) {
      const uint64_t xb = x.kind == issue ? 0 : x.b, yb = y.kind == issue ? 0 : y.b;
      return std::tie(x.cycle, x.kind, x.a, xb) < std::tie(y.cycle, y.kind, y.a, yb);
    });
    std::vector<Event> merged;
    for (const Event& event : events) {
      const bool counts = event.kind == token || event.kind == accept || event.kind == answer;
      if (counts && !merged.empty() && merged.back().cycle == event.cycle && merged.back().kind == event.kind
          && merged.back().a == event.a)
        merged.back().b += event.b;
      else
        merged.push_back(event);
    }
    std::ofstream file(path);
    for (const Event& event : merged) {
      file << event.cycle << ' ' << names[event.kind] << ' ' << event.a;
      if (event.kind == free_reads || event.kind == free_writes) file << ' ' << std::hex << event.b << std::dec;
      else if (event.kind != complete) file << ' ' << event.b;
      file << '\n';
    }
    file << end << '\n';
  }
};

}  // namespace

int main(int count, char** arguments) {
  uint32_t faults = 0;
  Twin twin;
  for (int at = 1; at < count; at++) {
    if (std::strcmp(arguments[at], "--faults") == 0 && at + 1 < count) {
      faults = uint32_t(std::strtoul(arguments[++at], nullptr, 0));
    } else {
      twin.run(load(arguments[at]), faults);
    }
  }
  return 0;
}
