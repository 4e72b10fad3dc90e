// The grid of the weight-stationary array. VARIANT 0: serial, 1: overlapped, 2: skewed.
//
// load_active[c], load_first[c]: column c takes a weight in this cycle, and whether it is the first of a load. Rows of a skewed
// column start one after another behind the first; all others shift at once.
module ws_array #(
    parameter int ROWS = 4,
    parameter int COLUMNS = 4,
    parameter int DATA_WIDTH = 8,
    parameter int SUM_WIDTH = 32,
    parameter int LATENCY = 1,
    parameter int VARIANT = 1,
    parameter int FAULT = 0  // 1, skewed: the wave moves one row ahead
) (
    input  logic                          clock,
    input  logic                          reset,
    input  logic                          enable,
    input  logic [        ROWS+COLUMNS-2:0] swap,          // PEs (r, c) with r + c = d
    input  logic [           COLUMNS-1:0] load_active,
    input  logic [           COLUMNS-1:0] load_first,
    input  logic [   ROWS*DATA_WIDTH-1:0] row_edge,
    input  logic [COLUMNS*DATA_WIDTH-1:0] column_edge,
    output logic [ COLUMNS*SUM_WIDTH-1:0] result
);
  // Column by column: what enters row r of column c, and what leaves.
  logic signed [DATA_WIDTH-1:0] activation[ROWS][COLUMNS+1];
  logic signed [DATA_WIDTH-1:0] weight[ROWS+1][COLUMNS];
  logic signed [SUM_WIDTH-1:0] sum[ROWS][COLUMNS];
  logic signed [SUM_WIDTH-1:0] below[ROWS+1][COLUMNS];
  logic load[ROWS][COLUMNS];

  for (genvar c = 0; c < COLUMNS; c++) begin : column
    assign weight[0][c] = column_edge[c*DATA_WIDTH+:DATA_WIDTH];
    assign below[0][c]  = '0;
    assign load[0][c]   = load_active[c];
    assign result[c*SUM_WIDTH+:SUM_WIDTH] = sum[ROWS-1][c];
    for (genvar r = 1; r < ROWS; r++) begin : wave
      if (VARIANT != 2 || (FAULT == 1 && r == 1)) begin : at_once
        assign load[r][c] = load_active[c];
      end else begin : behind
        logic follows;
        always_ff @(posedge clock)
          if (reset) follows <= 1'b0;
          else if (enable) follows <= load[r-1][c];
        assign load[r][c] = follows && load_active[c] && !load_first[c];
      end
    end
  end

  for (genvar r = 0; r < ROWS; r++) begin : row
    assign activation[r][0] = row_edge[r*DATA_WIDTH+:DATA_WIDTH];
    for (genvar c = 0; c < COLUMNS; c++) begin : element
      ws_pe #(
          .DATA_WIDTH(DATA_WIDTH),
          .SUM_WIDTH(SUM_WIDTH),
          .LATENCY(LATENCY),
          .HAS_SHADOW(VARIANT != 0)
      ) pe (
          .clock,
          .reset,
          .enable,
          .swap(swap[r+c]),
          .load(load[r][c]),
          .activation(activation[r][c]),
          .weight_above(weight[r][c]),
          .sum_above(below[r][c]),
          .activation_right(activation[r][c+1]),
          .weight_below(weight[r+1][c]),
          .sum(sum[r][c]),
          .sum_below(below[r+1][c])
      );
    end
  end

  // What leaves at the right and lower edges goes nowhere; only serial and overlapped columns know no first weight.
  logic unused;
  always_comb begin
    unused = &{1'b0, load_first};
    for (int r = 0; r < ROWS; r++) unused &= &activation[r][COLUMNS];
    for (int c = 0; c < COLUMNS; c++) unused &= &{weight[ROWS][c], below[ROWS][c]};
  end
endmodule
