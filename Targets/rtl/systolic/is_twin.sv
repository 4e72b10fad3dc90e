// The RTL twin of the input-stationary array: the weight-stationary one with its operands exchanged. Rows carry K, columns carry M,
// N streams: C^T = B^T A^T. Ports as in ws_twin, but the streaming operand is B[row_base + lane][row_beat], the operand that stays
// is A[column_base + lane][column_beat], and column c has accumulator [acc_base[c] + c][acc_row[c]].
module is_twin #(
    parameter int ROWS = 4,
    parameter int COLUMNS = 4,
    parameter int DATA_WIDTH = 8,
    parameter int SUM_WIDTH = 32,
    parameter int LATENCY = 1,
    parameter int VARIANT = 1,
    parameter int FAULT = 0
) (
    input  logic                          clock,
    input  logic                          reset,
    input  logic                          enable,
    input  logic                          start,
    input  logic [                  15:0] m,
    input  logic [                  15:0] k,
    input  logic [                  15:0] n,
    input  logic                          accumulate,
    output logic                          busy,
    output logic                          row_read,
    output logic [                  15:0] row_beat,
    output logic [                  15:0] row_base,
    input  logic [   ROWS*DATA_WIDTH-1:0] row_data,
    output logic                          column_read,
    output logic [                  15:0] column_beat,
    output logic [                  15:0] column_base,
    input  logic [COLUMNS*DATA_WIDTH-1:0] column_data,
    output logic [           COLUMNS-1:0] acc_write,
    output logic [           COLUMNS-1:0] acc_read,
    output logic [        COLUMNS*16-1:0] acc_row,
    output logic [        COLUMNS*16-1:0] acc_base,
    input  logic [ COLUMNS*SUM_WIDTH-1:0] acc_old,
    output logic [ COLUMNS*SUM_WIDTH-1:0] acc_new,
    output logic [              ROWS-1:0] row_valid,
    output logic [   ROWS*DATA_WIDTH-1:0] row_edge,
    output logic [           COLUMNS-1:0] column_valid,
    output logic [COLUMNS*DATA_WIDTH-1:0] column_edge,
    output logic [           COLUMNS-1:0] result_valid,
    output logic [ COLUMNS*SUM_WIDTH-1:0] result
);
  ws_twin #(
      .ROWS(ROWS),
      .COLUMNS(COLUMNS),
      .DATA_WIDTH(DATA_WIDTH),
      .SUM_WIDTH(SUM_WIDTH),
      .LATENCY(LATENCY),
      .VARIANT(VARIANT),
      .FAULT(FAULT)
  ) exchanged (
      .m(n),
      .n(m),
      .*
  );
endmodule
