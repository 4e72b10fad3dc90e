// A processing element with the ports and registers of os_pe that sums products of small floats exactly (fixed_mac).
module fixed_os_pe #(
    parameter int EXPONENT = 4,
    parameter int FRACTION = 3,
    parameter bit HAS_INFINITY = 0,
    parameter int SUM_WIDTH = 54,
    parameter bit HAS_OUTPUT = 1,
    parameter int FAULT = 0
) (
    input logic clock,
    input logic reset,
    input logic enable,
    input logic last,
    input logic shift,
    input logic [EXPONENT+FRACTION:0] activation,
    input logic [EXPONENT+FRACTION:0] weight,
    input logic [SUM_WIDTH+(HAS_INFINITY?1:0):0] result_above,
    output logic [EXPONENT+FRACTION:0] activation_right,
    output logic [EXPONENT+FRACTION:0] weight_below,
    output logic [SUM_WIDTH+(HAS_INFINITY?1:0):0] result_below
);
  localparam int Width = SUM_WIDTH + (HAS_INFINITY ? 2 : 1);
  logic [Width-1:0] accumulator, sum;
  fixed_mac #(
      .EXPONENT(EXPONENT),
      .FRACTION(FRACTION),
      .HAS_INFINITY(HAS_INFINITY),
      .SUM_WIDTH(SUM_WIDTH),
      .FAULT(FAULT)
  ) mac (
      .activation,
      .weight,
      .accumulator,
      .sum
  );
  sum_registers #(
      .DATA_WIDTH(1 + EXPONENT + FRACTION),
      .SUM_WIDTH(Width),
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
