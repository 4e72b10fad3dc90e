// An IEEE float and an exact product added with one rounding to nearest, ties to even. Not a number is the positive quiet code with no
// further bits. An exact zero of two signs is positive.
module float_add #(
    parameter int EXPONENT = 8,
    parameter int FRACTION = 23,
    parameter int FAULT = 0
) (
    input  logic        [EXPONENT+FRACTION:0] sum,
    input  logic                              sign,
    input  logic signed [       EXPONENT+1:0] exponent,
    input  logic        [         FRACTION:0] significand,
    input  logic                              is_nan,
    input  logic                              is_infinite,
    output logic        [EXPONENT+FRACTION:0] result
);
  logic sum_sign, sum_nan, sum_infinite;
  logic [EXPONENT-1:0] sum_exponent;
  logic [FRACTION:0] sum_significand;
  float_decode #(
      .EXPONENT(EXPONENT),
      .FRACTION(FRACTION),
      .HAS_INFINITY(1)
  ) decode (
      .code(sum),
      .sign(sum_sign),
      .exponent(sum_exponent),
      .significand(sum_significand),
      .is_nan(sum_nan),
      .is_infinite(sum_infinite)
  );

  logic sum_stays;
  logic [EXPONENT:0] larger;
  logic [FRACTION+3:0] stays, moves;
  float_align #(
      .EXPONENT(EXPONENT),
      .FRACTION(FRACTION),
      .FAULT(FAULT)
  ) align (
      .sum_exponent,
      .sum(sum_significand),
      .term_exponent(exponent),
      .term(significand),
      .sum_stays,
      .exponent(larger),
      .stays,
      .moves
  );

  // Exponents alone decided what moved: a difference is negative where they are equal, or where a subnormal sum stayed.
  logic subtracts, is_negative, is_zero, zero_sign, stays_sign;
  logic [FRACTION+5:0] total;
  logic [FRACTION+4:0] magnitude;
  assign subtracts = sum_sign ^ sign;
  assign total = {2'b00, stays} + ({2'b00, moves} ^ {(FRACTION + 6) {subtracts}}) + (FRACTION + 6)'(subtracts);
  assign is_negative = total[FRACTION+5];
  assign magnitude = (total[FRACTION+4:0] ^ {(FRACTION + 5) {is_negative}}) + (FRACTION + 5)'(is_negative);
  assign is_zero = magnitude == '0;
  assign zero_sign = FAULT == 10 ? sum_sign : sum_sign && sign;
  assign stays_sign = sum_stays ? sum_sign : sign;

  logic [EXPONENT+FRACTION-1:0] rounded;
  float_round #(
      .EXPONENT(EXPONENT),
      .FRACTION(FRACTION),
      .FAULT(FAULT)
  ) round (
      .exponent(larger),
      .magnitude,
      .rounded
  );

  logic no_number;
  assign no_number = sum_nan || is_nan || (sum_infinite && is_infinite && subtracts && FAULT != 7);
  always_comb
    if (no_number) result = {1'b0, EXPONENT'((1 << EXPONENT) - 1), 1'b1, (FRACTION - 1)'(0)};
    else if (sum_infinite || is_infinite)
      result = {sum_infinite ? sum_sign : sign, EXPONENT'((1 << EXPONENT) - 1), FRACTION'(0)};
    else result = {is_zero ? zero_sign : stays_sign ^ is_negative, rounded};
endmodule
