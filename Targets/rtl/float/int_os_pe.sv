// os_pe at latency 1 with its multiplier written out: Yosys 0.23 makes one sum of `accumulator + activation * weight` whose rows are
// all as wide as the accumulator, which costs more than multiplier and adder apart.
module int_os_pe #(
    parameter int DATA_WIDTH = 8,
    parameter int SUM_WIDTH = 32,
    parameter bit HAS_OUTPUT = 1
) (
    input logic clock,
    input logic reset,
    input logic enable,
    input logic last,
    input logic shift,
    input logic signed [DATA_WIDTH-1:0] activation,
    input logic signed [DATA_WIDTH-1:0] weight,
    input logic signed [SUM_WIDTH-1:0] result_above,
    output logic signed [DATA_WIDTH-1:0] activation_right,
    output logic signed [DATA_WIDTH-1:0] weight_below,
    output logic signed [SUM_WIDTH-1:0] result_below
);
  logic signed [2*DATA_WIDTH-1:0] product;
  logic signed [SUM_WIDTH-1:0] accumulator, sum;
  int_multiply #(
      .WIDTH(DATA_WIDTH)
  ) multiply (
      .left(activation),
      .right(weight),
      .product
  );
  assign sum = accumulator + SUM_WIDTH'(product);
  sum_registers #(
      .DATA_WIDTH(DATA_WIDTH),
      .SUM_WIDTH(SUM_WIDTH),
      .HAS_OUTPUT(HAS_OUTPUT)
  ) registers (
      .clock,
      .reset,
      .enable,
      .last,
      .shift,
      .activation,
      .weight,
      .sum,
      .result_above,
      .accumulator,
      .activation_right,
      .weight_below,
      .result_below
  );
endmodule
