// Exact sums of products of small floats: the accumulator is an integer in units of the smallest product (Kulisch) and wraps. Bits above
// it remember what integers cannot say. With infinities there are two: 01 a positive infinity was added, 10 a negative one, 11 both, or
// something that is no number; without them one.
module fixed_mac #(
    parameter int EXPONENT = 4,
    parameter int FRACTION = 3,
    parameter bit HAS_INFINITY = 0,
    parameter int SUM_WIDTH = 54,
    parameter int FAULT = 0
) (
    input  logic [EXPONENT+FRACTION:0] activation,
    input  logic [EXPONENT+FRACTION:0] weight,
    input  logic [SUM_WIDTH+(HAS_INFINITY?1:0):0] accumulator,
    output logic [SUM_WIDTH+(HAS_INFINITY?1:0):0] sum
);
  localparam int Flags = HAS_INFINITY ? 2 : 1;
  localparam int Width = 2 * FRACTION + 2;
  localparam int Product = Width + 2 * ((1 << EXPONENT) - 2);  // the largest product's bits
  logic sign, is_nan, is_infinite;
  logic [EXPONENT:0] exponent, places;
  logic [Width-1:0] significand;
  logic [Product-1:0] placed;
  logic [SUM_WIDTH-1:0] term, held, total;
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
  assign total = held + (term ^ {SUM_WIDTH{sign}}) + SUM_WIDTH'(sign);
  if (HAS_INFINITY) begin : infinities
    assign added = {is_nan || (is_infinite && sign), is_nan || (is_infinite && !sign)};
  end else begin : none
    assign added = is_nan;
    logic unused;
    assign unused = &{1'b0, is_infinite};
  end
  assign {special, held} = accumulator;
  assign sum = {special | added, total};
endmodule
