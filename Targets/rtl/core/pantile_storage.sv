// The three memories: bytes of the DRAM and of the scratchpad, words of the accumulators. Elements move through two ports an engine,
// array operands through one byte port a lane; what owns which bank is decided at issue, so every port may be used in a clock.
module pantile_storage #(
    parameter int ROWS = 4,
    parameter int COLUMNS = 4,
    parameter int ENGINES = 4,
    parameter int DRAM_BYTES = 1 << 20,
    parameter int SCRATCHPAD_BYTES = 1 << 18,
    parameter int ACCUMULATOR_WORDS = 1 << 14
) (
    input logic clk,
    // Images go in and results come out through here, eight bytes a clock, at multiples of eight.
    input logic load,
    input logic [1:0] load_memory,
    input logic [31:0] load_address,
    input logic [63:0] load_data,
    output logic [63:0] dump_data,
    // Array operands.
    input logic [ROWS-1:0] a_read,
    input logic [ROWS-1:0][31:0] a_address,
    output logic [ROWS-1:0][7:0] a_data,
    input logic [COLUMNS-1:0] b_read,
    input logic [COLUMNS-1:0][31:0] b_address,
    output logic [COLUMNS-1:0][7:0] b_data,
    input logic [COLUMNS-1:0] sum_write,
    input logic [COLUMNS-1:0] sum_overwrite,
    input logic [COLUMNS-1:0][31:0] sum_address,
    input logic [COLUMNS-1:0][31:0] sum_value,
    // Elements.
    input logic [ENGINES-1:0][1:0] read_memory,
    input logic [ENGINES-1:0][47:0] read_address,
    output logic [ENGINES-1:0][63:0] read_data,
    input logic [ENGINES-1:0] write,
    input logic [ENGINES-1:0][1:0] write_memory,
    input logic [ENGINES-1:0][47:0] write_address,
    input logic [ENGINES-1:0][3:0] write_bytes,
    input logic [ENGINES-1:0][63:0] write_data
);
  import pantile_core_types::*;
  localparam int DRAM_BITS = $clog2(DRAM_BYTES);
  localparam int SCRATCHPAD_BITS = $clog2(SCRATCHPAD_BYTES);
  localparam int WORD_BITS = $clog2(ACCUMULATOR_WORDS);

  logic [7:0] dram[DRAM_BYTES];
  logic [7:0] scratchpad[SCRATCHPAD_BYTES];
  logic [31:0] accumulators[ACCUMULATOR_WORDS];

  for (genvar r = 0; r < ROWS; r++) begin : gen_a
    assign a_data[r] = a_read[r] ? scratchpad[a_address[r][SCRATCHPAD_BITS-1:0]] : 8'd0;
  end
  for (genvar c = 0; c < COLUMNS; c++) begin : gen_b
    assign b_data[c] = b_read[c] ? scratchpad[b_address[c][SCRATCHPAD_BITS-1:0]] : 8'd0;
  end
  for (genvar e = 0; e < ENGINES; e++) begin : gen_read
    for (genvar i = 0; i < 8; i++) begin : gen_byte
      // verilator lint_off UNUSEDSIGNAL
      logic [31:0] address;
      // verilator lint_on UNUSEDSIGNAL
      assign address = read_address[e][31:0] + 32'(i);
      assign read_data[e][8*i+:8] = read_memory[e] == MEMORY_SCRATCHPAD ? scratchpad[address[SCRATCHPAD_BITS-1:0]]
          : read_memory[e] == MEMORY_DRAM ? dram[address[DRAM_BITS-1:0]]
          : accumulators[address[WORD_BITS+1:2]][8*address[1:0]+:8];
    end
  end
  for (genvar i = 0; i < 8; i++) begin : gen_dump
    localparam logic [2:0] BYTE = 3'(i);
    assign dump_data[8*i+:8] = load_memory == MEMORY_SCRATCHPAD
        ? scratchpad[{load_address[SCRATCHPAD_BITS-1:3], BYTE}]
        : load_memory == MEMORY_DRAM ? dram[{load_address[DRAM_BITS-1:3], BYTE}]
        : accumulators[{load_address[WORD_BITS+1:3], BYTE[2]}][8*(i%4)+:8];
  end

  logic [ENGINES-1:0][7:0][31:0] target;
  always_comb
    for (int e = 0; e < ENGINES; e++) for (int i = 0; i < 8; i++) target[e][i] = write_address[e][31:0] + 32'(i);
  always_ff @(posedge clk) begin
    if (load)
      for (int i = 0; i < 8; i++)
        case (load_memory)
          MEMORY_DRAM: dram[{load_address[DRAM_BITS-1:3], 3'(i)}] <= load_data[8*i+:8];
          MEMORY_SCRATCHPAD: scratchpad[{load_address[SCRATCHPAD_BITS-1:3], 3'(i)}] <= load_data[8*i+:8];
          default: accumulators[{load_address[WORD_BITS+1:3], i > 3}][8*(i%4)+:8] <= load_data[8*i+:8];
        endcase
    for (int c = 0; c < COLUMNS; c++)
      if (sum_write[c])
        accumulators[sum_address[c][WORD_BITS-1:0]] <= sum_value[c]
            + (sum_overwrite[c] ? 32'd0 : accumulators[sum_address[c][WORD_BITS-1:0]]);
    for (int e = 0; e < ENGINES; e++)
      if (write[e])
        for (int i = 0; i < 8; i++)
          if (4'(i) < write_bytes[e])
            case (write_memory[e])
              MEMORY_DRAM: dram[target[e][i][DRAM_BITS-1:0]] <= write_data[e][8*i+:8];
              MEMORY_SCRATCHPAD: scratchpad[target[e][i][SCRATCHPAD_BITS-1:0]] <= write_data[e][8*i+:8];
              default: accumulators[target[e][i][WORD_BITS+1:2]][8*target[e][i][1:0]+:8] <= write_data[e][8*i+:8];
            endcase
  end

  logic unused;
  assign unused = ^{a_address, b_address, sum_address, read_address, load_address, target};
endmodule
