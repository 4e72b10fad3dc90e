// The RTL twin of the weight-stationary systolic array: fold sequencer, skew registers, array.
//
// Machine contract
// - `start` for one cycle takes m, k, n, accumulate; `busy` is high from the next cycle until the last result has been written.
// - `enable` low freezes every register; a frozen cycle is a cycle in which nothing happens.
// - Operand ports read a vector a cycle and give it in the cycle of the address (the memory is a register file, or has been
//   addressed one cycle ahead). Lanes beyond the operand may carry anything: they enter the array as zeros.
// - Column c that writes adds result to what acc_old carries in the same cycle when it also reads; the write is visible at the
//   cycle's end.
// - Folds: columns of the result outside, reduction inside. A fold loads ROWS weight rows, the last first, and streams m rows.
//   Serial: a fold starts when the last result of the one before has left. Otherwise a load starts when the chain is free (see
//   chain_released) and the running stream has at most ROWS rows left, and a stream starts when its weights stand and the running
//   one is done.
module ws_twin #(
    parameter int ROWS = 4,
    parameter int COLUMNS = 4,
    parameter int DATA_WIDTH = 8,
    parameter int SUM_WIDTH = 32,
    parameter int LATENCY = 1,
    parameter int VARIANT = 1,  // 0: serial, 1: overlapped, 2: skewed
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
    // Operand that streams: A[row_beat][row_base + lane].
    output logic                          row_read,
    output logic [                  15:0] row_beat,
    output logic [                  15:0] row_base,
    input  logic [   ROWS*DATA_WIDTH-1:0] row_data,
    // Operand that stays: B[column_beat][column_base + lane].
    output logic                          column_read,
    output logic [                  15:0] column_beat,
    output logic [                  15:0] column_base,
    input  logic [COLUMNS*DATA_WIDTH-1:0] column_data,
    // Accumulators: column c has word [acc_row[c]][acc_base[c] + c].
    output logic [           COLUMNS-1:0] acc_write,
    output logic [           COLUMNS-1:0] acc_read,
    output logic [        COLUMNS*16-1:0] acc_row,
    output logic [        COLUMNS*16-1:0] acc_base,
    input  logic [ COLUMNS*SUM_WIDTH-1:0] acc_old,
    output logic [ COLUMNS*SUM_WIDTH-1:0] acc_new,
    // What passes the array's edges, for comparison.
    output logic [              ROWS-1:0] row_valid,
    output logic [   ROWS*DATA_WIDTH-1:0] row_edge,
    output logic [           COLUMNS-1:0] column_valid,
    output logic [COLUMNS*DATA_WIDTH-1:0] column_edge,
    output logic [           COLUMNS-1:0] result_valid,
    output logic [ COLUMNS*SUM_WIDTH-1:0] result
);
  localparam int STAGES = (FAULT == 5 && LATENCY > 1) ? LATENCY - 2 : LATENCY - 1;
  // Places of the wave that follows a streamed row to the last column's accumulator.
  localparam int TAPS = ROWS + COLUMNS - 1 + STAGES;
  localparam int LOADS = (FAULT == 2 && ROWS > 1) ? ROWS - 1 : ROWS;

  logic [15:0] m_held, k_held, n_held;
  logic accumulates;

  // Next fold to load.
  logic more;
  logic [15:0] next_k, next_n;
  // Fold in the loader, whose weights then stand in the chain.
  logic loading, standing;
  logic [15:0] load_step, load_k, load_n;
  // Fold that streams.
  logic streaming;
  logic [15:0] stream_row, stream_k, stream_n;

  // The tag of each streamed row: {reads, n, row, swap, valid}.
  localparam int TAG = 35;
  logic [TAPS*TAG-1:0] tags, past_tags;
  logic [TAPS-1:0] valid, swap;

  // Stream control.
  logic begins, flows;
  assign begins = !streaming && standing;
  assign flows  = streaming || begins;
  logic [15:0] row_now, k_now, n_now;
  assign row_now = begins ? 16'd0 : stream_row;
  assign k_now = begins ? load_k : stream_k;
  assign n_now = begins ? load_n : stream_n;
  logic is_last_row;
  assign is_last_row = row_now + 16'd1 >= m_held - 16'(FAULT == 3 && m_held > 16'd1);

  // Load control.
  logic in_flight, leaving;
  logic may_load, loads;
  always_comb begin
    // Rows whose results have not all left; when the turn is short, the last result's cycle counts as left.
    leaving   = 1'b0;
    in_flight = 1'b0;
    for (int d = 1; d < TAPS; d++) in_flight |= past_tags[(d-1)*TAG] && (FAULT != 7 || d < TAPS - 1);
    for (int d = 1; d < TAPS; d++) leaving |= past_tags[(d-1)*TAG];
  end
  if (VARIANT == 0) begin : serial
    assign may_load = !flows && !in_flight;
  end else begin : overlapped
    // All rows shift at once, so the swap wave must be at the last PE; a skewed load follows right behind the wave.
    localparam int FARTHEST = ROWS + COLUMNS - 2 - ((FAULT == 1 && ROWS + COLUMNS > 2) ? 1 : 0);
    localparam int RELEASE = VARIANT == 2 ? 0 : FARTHEST;
    logic chain_held;
    assign may_load = (!chain_held || swap[RELEASE]) && (!flows || m_held - row_now <= 16'(ROWS));
    always_ff @(posedge clock)
      if (reset) chain_held <= 1'b0;
      else if (enable) chain_held <= loads || (chain_held && !swap[RELEASE]);
  end
  assign loads = loading || (more && may_load && (!standing || begins));
  logic [15:0] step_now, load_k_now, load_n_now;
  assign step_now = loading ? load_step : 16'd0;
  assign load_k_now = loading ? load_k : next_k;
  assign load_n_now = loading ? load_n : next_n;

  assign busy = more || loading || standing || streaming || leaving;

  always_ff @(posedge clock)
    if (reset) begin
      more <= 1'b0;
      loading <= 1'b0;
      standing <= 1'b0;
      streaming <= 1'b0;
    end else if (enable) begin
      if (start && !busy) begin
        m_held <= m;
        k_held <= k;
        n_held <= n;
        accumulates <= accumulate;
        more <= 1'b1;
        next_k <= 16'd0;
        next_n <= 16'd0;
      end
      if (flows) begin
        streaming  <= !is_last_row;
        stream_row <= row_now + 16'd1;
        stream_k   <= k_now;
        stream_n   <= n_now;
      end
      if (begins) standing <= 1'b0;
      if (loads) begin
        loading <= step_now + 16'd1 < 16'(LOADS);
        load_step <= step_now + 16'd1;
        load_k <= load_k_now;
        load_n <= load_n_now;
        if (step_now + 16'd1 >= 16'(LOADS)) standing <= 1'b1;
        if (!loading) begin
          if (next_k + 16'(ROWS) < k_held) next_k <= next_k + 16'(ROWS);
          else begin
            next_k <= 16'd0;
            next_n <= next_n + 16'(COLUMNS);
            more   <= next_n + 16'(COLUMNS) < n_held;
          end
        end
      end
    end

  // Row side.
  assign row_read = flows;
  assign row_beat = row_now;
  assign row_base = k_now;
  logic [ROWS*DATA_WIDTH-1:0] row_in;
  for (genvar r = 0; r < ROWS; r++) begin : row_mask
    assign row_in[r*DATA_WIDTH+:DATA_WIDTH] =
        flows && k_now + 16'(r) < k_held ? row_data[r*DATA_WIDTH+:DATA_WIDTH] : '0;
    assign row_valid[r] = valid[r];
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

  // Column side.
  assign column_beat = load_k_now + 16'(ROWS - 1) - step_now;
  assign column_base = load_n_now;
  assign column_read = loads && column_beat < k_held;
  logic [COLUMNS*DATA_WIDTH-1:0] column_in;
  for (genvar c = 0; c < COLUMNS; c++) begin : column_mask
    assign column_in[c*DATA_WIDTH+:DATA_WIDTH] =
        column_read && column_base + 16'(c) < n_held ? column_data[c*DATA_WIDTH+:DATA_WIDTH] : '0;
  end
  logic [COLUMNS-1:0] load_active, load_first;
  if (VARIANT == 2) begin : skewed_load
    skew #(
        .LANES(COLUMNS),
        .WIDTH(DATA_WIDTH)
    ) column_skew (
        .clock,
        .reset,
        .enable,
        .in (column_in),
        .out(column_edge)
    );
    logic [2*COLUMNS-1:0] beats, past_beats;
    wave #(
        .WIDTH (2),
        .PLACES(COLUMNS)
    ) load_wave (
        .clock,
        .reset,
        .enable,
        .in({loads && step_now == 16'd0, loads}),
        .place(beats),
        .past(past_beats)
    );
    for (genvar c = 0; c < COLUMNS; c++) begin : column_beats
      assign {load_first[c], load_active[c]} = beats[2*c+:2];
    end
    logic unused_beats;
    assign unused_beats = &{1'b0, past_beats};
  end else begin : broadcast_load
    assign column_edge = column_in;
    assign load_active = {COLUMNS{loads}};
    assign load_first  = '0;
  end
  assign column_valid = load_active;

  wave #(
      .WIDTH (TAG),
      .PLACES(TAPS)
  ) row_wave (
      .clock,
      .reset,
      .enable,
      .in({accumulates || k_now != 16'd0, n_now, row_now, begins, flows}),
      .place(tags),
      .past(past_tags)
  );
  for (genvar d = 0; d < TAPS; d++) begin : place
    assign {swap[d], valid[d]} = tags[d*TAG+:2];
  end
  // Only the places under the lower edge need row and column.
  logic unused;
  assign unused = &{1'b0, tags, past_tags, swap};

  ws_array #(
      .ROWS(ROWS),
      .COLUMNS(COLUMNS),
      .DATA_WIDTH(DATA_WIDTH),
      .SUM_WIDTH(SUM_WIDTH),
      .LATENCY(STAGES + 1),
      .VARIANT(VARIANT),
      .FAULT(FAULT)
  ) array (
      .clock,
      .reset,
      .enable,
      .swap(swap[ROWS+COLUMNS-2:0]),
      .load_active,
      .load_first,
      .row_edge,
      .column_edge,
      .result
  );

  for (genvar c = 0; c < COLUMNS; c++) begin : lower_edge
    localparam int PLACE = ROWS - 1 + STAGES + c;
    logic reads;
    logic [15:0] base;
    assign {reads, base, acc_row[c*16+:16]} = tags[PLACE*TAG+2+:TAG-2];
    assign result_valid[c] = valid[PLACE];
    assign acc_write[c] = valid[PLACE] && base + 16'(c) < n_held;
    assign acc_read[c] = acc_write[c] && reads;
    assign acc_base[c*16+:16] = base;
    assign acc_new[c*SUM_WIDTH+:SUM_WIDTH] =
        result[c*SUM_WIDTH+:SUM_WIDTH] + (acc_read[c] ? acc_old[c*SUM_WIDTH+:SUM_WIDTH] : '0);
  end
endmodule
