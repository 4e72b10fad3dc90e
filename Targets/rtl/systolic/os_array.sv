// The grid of the output-stationary array. VARIANT 0: serial, 1: overlapped.
module os_array #(
    parameter int ROWS = 4,
    parameter int COLUMNS = 4,
    parameter int DATA_WIDTH = 8,
    parameter int SUM_WIDTH = 32,
    parameter int LATENCY = 1,
    parameter int VARIANT = 1
) (
    input  logic                          clock,
    input  logic                          reset,
    input  logic                          enable,
    input  logic [        ROWS+COLUMNS-2:0] last,         // PEs (r, c) with r + c = d
    input  logic [           COLUMNS-1:0] shift,
    input  logic [   ROWS*DATA_WIDTH-1:0] row_edge,
    input  logic [COLUMNS*DATA_WIDTH-1:0] column_edge,
    output logic [ COLUMNS*SUM_WIDTH-1:0] result
);
  // What enters row r of column c, and what leaves.
  logic signed [DATA_WIDTH-1:0] activation[ROWS][COLUMNS+1];
  logic signed [DATA_WIDTH-1:0] weight[ROWS+1][COLUMNS];
  logic signed [SUM_WIDTH-1:0] down[ROWS+1][COLUMNS];

  for (genvar c = 0; c < COLUMNS; c++) begin : column
    assign weight[0][c] = column_edge[c*DATA_WIDTH+:DATA_WIDTH];
    // Zeros follow the results, which clears the accumulators of the serial variant.
    assign down[0][c]   = '0;
    assign result[c*SUM_WIDTH+:SUM_WIDTH] = down[ROWS][c];
  end

  for (genvar r = 0; r < ROWS; r++) begin : row
    assign activation[r][0] = row_edge[r*DATA_WIDTH+:DATA_WIDTH];
    for (genvar c = 0; c < COLUMNS; c++) begin : element
      os_pe #(
          .DATA_WIDTH(DATA_WIDTH),
          .SUM_WIDTH(SUM_WIDTH),
          .LATENCY(LATENCY),
          .HAS_OUTPUT(VARIANT != 0)
      ) pe (
          .clock,
          .reset,
          .enable,
          .last(last[r+c]),
          .shift(shift[c]),
          .activation(activation[r][c]),
          .weight(weight[r][c]),
          .result_above(down[r][c]),
          .activation_right(activation[r][c+1]),
          .weight_below(weight[r+1][c]),
          .result_below(down[r+1][c])
      );
    end
  end

  // What leaves at the right and lower edges goes nowhere.
  logic unused;
  always_comb begin
    unused = 1'b0;
    for (int r = 0; r < ROWS; r++) unused &= &activation[r][COLUMNS];
    for (int c = 0; c < COLUMNS; c++) unused &= &weight[ROWS][c];
  end
endmodule
