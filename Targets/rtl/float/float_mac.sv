// The exact product of two small floats, added to an IEEE float with one rounding; LATENCY - 1 stages behind the multiplier. ROUND rounds
// the product to the sum's format as well (FloatProduct.swift).
module float_mac #(
    parameter int EXPONENT = 4,
    parameter int FRACTION = 3,
    parameter bit HAS_INFINITY = 0,
    parameter int SUM_EXPONENT = 8,
    parameter int SUM_FRACTION = 23,
    parameter bit ROUND = 0,
    parameter int LATENCY = 1,
    parameter int FAULT = 0
) (
    input  logic clock,
    input  logic reset,
    input  logic enable,
    input  logic [EXPONENT+FRACTION:0] activation,
    input  logic [EXPONENT+FRACTION:0] weight,
    input  logic [SUM_EXPONENT+SUM_FRACTION:0] accumulator,
    output logic [SUM_EXPONENT+SUM_FRACTION:0] sum
);
  localparam int Width = 1 + (SUM_EXPONENT + 2) + (SUM_FRACTION + 1) + 2;
  logic sign, is_nan, is_infinite, term_sign, term_nan, term_infinite;
  logic signed [SUM_EXPONENT+1:0] exponent, term_exponent;
  logic [SUM_FRACTION:0] significand, term;

  float_product #(
      .EXPONENT(EXPONENT),
      .FRACTION(FRACTION),
      .HAS_INFINITY(HAS_INFINITY),
      .SUM_EXPONENT(SUM_EXPONENT),
      .SUM_FRACTION(SUM_FRACTION),
      .ROUND(ROUND),
      .FAULT(FAULT)
  ) product (
      .left(activation),
      .right(weight),
      .sign,
      .exponent,
      .significand,
      .is_nan,
      .is_infinite
  );
  delay #(
      .WIDTH(Width),
      .DEPTH(LATENCY - 1)
  ) stages (
      .clock,
      .reset,
      .enable,
      .in ({sign, exponent, significand, is_nan, is_infinite}),
      .out({term_sign, term_exponent, term, term_nan, term_infinite})
  );
  float_add #(
      .EXPONENT(SUM_EXPONENT),
      .FRACTION(SUM_FRACTION),
      .FAULT(FAULT)
  ) add (
      .sum(accumulator),
      .sign(term_sign),
      .exponent(term_exponent),
      .significand(term),
      .is_nan(term_nan),
      .is_infinite(term_infinite),
      .result(sum)
  );
endmodule
