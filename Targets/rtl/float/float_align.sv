// Two summands under one exponent: the one with the smaller exponent moves to the right. Three bits more than the significand's keep
// what one rounding needs: two bits below the last place, and whether there were ones below them.
module float_align #(
    parameter int EXPONENT = 8,
    parameter int FRACTION = 23,
    parameter int FAULT = 0
) (
    input  logic        [EXPONENT-1:0] sum_exponent,
    input  logic        [  FRACTION:0] sum,
    input  logic signed [EXPONENT+1:0] term_exponent,
    input  logic        [  FRACTION:0] term,              // zero or with a leading one, or subnormal under the exponent 1
    output logic                       sum_stays,
    output logic        [  EXPONENT:0] exponent,
    output logic        [FRACTION+3:0] stays,
    output logic        [FRACTION+3:0] moves
);
  localparam int Amount = $clog2(FRACTION + 4);
  logic signed [EXPONENT+2:0] distance, size;
  logic is_far;
  assign distance = (EXPONENT + 3)'(signed'({3'b000, sum_exponent})) - (EXPONENT + 3)'(term_exponent);
  // A zero brings no exponent.
  assign sum_stays = distance >= 0 || term == '0;
  assign size = distance[EXPONENT+2] ? -distance : distance;
  assign is_far = size > (EXPONENT + 3)'(FRACTION + 3);
  assign exponent = sum_stays ? {1'b0, sum_exponent} : term_exponent[EXPONENT:0];
  assign stays = {sum_stays ? sum : term, 3'b000};
  float_shift #(
      .WIDTH(FRACTION + 4),
      .AMOUNT(Amount),
      .FAULT(FAULT)
  ) shift (
      .in({sum_stays ? term : sum, 3'b000}),
      .amount(is_far ? Amount'(FRACTION + 3) : size[Amount-1:0]),
      .out(moves)
  );
endmodule
