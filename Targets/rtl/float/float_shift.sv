// A shift to the right that remembers in its lowest bit whether ones fell off.
module float_shift #(
    parameter int WIDTH = 14,
    parameter int AMOUNT = 4,
    parameter int FAULT = 0
) (
    input  logic [ WIDTH-1:0] in,
    input  logic [AMOUNT-1:0] amount,
    output logic [ WIDTH-1:0] out
);
  logic [WIDTH-1:0] moved;
  logic lost;
  always_comb begin
    moved = in;
    lost  = 1'b0;
    for (int k = 0; k < AMOUNT; k++)
      if (amount[k]) begin
        lost  = lost || (moved & ((WIDTH'(1) << (1 << k)) - WIDTH'(1))) != '0;
        moved = moved >> (1 << k);
      end
  end
  assign out = {moved[WIDTH-1:1], moved[0] || (lost && FAULT != 2)};
endmodule
