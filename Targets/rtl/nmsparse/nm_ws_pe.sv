// A processing element of the weight-stationary N:M array: it takes the beat whose row number has counted down to zero, selects one of
// GROUP activations, multiplies, and adds to the sum from above. The adder's registers stand between the rows (nm_ws_array).
module nm_ws_pe #(
    parameter int GROUP = 4,
    parameter int INDEX_WIDTH = 2,
    parameter int STAGES = 0,  // registers behind the multiplier
    parameter bit HAS_SHADOW = 1
) (
    input  logic                    clock,
    input  logic                    reset,
    input  logic                    swap,        // a stream starts here
    input  logic                    beat_valid,
    input  logic [            15:0] beat_row,
    input  logic signed [      7:0] beat_value,
    input  logic [INDEX_WIDTH-1:0]  beat_index,
    input  logic [     GROUP*8-1:0] group,
    input  logic signed [     31:0] above,
    output logic signed [     31:0] sum
);
  logic signed [7:0] value, value_now;
  logic [INDEX_WIDTH-1:0] index, index_now;
  logic signed [7:0] activation;
  logic signed [15:0] exact, product;
  logic take;

  assign take = beat_valid && beat_row == 16'd0;
  assign activation = group[32'(index_now)*8+:8];
  assign exact = activation * value_now;
  delay #(
      .WIDTH(16),
      .DEPTH(STAGES)
  ) stages (
      .clock,
      .reset,
      .enable(1'b1),
      .in(exact),
      .out(product)
  );
  assign sum = above + 32'(product);

  always_ff @(posedge clock)
    if (reset) begin
      value <= '0;
      index <= '0;
    end else begin
      value <= HAS_SHADOW || !take ? value_now : beat_value;
      index <= HAS_SHADOW || !take ? index_now : beat_index;
    end

  if (HAS_SHADOW) begin : overlapped
    logic signed [7:0] shadow_value;
    logic [INDEX_WIDTH-1:0] shadow_index;
    always_ff @(posedge clock)
      if (reset) begin
        shadow_value <= '0;
        shadow_index <= '0;
      end else if (take) begin
        shadow_value <= beat_value;
        shadow_index <= beat_index;
      end
    assign value_now = swap ? shadow_value : value;
    assign index_now = swap ? shadow_index : index;
  end else begin : serial
    assign value_now = value;
    assign index_now = index;
    logic unused;
    assign unused = &{1'b0, swap};
  end
endmodule
