// A sum of integers and a product, modulo 2^SUM_WIDTH. The multiplier is written out: Yosys 0.23 merges
// `accumulator + activation * weight` into one signed sum as wide as the accumulator, which costs more than multiplier and adder apart.
module int_mac #(
    parameter int DATA_WIDTH = 8,
    parameter int SUM_WIDTH = 32
) (
    input  logic signed [DATA_WIDTH-1:0] activation,
    input  logic signed [DATA_WIDTH-1:0] weight,
    input  logic signed [ SUM_WIDTH-1:0] accumulator,
    output logic signed [ SUM_WIDTH-1:0] sum
);
  logic signed [2*DATA_WIDTH-1:0] product;
  int_multiply #(
      .WIDTH(DATA_WIDTH)
  ) multiply (
      .left(activation),
      .right(weight),
      .product
  );
  assign sum = accumulator + SUM_WIDTH'(product);
endmodule
