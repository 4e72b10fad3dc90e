// A code of a small float taken apart: sign, exponent field (1 for subnormals, whose hidden bit is 0), significand, special values.
module float_decode #(
    parameter int EXPONENT = 4,
    parameter int FRACTION = 3,
    parameter bit HAS_INFINITY = 0,  // 1: IEEE 754; 0: E4M3 of OCP, where only the code of all ones is no number
    parameter int FAULT = 0
) (
    input  logic [EXPONENT+FRACTION:0] code,
    output logic                       sign,
    output logic [       EXPONENT-1:0] exponent,
    output logic [         FRACTION:0] significand,
    output logic                       is_nan,
    output logic                       is_infinite
);
  logic [EXPONENT-1:0] field;
  logic [FRACTION-1:0] fraction;
  logic is_subnormal;
  assign {sign, field, fraction} = code;
  assign is_subnormal = field == '0;
  assign exponent = field | EXPONENT'(is_subnormal);
  assign significand = (FAULT == 3 && is_subnormal) ? '0 : {!is_subnormal, fraction};
  assign is_nan = (&field) && (HAS_INFINITY ? fraction != '0 : (&fraction) && FAULT != 8);
  assign is_infinite = HAS_INFINITY && (&field) && fraction == '0;
endmodule
