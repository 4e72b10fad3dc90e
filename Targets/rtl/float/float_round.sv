// A magnitude with a carry above and three bits below its significand becomes exponent and fraction of an IEEE float: leading zeros
// go as far as the smallest exponent allows, then one rounding to nearest, ties to even. What is too large becomes infinity.
module float_round #(
    parameter int EXPONENT = 8,
    parameter int FRACTION = 23,
    parameter int FAULT = 0
) (
    input  logic [         EXPONENT:0] exponent,
    input  logic [       FRACTION+4:0] magnitude,
    output logic [EXPONENT+FRACTION-1:0] rounded
);
  localparam int Width = FRACTION + 5;
  localparam int Amount = $clog2(Width);
  logic [Amount-1:0] zeros, amount;
  always_comb begin
    zeros = Amount'(Width - 1);
    for (int i = 0; i < Width; i++) if (magnitude[i]) zeros = Amount'(Width - 1 - i);
  end
  assign amount = (exponent < (EXPONENT + 1)'(zeros) && FAULT != 9) ? exponent[Amount-1:0] : zeros;

  logic [Width-1:0] leading;
  logic [EXPONENT+1:0] leading_exponent, field;
  logic up, overflows;
  assign leading = magnitude << amount;
  assign leading_exponent = (EXPONENT + 2)'(exponent) + (EXPONENT + 2)'(1) - (EXPONENT + 2)'(amount);
  assign field = leading[Width-1] ? leading_exponent : '0;
  assign up = leading[3] && ((|leading[2:0]) || leading[4] || FAULT == 5) && FAULT != 1;
  assign overflows = field >= (EXPONENT + 2)'((1 << EXPONENT) - 1);
  // A carry out of the fraction goes to the exponent: to the smallest normal number, to the next power of two, to infinity.
  assign rounded = overflows
      ? {EXPONENT'((1 << EXPONENT) - 1 - (FAULT == 6 ? 1 : 0)), FRACTION'(0) - FRACTION'(FAULT == 6)}
      : {field[EXPONENT-1:0], leading[Width-2:4]} + (EXPONENT + FRACTION)'(up);
endmodule
