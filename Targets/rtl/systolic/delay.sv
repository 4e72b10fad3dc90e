// A vector some cycles later; DEPTH 0 is a wire. Starts at zero.
module delay #(
    parameter int WIDTH = 1,
    parameter int DEPTH = 1
) (
    input  logic             clock,
    input  logic             reset,
    input  logic             enable,
    input  logic [WIDTH-1:0] in,
    output logic [WIDTH-1:0] out
);
  if (DEPTH == 0) begin : wire_only
    assign out = in;
    logic unused;
    assign unused = &{1'b0, clock, reset, enable};
  end else begin : registers
    logic [WIDTH-1:0] stage[DEPTH];
    always_ff @(posedge clock)
      if (reset) begin
        for (int i = 0; i < DEPTH; i++) stage[i] <= '0;
      end else if (enable) begin
        stage[0] <= in;
        for (int i = 1; i < DEPTH; i++) stage[i] <= stage[i-1];
      end
    assign out = stage[DEPTH-1];
  end
endmodule
