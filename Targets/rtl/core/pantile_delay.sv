// A byte, so many machine cycles late: one place of the triangle of registers at an array's edge.
module pantile_delay #(
    parameter int CYCLES = 1
) (
    input logic clk,
    input logic act,
    input logic [7:0] early,
    output logic [7:0] late
);
  if (CYCLES == 0) begin : gen_wire
    assign late = early;
    logic unused;
    assign unused = clk ^ act;
  end else begin : gen_chain
    logic [CYCLES-1:0][7:0] held;
    assign late = held[CYCLES-1];
    always_ff @(posedge clk)
      if (act)
        for (int i = 0; i < CYCLES; i++) held[i] <= i == 0 ? early : held[i>0?i-1 : 0];
  end
endmodule
