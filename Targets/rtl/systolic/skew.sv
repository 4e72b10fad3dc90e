// Triangular skew registers: lane i of the vector is seen i cycles later.
module skew #(
    parameter int LANES = 4,
    parameter int WIDTH = 8,
    parameter int FAULT = 0   // 4: the last lane is one register short
) (
    input  logic                   clock,
    input  logic                   reset,
    input  logic                   enable,
    input  logic [LANES*WIDTH-1:0] in,
    output logic [LANES*WIDTH-1:0] out
);
  for (genvar i = 0; i < LANES; i++) begin : lane
    delay #(
        .WIDTH(WIDTH),
        .DEPTH(FAULT == 4 && i == LANES - 1 && i > 0 ? i - 1 : i)
    ) registers (
        .clock,
        .reset,
        .enable,
        .in (in[i*WIDTH+:WIDTH]),
        .out(out[i*WIDTH+:WIDTH])
    );
  end
endmodule
