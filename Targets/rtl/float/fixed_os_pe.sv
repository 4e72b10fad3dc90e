// A processing element with the ports and registers of os_pe that sums products of small floats exactly: the accumulator is an integer
// in units of the smallest product (Kulisch) and wraps. Bits above it remember what integers cannot say. With infinities there are
// two: 01 a positive infinity was added, 10 a negative one, 11 both, or something that is no number; without them one.
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
  localparam int Flags = HAS_INFINITY ? 2 : 1;
  localparam int Width = 2 * FRACTION + 2;
  localparam int Product = Width + 2 * ((1 << EXPONENT) - 2);  // the largest product's bits
  logic sign, is_nan, is_infinite;
  logic [EXPONENT:0] exponent, places;
  logic [Width-1:0] significand;
  logic [Product-1:0] placed;
  logic [SUM_WIDTH-1:0] term, accumulator, sum;
  logic [Flags-1:0] special, added;
  float_multiply #(
      .EXPONENT(EXPONENT),
      .FRACTION(FRACTION),
      .HAS_INFINITY(HAS_INFINITY),
      .FAULT(FAULT)
  ) multiply (
      .left(activation),
      .right(weight),
      .sign,
      .exponent,
      .significand,
      .is_nan,
      .is_infinite
  );
  // The smallest product has both exponent fields at 1.
  assign places = exponent - (EXPONENT + 1)'(FAULT == 4 ? 1 : 2);
  assign placed = Product'(significand) << places;
  assign term = SUM_WIDTH'(placed);
  assign sum = accumulator + (term ^ {SUM_WIDTH{sign}}) + SUM_WIDTH'(sign);
  if (HAS_INFINITY) begin : infinities
    assign added = {is_nan || (is_infinite && sign), is_nan || (is_infinite && !sign)};
  end else begin : none
    assign added = is_nan;
    logic unused;
    assign unused = &{1'b0, is_infinite};
  end

  sum_registers #(
      .DATA_WIDTH(1 + EXPONENT + FRACTION),
      .SUM_WIDTH(SUM_WIDTH + Flags),
      .HAS_OUTPUT(HAS_OUTPUT)
  ) registers (
      .clock,
      .reset,
      .enable,
      .last,
      .shift,
      .activation,
      .weight,
      .sum({special | added, sum}),
      .result_above,
      .accumulator({special, accumulator}),
      .activation_right,
      .weight_below,
      .result_below
  );
endmodule
