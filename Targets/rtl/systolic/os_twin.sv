// The RTL twin of the output-stationary systolic array: fold sequencer, skew registers, array, drain.
//
// Machine contract: as ws_twin, but for
// - Folds: rows of the result outside, columns inside. A fold streams k products, then its results leave, the last row first.
// - Serial: all columns drain together, ROWS cycles, once the last element is done; the next fold starts after the last result.
// - Overlapped: column c drains once its last row is done. A fold owns a slot of max(k, 2 ROWS - 1) cycles and waits at its head.
// - Ports: A[row_base + lane][row_beat], B[column_beat][column_base + lane], accumulator [acc_row[c]][acc_base[c] + c].
module os_twin #(
    parameter int ROWS = 4,
    parameter int COLUMNS = 4,
    parameter int DATA_WIDTH = 8,
    parameter int SUM_WIDTH = 32,
    parameter int LATENCY = 1,
    parameter int VARIANT = 1,  // 0: serial, 1: overlapped
    parameter int FAULT = 0     // an interval that is one cycle short; see SystolicStepper.Fault
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
  localparam int STAGES = (FAULT == 5 && LATENCY > 1) ? LATENCY - 2 : LATENCY - 1;
  localparam int TAPS = ROWS + COLUMNS - 1 + STAGES;
  localparam int SLOT = 2 * ROWS - 1 - ((FAULT == 6) ? 1 : 0);

  logic [15:0] m_held, k_held, n_held;
  logic accumulates;

  // Next fold, and the fold in its slot.
  logic more, active;
  logic [15:0] next_m, next_n;
  logic [15:0] fold_m, fold_n, step, left;

  // The tag of each wavefront: {n, m, last, valid}.
  localparam int TAG = 34;
  logic [TAPS*TAG-1:0] tags, past_tags;
  logic [TAPS-1:0] valid, last;
  // Rows that column c has still to shift out, and whose.
  logic [15:0] drain_left[COLUMNS];
  logic [15:0] drain_m[COLUMNS];
  logic [15:0] drain_n[COLUMNS];

  logic draining, pending;
  always_comb begin
    draining = 1'b0;
    for (int c = 0; c < COLUMNS; c++)
      draining |= drain_left[c] > ((FAULT == 7 && VARIANT == 0) ? 16'd1 : 16'd0);
    pending = 1'b0;
    for (int d = 1; d < TAPS; d++) pending |= past_tags[(d-1)*TAG+1];
  end

  // Controller.
  logic begins, flows, is_last_beat;
  logic [15:0] m_now, n_now, step_now, wait_now;
  assign begins = !active && more && (VARIANT != 0 || !(pending || draining));
  assign m_now = begins ? next_m : fold_m;
  assign n_now = begins ? next_n : fold_n;
  assign step_now = begins ? 16'd0 : step;
  assign wait_now = !begins ? left : (VARIANT != 0 && k_held < 16'(SLOT)) ? 16'(SLOT) - k_held : 16'd0;
  assign flows = (active || begins) && wait_now == 16'd0;
  assign is_last_beat = step_now + 16'd1 >= k_held - 16'(FAULT == 3 && k_held > 16'd1);

  logic drains;
  always_comb begin
    drains = 1'b0;
    for (int c = 0; c < COLUMNS; c++) drains |= drain_left[c] != 16'd0;
  end
  assign busy = more || active || pending || drains;

  always_ff @(posedge clock)
    if (reset) begin
      more   <= 1'b0;
      active <= 1'b0;
    end else if (enable) begin
      if (start && !busy) begin
        m_held <= m;
        k_held <= k;
        n_held <= n;
        accumulates <= accumulate;
        more   <= 1'b1;
        next_m <= 16'd0;
        next_n <= 16'd0;
      end
      if (begins) begin
        fold_m <= next_m;
        fold_n <= next_n;
        if (next_n + 16'(COLUMNS) < n_held) next_n <= next_n + 16'(COLUMNS);
        else begin
          next_n <= 16'd0;
          next_m <= next_m + 16'(ROWS);
          more   <= next_m + 16'(ROWS) < m_held;
        end
      end
      if (active || begins) begin
        active <= !(flows && is_last_beat);
        step   <= flows ? step_now + 16'd1 : step_now;
        left   <= flows ? 16'd0 : wait_now - 16'd1;
      end
    end

  // Edges.
  assign row_read = flows;
  assign row_beat = step_now;
  assign row_base = m_now;
  assign column_read = flows;
  assign column_beat = step_now;
  assign column_base = n_now;
  logic [ROWS*DATA_WIDTH-1:0] row_in;
  logic [COLUMNS*DATA_WIDTH-1:0] column_in;
  for (genvar r = 0; r < ROWS; r++) begin : row_mask
    assign row_in[r*DATA_WIDTH+:DATA_WIDTH] =
        flows && m_now + 16'(r) < m_held ? row_data[r*DATA_WIDTH+:DATA_WIDTH] : '0;
    assign row_valid[r] = valid[r];
  end
  for (genvar c = 0; c < COLUMNS; c++) begin : column_mask
    assign column_in[c*DATA_WIDTH+:DATA_WIDTH] =
        flows && n_now + 16'(c) < n_held ? column_data[c*DATA_WIDTH+:DATA_WIDTH] : '0;
    assign column_valid[c] = valid[c];
  end
  skew #(
      .LANES(ROWS),
      .WIDTH(DATA_WIDTH),
      .FAULT(FAULT)
  ) row_skew (
      .clock,
      .reset,
      .enable,
      .in (row_in),
      .out(row_edge)
  );
  skew #(
      .LANES(COLUMNS),
      .WIDTH(DATA_WIDTH),
      .FAULT(FAULT)
  ) column_skew (
      .clock,
      .reset,
      .enable,
      .in (column_in),
      .out(column_edge)
  );
  wave #(
      .WIDTH (TAG),
      .PLACES(TAPS)
  ) beat_wave (
      .clock,
      .reset,
      .enable,
      .in({n_now, m_now, flows && is_last_beat, flows}),
      .place(tags),
      .past(past_tags)
  );
  for (genvar d = 0; d < TAPS; d++) begin : place
    assign {last[d], valid[d]} = tags[d*TAG+:2];
  end
  logic unused;
  assign unused = &{1'b0, tags, past_tags, valid};

  os_array #(
      .ROWS(ROWS),
      .COLUMNS(COLUMNS),
      .DATA_WIDTH(DATA_WIDTH),
      .SUM_WIDTH(SUM_WIDTH),
      .LATENCY(STAGES + 1),
      .VARIANT(VARIANT)
  ) array (
      .clock,
      .reset,
      .enable,
      .last(last[STAGES+:ROWS+COLUMNS-1]),
      .shift(result_valid),
      .row_edge,
      .column_edge,
      .result
  );

  // Drain: a column starts in the cycle after its last row is done; serial: all after the last element.
  for (genvar c = 0; c < COLUMNS; c++) begin : lower_edge
    localparam int DONE = STAGES + ROWS - 1 + ((VARIANT == 0) ? COLUMNS - 1 : c);
    localparam int PLACE = (FAULT == 8 && ROWS > 1) ? DONE - 1 : DONE;
    always_ff @(posedge clock)
      if (reset) drain_left[c] <= 16'd0;
      else if (enable) begin
        if (last[PLACE]) begin
          drain_left[c] <= 16'(ROWS);
          {drain_n[c], drain_m[c]} <= tags[PLACE*TAG+2+:TAG-2];
        end else if (drain_left[c] != 16'd0) drain_left[c] <= drain_left[c] - 16'd1;
      end
    assign result_valid[c] = drain_left[c] != 16'd0;
    assign acc_row[c*16+:16] = drain_m[c] + drain_left[c] - 16'd1;
    assign acc_base[c*16+:16] = drain_n[c];
    assign acc_write[c] = result_valid[c] && acc_row[c*16+:16] < m_held && drain_n[c] + 16'(c) < n_held;
    assign acc_read[c] = acc_write[c] && accumulates;
    assign acc_new[c*SUM_WIDTH+:SUM_WIDTH] =
        result[c*SUM_WIDTH+:SUM_WIDTH] + (acc_read[c] ? acc_old[c*SUM_WIDTH+:SUM_WIDTH] : '0);
  end
endmodule
