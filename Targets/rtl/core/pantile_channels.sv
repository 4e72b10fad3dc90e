// The token counters: one adder, one taker and one reader, all in host time.
module pantile_channels #(
    parameter int CHANNELS = 1024
) (
    input logic clk,
    input logic preset_one,  // puts the initial count
    input logic [15:0] preset_channel,
    input logic [31:0] preset_amount,
    input logic add,
    input logic [15:0] add_channel,
    input logic [31:0] add_amount,
    input logic take,
    input logic [15:0] take_channel,
    input logic [31:0] take_amount,
    input logic [15:0] look_channel,
    output logic [31:0] look_amount
);
  localparam int WIDTH = $clog2(CHANNELS);
  logic [31:0] tokens[CHANNELS];

  assign look_amount = tokens[look_channel[WIDTH-1:0]];

  always_ff @(posedge clk) begin
    if (preset_one) tokens[preset_channel[WIDTH-1:0]] <= preset_amount;
    else if (add) tokens[add_channel[WIDTH-1:0]] <= tokens[add_channel[WIDTH-1:0]] + add_amount;
    else if (take) tokens[take_channel[WIDTH-1:0]] <= tokens[take_channel[WIDTH-1:0]] - take_amount;
  end

  logic unused;
  assign unused = ^{preset_channel, add_channel, take_channel, look_channel};
endmodule
