// The exact product of two small floats. Its value is significand * 2^(exponent - 2 * bias - 2 * FRACTION), where the bias is the
// operands'; a zero has the significand 0 and any exponent.
module float_multiply #(
    parameter int EXPONENT = 4,
    parameter int FRACTION = 3,
    parameter bit HAS_INFINITY = 0,
    parameter int FAULT = 0
) (
    input  logic [EXPONENT+FRACTION:0] left,
    input  logic [EXPONENT+FRACTION:0] right,
    output logic                       sign,
    output logic [         EXPONENT:0] exponent,
    output logic [     2*FRACTION+1:0] significand,
    output logic                       is_nan,
    output logic                       is_infinite
);
  logic left_sign, right_sign, left_nan, right_nan, left_infinite, right_infinite;
  logic [EXPONENT-1:0] left_exponent, right_exponent;
  logic [FRACTION:0] left_significand, right_significand;
  float_decode #(
      .EXPONENT(EXPONENT),
      .FRACTION(FRACTION),
      .HAS_INFINITY(HAS_INFINITY),
      .FAULT(FAULT)
  ) decode_left (
      .code(left),
      .sign(left_sign),
      .exponent(left_exponent),
      .significand(left_significand),
      .is_nan(left_nan),
      .is_infinite(left_infinite)
  );
  float_decode #(
      .EXPONENT(EXPONENT),
      .FRACTION(FRACTION),
      .HAS_INFINITY(HAS_INFINITY),
      .FAULT(FAULT)
  ) decode_right (
      .code(right),
      .sign(right_sign),
      .exponent(right_exponent),
      .significand(right_significand),
      .is_nan(right_nan),
      .is_infinite(right_infinite)
  );
  assign sign = left_sign ^ right_sign;
  assign exponent = (EXPONENT + 1)'(left_exponent) + (EXPONENT + 1)'(right_exponent);
  assign significand = (2 * FRACTION + 2)'(left_significand) * (2 * FRACTION + 2)'(right_significand);
  assign is_nan = left_nan || right_nan || (left_infinite && right_significand == '0)
      || (right_infinite && left_significand == '0);
  assign is_infinite = left_infinite || right_infinite;
endmodule
