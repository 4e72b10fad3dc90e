// os_pe at latency 1 with a multiplier that is written out.
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
  logic signed [SUM_WIDTH-1:0] accumulator, sum;
  int_mac #(
      .DATA_WIDTH(DATA_WIDTH),
      .SUM_WIDTH (SUM_WIDTH)
  ) mac (
      .activation,
      .weight,
      .accumulator,
      .sum
  );
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
