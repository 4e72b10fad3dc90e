// A normalised significand below the smallest exponent of a format becomes a rounded subnormal one; others pass.
module float_denormalise #(
    parameter int EXPONENT = 8,
    parameter int FRACTION = 23,
    parameter int FAULT = 0
) (
    input  logic signed [EXPONENT+1:0] exponent,
    input  logic        [  FRACTION:0] significand,
    output logic signed [EXPONENT+1:0] rounded_exponent,
    output logic        [  FRACTION:0] rounded
);
  localparam int Amount = $clog2(FRACTION + 3);
  logic signed [EXPONENT+1:0] distance;
  logic is_below, is_far;
  logic [FRACTION+2:0] shifted;
  assign distance = (EXPONENT + 2)'(1) - exponent;
  assign is_below = distance > 0;
  assign is_far   = distance > (EXPONENT + 2)'(FRACTION + 2);
  float_shift #(
      .WIDTH(FRACTION + 3),
      .AMOUNT(Amount),
      .FAULT(FAULT)
  ) shift (
      .in({significand, 2'b00}),
      .amount(!is_below ? '0 : is_far ? Amount'(FRACTION + 2) : distance[Amount-1:0]),
      .out(shifted)
  );
  // Rounding up may reach the smallest normal number, which has the same exponent and a leading one.
  logic up;
  assign up = shifted[1] && (shifted[0] || shifted[2]) && FAULT != 1;
  assign rounded = shifted[FRACTION+2:2] + (FRACTION + 1)'(up);
  assign rounded_exponent = is_below ? (EXPONENT + 2)'(1) : exponent;
endmodule
