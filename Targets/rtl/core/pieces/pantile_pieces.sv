// A bench for the pieces of the core alone: a sequencer on an image, the address generator and the touched range on its operands,
// channel counters and bank ports by hand.
module pantile_pieces #(
    parameter int PROGRAM_WORDS = 1 << 14
) (
    input logic clk,
    input logic reset,
    input logic load_image,
    input logic [31:0] load_image_address,
    input logic [63:0] load_image_word,
    input logic [31:0] bank_bytes,
    input logic [7:0] dram_id,
    input logic [7:0] scratchpad_id,
    // Sequencer.
    input logic start,
    input logic [31:0] start_address,
    input logic advance,
    output logic ready,
    output logic is_done,
    output logic [31:0] ordinal,
    output logic [2:0] operation,
    output logic [31:0] m,
    output logic [31:0] n,
    output logic [31:0] k,
    output logic accumulate,
    output logic [31:0] reduced,
    output logic [63:0] read_banks,
    output logic [63:0] write_banks,
    output logic [4:0] wait_count,
    output logic [4:0] signal_count,
    output logic [3:0] operand_count,
    // One of its waits, signals, operands, and an element of the operand.
    input logic [3:0] select,
    input logic [31:0] index,
    output logic [15:0] wait_channel,
    output logic [31:0] wait_amount,
    output logic [15:0] signal_channel,
    output logic [3:0] signal_point,
    output logic [31:0] signal_amount,
    output logic inside_bounds,
    output logic [47:0] address,
    output logic is_empty,
    output logic [47:0] first_byte,
    output logic [47:0] last_byte,
    output logic [31:0] elements,
    // Channels and ports: one operation a clock.
    input logic channel_preset,
    input logic channel_add,
    input logic channel_take,
    input logic [15:0] channel,
    input logic [31:0] amount,
    output logic [31:0] look_amount,
    input logic [2:0] asker,
    input logic [63:0] port_reads,
    input logic [63:0] port_writes,
    input logic port_take,
    input logic port_free_reads,
    input logic port_free_writes,
    output logic are_free
);
  import pantile_core_types::*;
  localparam int IMAGE_BITS = $clog2(PROGRAM_WORDS);

  logic [63:0] image[PROGRAM_WORDS];
  always_ff @(posedge clk) if (load_image) image[load_image_address[IMAGE_BITS-1:0]] <= load_image_word;

  logic [31:0] fetch_address;
  // verilator lint_off UNUSEDSIGNAL
  command_t command;
  // verilator lint_on UNUSEDSIGNAL
  access_t [OPERANDS-1:0] operands;
  pantile_sequencer sequencer (
      .clk(clk), .reset(reset), .start(start), .start_address(start_address), .fetch_address(fetch_address),
      .fetch_word(image[fetch_address[IMAGE_BITS-1:0]]), .dram_id(dram_id), .scratchpad_id(scratchpad_id),
      .bank_bytes(bank_bytes), .advance(advance), .ready(ready), .is_done(is_done), .command(command),
      .operands(operands)
  );
  assign ordinal = command.ordinal;
  assign operation = command.operation;
  assign m = command.m;
  assign n = command.n;
  assign k = command.k;
  assign accumulate = command.accumulate;
  assign reduced = command.reduced;
  assign read_banks = command.read_banks;
  assign write_banks = command.write_banks;
  assign wait_count = command.wait_count;
  assign signal_count = command.signal_count;
  assign operand_count = command.operand_count;
  assign wait_channel = command.wait_channel[select];
  assign wait_amount = command.wait_amount[select];
  assign signal_channel = command.signal_channel[select];
  assign signal_point = command.signal_point[select];
  assign signal_amount = command.signal_amount[select];

  access_t access;
  assign access = operands[select[2:0]];
  pantile_address_generator generator (
      .access(access), .index(index), .inside_bounds(inside_bounds), .address(address)
  );
  pantile_touched_range range (
      .access(access), .is_empty(is_empty), .first_byte(first_byte), .last_byte(last_byte)
  );
  assign elements = access.count[0] * access.count[1] * access.count[2] * access.count[3] * access.count[4]
      * access.count[5];

  pantile_channels channels (
      .clk(clk), .preset_one(channel_preset), .preset_channel(channel), .preset_amount(amount), .add(channel_add),
      .add_channel(channel), .add_amount(amount), .take(channel_take), .take_channel(channel), .take_amount(amount),
      .look_channel(channel), .look_amount(look_amount)
  );
  pantile_bank_ports ports (
      .clk(clk), .reset(reset), .asker(asker), .read_banks(port_reads), .write_banks(port_writes), .take(port_take),
      .free_reads(port_free_reads), .free_writes(port_free_writes), .are_free(are_free)
  );

  logic unused;
  assign unused = ^{load_image_address, fetch_address};
endmodule
