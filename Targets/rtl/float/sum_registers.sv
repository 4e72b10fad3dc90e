// The registers of an output-stationary element, as os_pe has them: operands on their way, the sum, and with HAS_OUTPUT the results.
module sum_registers #(
    parameter int DATA_WIDTH = 8,
    parameter int SUM_WIDTH = 32,
    parameter bit HAS_OUTPUT = 1
) (
    input logic clock,
    input logic reset,
    input logic enable,
    input logic last,
    input logic shift,
    input logic [DATA_WIDTH-1:0] activation,
    input logic [DATA_WIDTH-1:0] weight,
    input logic [SUM_WIDTH-1:0] sum,
    input logic [SUM_WIDTH-1:0] result_above,
    output logic [SUM_WIDTH-1:0] accumulator,
    output logic [DATA_WIDTH-1:0] activation_right,
    output logic [DATA_WIDTH-1:0] weight_below,
    output logic [SUM_WIDTH-1:0] result_below
);
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
