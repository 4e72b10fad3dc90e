// The product of two small floats in the exponents of a wider sum: its leading one is its uppermost bit, which weighs
// 2^(exponent - bias of the sum). The exponent has two bits more than the sum's and a sign: products may leave the sum's range.
// With ROUND the product is rounded to the sum's format first, as in FloatProduct.swift: it changes only where it leaves that range.
module float_product #(
    parameter int EXPONENT = 4,
    parameter int FRACTION = 3,
    parameter bit HAS_INFINITY = 0,
    parameter int SUM_EXPONENT = 8,
    parameter int SUM_FRACTION = 23,
    parameter bit ROUND = 0,
    parameter int FAULT = 0
) (
    input  logic        [EXPONENT+FRACTION:0] left,
    input  logic        [EXPONENT+FRACTION:0] right,
    output logic                              sign,
    output logic signed [   SUM_EXPONENT+1:0] exponent,
    output logic        [     SUM_FRACTION:0] significand,
    output logic                              is_nan,
    output logic                              is_infinite
);
  localparam int Width = 2 * FRACTION + 2;
  localparam int Offset = (1 << (SUM_EXPONENT - 1)) - 1 - 2 * ((1 << (EXPONENT - 1)) - 1) + 1 + (FAULT == 4 ? 1 : 0);
  logic [EXPONENT:0] exact_exponent;
  logic [Width-1:0] exact;
  logic exact_infinite;
  float_multiply #(
      .EXPONENT(EXPONENT),
      .FRACTION(FRACTION),
      .HAS_INFINITY(HAS_INFINITY),
      .FAULT(FAULT)
  ) multiply (
      .left,
      .right,
      .sign,
      .exponent(exact_exponent),
      .significand(exact),
      .is_nan,
      .is_infinite(exact_infinite)
  );

  // Subnormal operands bring leading zeros: up to Width - 1 of them.
  logic [$clog2(Width)-1:0] zeros;
  always_comb begin
    zeros = '0;
    for (int i = 0; i < Width; i++) if (exact[i]) zeros = ($clog2(Width))'(Width - 1 - i);
  end
  logic [Width-1:0] leading;
  logic signed [SUM_EXPONENT+1:0] leading_exponent;
  assign leading = exact << zeros;
  assign leading_exponent = (SUM_EXPONENT + 2)'(exact_exponent) + (SUM_EXPONENT + 2)'(Offset) - (SUM_EXPONENT + 2)'(zeros);

  if (ROUND) begin : rounded
    float_denormalise #(
        .EXPONENT(SUM_EXPONENT),
        .FRACTION(SUM_FRACTION),
        .FAULT(FAULT)
    ) denormalise (
        .exponent(leading_exponent),
        .significand({leading, (SUM_FRACTION + 1 - Width)'(0)}),
        .rounded_exponent(exponent),
        .rounded(significand)
    );
    assign is_infinite = exact_infinite || (leading[Width-1] && leading_exponent >= (SUM_EXPONENT + 2)'((1 << SUM_EXPONENT) - 1));
  end else begin : exactly
    assign exponent = leading_exponent;
    assign significand = {leading, (SUM_FRACTION + 1 - Width)'(0)};
    assign is_infinite = exact_infinite;
  end
endmodule
