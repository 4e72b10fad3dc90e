// Drives the pieces of the core by lines of text: `pieces < script`. Each line is one order; answers go to stdout.
//
//   image COUNT           and so many words, in hexadecimal, a line each
//   memories DRAM SPAD BANKBYTES
//   walk ADDRESS          every command of the queue there: its line, then a line for each operand
//   preset|add|take CHANNEL AMOUNT, look CHANNEL
//   own|reads|writes|free QUEUE READS WRITES   take ports, release reads or writes, ask whether all are free
#include <cstdint>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>

#include "Vpantile_pieces.h"
#include "verilated.h"

namespace {

// Made and deleted in `main`: Verilator's context is a static made later than this one, so at exit it would go first.
std::unique_ptr<Vpantile_pieces> top;

void tick() {
  top->clk = 0;
  top->eval();
  top->clk = 1;
  top->eval();
}

void show_command() {
  std::printf("command %u %u %u %u %u %u %u %llx %llx", top->ordinal, unsigned(top->operation), top->m, top->n, top->k,
              unsigned(top->accumulate), top->reduced, (unsigned long long)top->read_banks,
              (unsigned long long)top->write_banks);
  for (unsigned i = 0; i < top->wait_count; i++) {
    top->select = i;
    top->eval();
    std::printf(" w%u:%u", unsigned(top->wait_channel), top->wait_amount);
  }
  for (unsigned i = 0; i < top->signal_count; i++) {
    top->select = i;
    top->eval();
    std::printf(" s%u:%u:%u", unsigned(top->signal_channel), unsigned(top->signal_point), top->signal_amount);
  }
  std::printf("\n");
  for (unsigned i = 0; i < top->operand_count; i++) {
    top->select = i;
    top->index = 0;
    top->eval();
    if (top->is_empty) std::printf("operand empty");
    else std::printf("operand %llu %llu", (unsigned long long)top->first_byte, (unsigned long long)top->last_byte);
    const unsigned count = top->elements;
    for (unsigned element = 0; element < count; element++) {
      top->index = element;
      top->eval();
      const int64_t address = int64_t(uint64_t(top->address) << 16) >> 16;
      if (top->inside_bounds) std::printf(" %lld", (long long)address);
      else std::printf(" p");
    }
    std::printf("\n");
  }
}

}  // namespace

int main() {
  top = std::make_unique<Vpantile_pieces>();
  top->reset = 1;
  tick();
  top->reset = 0;
  for (std::string order; std::cin >> order;) {
    if (order == "image") {
      size_t count;
      std::cin >> count >> std::hex;
      top->load_image = 1;
      for (size_t at = 0; at < count; at++) {
        uint64_t word;
        std::cin >> word;
        top->load_image_address = at;
        top->load_image_word = word;
        tick();
      }
      std::cin >> std::dec;
      top->load_image = 0;
    } else if (order == "memories") {
      unsigned dram, scratchpad, bytes;
      std::cin >> dram >> scratchpad >> bytes;
      top->dram_id = dram;
      top->scratchpad_id = scratchpad;
      top->bank_bytes = bytes;
    } else if (order == "walk") {
      std::cin >> top->start_address;
      top->reset = 1;
      tick();
      top->reset = 0;
      top->start = 1;
      tick();
      top->start = 0;
      while (!top->is_done) {
        if (top->ready) {
          show_command();
          top->advance = 1;
        }
        tick();
        top->advance = 0;
      }
      std::printf("end\n");
    } else if (order == "preset" || order == "add" || order == "take" || order == "look") {
      unsigned channel, amount = 0;
      std::cin >> channel;
      if (order != "look") std::cin >> amount;
      top->channel = channel;
      top->amount = amount;
      top->channel_preset = order == "preset";
      top->channel_add = order == "add";
      top->channel_take = order == "take";
      top->eval();
      if (order == "look") std::printf("%u\n", top->look_amount);
      tick();
      top->channel_preset = top->channel_add = top->channel_take = 0;
    } else {
      unsigned queue;
      std::cin >> queue >> std::hex >> top->port_reads >> top->port_writes >> std::dec;
      top->asker = queue;
      top->port_take = order == "own";
      top->port_free_reads = order == "reads";
      top->port_free_writes = order == "writes";
      top->eval();
      if (order == "free") std::printf("%u\n", unsigned(top->are_free));
      tick();
      top->port_take = top->port_free_reads = top->port_free_writes = 0;
    }
  }
  top->final();
  top.reset();
  return 0;
}
