// A processing element of the weight-stationary array: LATENCY - 1 stages behind the multiplier, then an adder of one stage.
module ws_pe #(
    parameter int DATA_WIDTH = 8,
    parameter int SUM_WIDTH = 32,
    parameter int LATENCY = 1,
    parameter bit HAS_SHADOW = 1
) (
    input logic clock,
    input logic reset,
    input logic enable,
    input logic swap,  // the first activation of a fold is here: take the shadow weight
    input logic load,  // the chain takes the weight from above
    input logic signed [DATA_WIDTH-1:0] activation,
    input logic signed [DATA_WIDTH-1:0] weight_above,
    input logic signed [SUM_WIDTH-1:0] sum_above,
    output logic signed [DATA_WIDTH-1:0] activation_right,
    output logic signed [DATA_WIDTH-1:0] weight_below,
    output logic signed [SUM_WIDTH-1:0] sum,  // before its register: what the last row gives to the accumulators
    output logic signed [SUM_WIDTH-1:0] sum_below
);
  logic signed [DATA_WIDTH-1:0] chain;
  logic signed [DATA_WIDTH-1:0] weight;
  logic signed [ SUM_WIDTH-1:0] product;

  if (HAS_SHADOW) begin : shadowed
    logic signed [DATA_WIDTH-1:0] held;
    assign weight = swap ? chain : held;
    always_ff @(posedge clock) if (enable) held <= weight;
  end else begin : single
    assign weight = chain;
    logic unused;
    assign unused = &{1'b0, swap};
  end

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
  assign sum = sum_above + product;
  assign weight_below = chain;

  always_ff @(posedge clock)
    if (enable) begin
      activation_right <= activation;
      sum_below <= sum;
      if (load) chain <= weight_above;
    end
endmodule
