// A processing element of the output-stationary array: LATENCY - 1 stages behind the multiplier, then an accumulator.
module os_pe #(
    parameter int DATA_WIDTH = 8,
    parameter int SUM_WIDTH = 32,
    parameter int LATENCY = 1,
    parameter bit HAS_OUTPUT = 1
) (
    input logic clock,
    input logic reset,
    input logic enable,
    input logic last,  // the product that is added now is the fold's last: the sum moves to the output register
    input logic shift,  // results move down
    input logic signed [DATA_WIDTH-1:0] activation,
    input logic signed [DATA_WIDTH-1:0] weight,
    input logic signed [SUM_WIDTH-1:0] result_above,
    output logic signed [DATA_WIDTH-1:0] activation_right,
    output logic signed [DATA_WIDTH-1:0] weight_below,
    output logic signed [SUM_WIDTH-1:0] result_below
);
  logic signed [SUM_WIDTH-1:0] product, accumulator, sum;

  delay #(
      .WIDTH(SUM_WIDTH),
      .DEPTH(LATENCY - 1)
  ) stages (
      .clock,
      .reset,
      .enable,
      .in (SUM_WIDTH'(activation) * SUM_WIDTH'(weight)),
      .out(product)
  );
  assign sum = accumulator + product;

  always_ff @(posedge clock)
    if (enable) begin
      activation_right <= activation;
      weight_below <= weight;
    end

  if (HAS_OUTPUT) begin : overlapped
    always_ff @(posedge clock)
      if (reset) accumulator <= '0;
      else if (enable) begin
        accumulator <= last ? '0 : sum;
        // New results may come in the last cycle of the old ones' way down.
        if (last) result_below <= sum;
        else if (shift) result_below <= result_above;
      end
  end else begin : serial
    always_ff @(posedge clock)
      if (reset) accumulator <= '0;
      else if (enable) accumulator <= shift ? result_above : sum;
    assign result_below = accumulator;
    logic unused;
    assign unused = &{1'b0, last};
  end
endmodule
