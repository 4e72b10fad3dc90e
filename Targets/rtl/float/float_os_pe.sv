// A processing element of an output-stationary array of floats (float_mac), with the ports and registers of os_pe.
module float_os_pe #(
    parameter int EXPONENT = 4,
    parameter int FRACTION = 3,
    parameter bit HAS_INFINITY = 0,
    parameter int SUM_EXPONENT = 8,
    parameter int SUM_FRACTION = 23,
    parameter bit ROUND = 0,
    parameter int LATENCY = 1,
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
    input logic [SUM_EXPONENT+SUM_FRACTION:0] result_above,
    output logic [EXPONENT+FRACTION:0] activation_right,
    output logic [EXPONENT+FRACTION:0] weight_below,
    output logic [SUM_EXPONENT+SUM_FRACTION:0] result_below
);
  logic [SUM_EXPONENT+SUM_FRACTION:0] accumulator, sum;
  float_mac #(
      .EXPONENT(EXPONENT),
      .FRACTION(FRACTION),
      .HAS_INFINITY(HAS_INFINITY),
      .SUM_EXPONENT(SUM_EXPONENT),
      .SUM_FRACTION(SUM_FRACTION),
      .ROUND(ROUND),
      .LATENCY(LATENCY),
      .FAULT(FAULT)
  ) mac (
      .clock,
      .reset,
      .enable,
      .activation,
      .weight,
      .accumulator,
      .sum
  );
  sum_registers #(
      .DATA_WIDTH(1 + EXPONENT + FRACTION),
      .SUM_WIDTH(1 + SUM_EXPONENT + SUM_FRACTION),
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
