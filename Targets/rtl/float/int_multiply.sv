// The product of two signed integers as a sum of unsigned rows (Baugh and Wooley): the bits of negative weight are inverted, and one
// constant makes up for it, so that no row carries a sign extension.
module int_multiply #(
    parameter int WIDTH = 8
) (
    input  logic signed [  WIDTH-1:0] left,
    input  logic signed [  WIDTH-1:0] right,
    output logic signed [2*WIDTH-1:0] product
);
  localparam logic [2*WIDTH-1:0] Constant = ((2 * WIDTH)'(1) << (2 * WIDTH - 1)) + ((2 * WIDTH)'(1) << WIDTH);
  localparam logic [WIDTH-1:0] Sign = WIDTH'(1) << (WIDTH - 1);
  logic [WIDTH-1:0] row;
  always_comb begin
    row = '0;
    product = Constant;
    for (int i = 0; i < WIDTH; i++) begin
      row = (left & {WIDTH{right[i]}}) ^ (i == WIDTH - 1 ? ~Sign : Sign);
      product = product + ((2 * WIDTH)'(row) << i);
    end
  end
endmodule
