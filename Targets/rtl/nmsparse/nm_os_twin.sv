// The RTL twin of the output-stationary N:M array: fold sequencer, skew registers, array, drain.
//
// Machine contract:
// - Folds: rows of the result outside, columns inside; output channel c CONTEXTS + i lives in column c, context i.
// - The beats of a slot, one for each context, follow each other as the ports bring them; the next slot starts LATENCY cycles behind at
//   the earliest. A group of activations enters with the first slot of KEPT and stays at the left edge.
// - Ports fill one buffer each: a group or a beat enters in the cycle in which its last part comes; a fold begins with empty buffers.
// - Serial: all columns drain together once the last element is done; the next fold starts after the last result. Overlapped: column c
//   drains once its last row is done, a fold waits at its head until stream ends stand ROWS CONTEXTS + ROWS - 1 apart.
// - Results leave context after context, the last row first.
module nm_os_twin #(
    parameter int ROWS = 4,
    parameter int COLUMNS = 4,
    parameter int GROUP = 4,
    parameter int KEPT = 2,
    parameter int INDEX_WIDTH = 2,
    parameter int CONTEXTS = 1,
    parameter int LATENCY = 1,
    parameter int STAGES = 0,
    parameter int VARIANT = 1,          // 0: serial, 1: overlapped
    parameter int ACTIVATION_PORT = 0,  // activations a cycle; 0: no limit
    parameter int WEIGHT_PORT = 0,      // bits of values a cycle, and of indices unless they have a port of their own; 0: no limit
    parameter int METADATA_PORT = 0,    // bits of indices a cycle; 0: they share the weight port
    parameter int FAULT = 0             // an interval that is one cycle short; see NMFault
) (
    input  logic                           clock,
    input  logic                           reset,
    input  logic [                   15:0] m,
    input  logic [                   15:0] groups,  // of the reduction
    input  logic [                   15:0] n,
    output logic                           busy,
    output logic                           row_read,
    output logic [                   15:0] row_beat,      // group
    output logic [                   15:0] row_base,      // first row of the fold
    input  logic [       ROWS*GROUP*8-1:0] row_data,
    output logic                           column_read,
    output logic [                   15:0] column_beat,   // row of the stored weights
    output logic [                   15:0] column_group,
    output logic [                   15:0] column_base,   // first column of the fold
    output logic [                   15:0] column_context,
    input  logic [          COLUMNS*8-1:0] column_value,
    input  logic [COLUMNS*INDEX_WIDTH-1:0] column_index,
    output logic [            COLUMNS-1:0] acc_write,
    output logic [            COLUMNS-1:0] acc_read,
    output logic [         COLUMNS*16-1:0] acc_row,
    output logic [         COLUMNS*16-1:0] acc_column,
    output logic [               ROWS-1:0] row_valid,
    output logic [       ROWS*GROUP*8-1:0] row_edge,
    output logic [            COLUMNS-1:0] column_valid,
    output logic [          COLUMNS*8-1:0] value_edge,
    output logic [COLUMNS*INDEX_WIDTH-1:0] index_edge,
    output logic [            COLUMNS-1:0] result_valid,
    output logic [         COLUMNS*32-1:0] result
);
  localparam int DISTANCE = LATENCY - (FAULT == 7 ? 1 : 0);  // of uses of a context

  // What the ports have to bring, and the cycles that the controller is set to.
  localparam int ELEMENTS = ROWS * GROUP;
  localparam int INDEX_BITS = METADATA_PORT == 0 ? 0 : COLUMNS * $clog2(GROUP);
  localparam int BEAT_BITS = COLUMNS * 8 + (METADATA_PORT == 0 ? COLUMNS * $clog2(GROUP) : 0);
  localparam int GROUP_CYCLES = ACTIVATION_PORT == 0 ? 1 : (ELEMENTS + ACTIVATION_PORT - 1) / ACTIVATION_PORT;
  localparam int VALUE_CYCLES = WEIGHT_PORT == 0 ? 1 : (BEAT_BITS + WEIGHT_PORT - 1) / WEIGHT_PORT;
  localparam int INDEX_CYCLES = METADATA_PORT == 0 ? 0 : (INDEX_BITS + METADATA_PORT - 1) / METADATA_PORT;
  localparam int BEAT_CYCLES = VALUE_CYCLES > INDEX_CYCLES ? VALUE_CYCLES : INDEX_CYCLES;
  localparam int LEAD = (GROUP_CYCLES > BEAT_CYCLES ? GROUP_CYCLES : BEAT_CYCLES) - 1;
  localparam int PERIOD = CONTEXTS * BEAT_CYCLES > DISTANCE ? CONTEXTS * BEAT_CYCLES : DISTANCE;
  localparam int HOLD = KEPT * PERIOD > GROUP_CYCLES ? KEPT * PERIOD : GROUP_CYCLES;
  localparam int FULL = ELEMENTS - (FAULT == 9 ? ACTIVATION_PORT : 0);
  localparam int SLOT = ROWS * CONTEXTS + ROWS - 1 - (FAULT == 6 ? 1 : 0);
  localparam int DEPTH = ROWS + COLUMNS - 1;
  localparam int PIPELINE = STAGES + LATENCY - 1;
  localparam int TAPS = DEPTH + PIPELINE;

  // Sequencer.
  logic more, running, starts, active, streams, ends, is_beat, needs_group;
  logic [15:0] next_row, next_column, run_row, run_column, fold_row, fold_column;
  logic [15:0] slot, phase, place, group;
  logic [31:0] waits, waits_now, length, pending, leaving, kept;
  logic [31:0] gathered, gathered_now, bits, bits_now, index_bits, index_bits_now, idle;

  assign kept = 32'(groups) * KEPT;
  assign length = LEAD + (32'(groups) - 32'd1) * HOLD + (KEPT - 1) * PERIOD + (CONTEXTS - 1) * BEAT_CYCLES + 32'd1;
  assign starts = more && !running && (VARIANT != 0 || pending <= (FAULT == 5 ? 32'(COLUMNS) : '0));
  assign active = running || starts;
  assign waits_now = running ? waits : VARIANT != 0 && length < SLOT ? SLOT - length : '0;
  assign streams = active && waits_now == '0;
  assign gathered_now = ACTIVATION_PORT == 0 || gathered + ACTIVATION_PORT > FULL ? FULL : gathered + ACTIVATION_PORT;
  assign bits_now = WEIGHT_PORT == 0 || bits + WEIGHT_PORT > BEAT_BITS ? BEAT_BITS : bits + WEIGHT_PORT;
  assign index_bits_now = index_bits + METADATA_PORT > INDEX_BITS ? INDEX_BITS : index_bits + METADATA_PORT;
  assign needs_group = phase == '0 && place == '0;
  assign is_beat = streams && bits_now == BEAT_BITS && index_bits_now == INDEX_BITS && (phase != '0 || idle == '0)
      && (!needs_group || gathered_now == FULL);
  assign ends = is_beat && 32'(slot) == kept - 32'd1 && phase == 16'(CONTEXTS - 1);
  assign fold_row = running ? run_row : next_row;
  assign fold_column = running ? run_column : next_column;

  assign row_read = is_beat && needs_group;
  assign row_beat = group;
  assign row_base = fold_row;
  assign column_read = is_beat;
  assign column_beat = slot;
  assign column_group = group;
  assign column_base = fold_column;
  assign column_context = phase;
  assign busy = more || running || pending != '0;

  always_comb begin
    leaving = '0;
    for (int c = 0; c < COLUMNS; c++) leaving += 32'(result_valid[c]);
  end

  always_ff @(posedge clock)
    if (reset) begin
      more <= 1'b1;
      running <= 1'b0;
      {next_row, next_column, run_row, run_column, slot, phase, place, group} <= '0;
      {waits, pending} <= '0;
      {gathered, bits, index_bits, idle} <= '0;
    end else begin
      pending <= pending + (starts ? ROWS * COLUMNS * CONTEXTS : '0) - leaving;
      running <= active && !ends;
      waits <= waits_now == '0 ? '0 : waits_now - 32'd1;
      if (starts) begin
        run_row <= next_row;
        run_column <= next_column;
        if (32'(next_column) + COLUMNS * CONTEXTS >= 32'(n)) begin
          next_column <= '0;
          next_row <= next_row + 16'(ROWS);
          more <= 32'(next_row) + ROWS < 32'(m);
        end else next_column <= next_column + 16'(COLUMNS * CONTEXTS);
      end
      if (ends) begin
        {slot, phase, place, group} <= '0;
        {gathered, bits, index_bits, idle} <= '0;
      end else if (streams) begin
        gathered <= row_read ? '0 : gathered_now;
        bits <= is_beat ? '0 : bits_now;
        index_bits <= is_beat ? '0 : index_bits_now;
        if (is_beat && phase == '0) idle <= DISTANCE > 0 ? DISTANCE - 1 : '0;
        else if (idle != '0) idle <= idle - 32'd1;
        if (is_beat && phase == 16'(CONTEXTS - 1)) begin
          phase <= '0;
          slot <= slot + 16'd1;
          place <= place == 16'(KEPT - 1) ? '0 : place + 16'd1;
          if (place == 16'(KEPT - 1)) group <= group + 16'd1;
        end else if (is_beat) phase <= phase + 16'd1;
      end
    end

  // Groups: held at the edge, skewed, and moved right.
  logic [ROWS*GROUP*8-1:0] held, edge_now;
  assign edge_now = row_read ? row_data : held;
  always_ff @(posedge clock) held <= reset ? '0 : edge_now;

  typedef struct packed {
    logic valid;
    logic first;
    logic last;
    logic [7:0] context_number;
    logic [7:0] value;
    logic [INDEX_WIDTH-1:0] index;
  } beat_t;
  beat_t down[ROWS][COLUMNS];
  logic signed [31:0] below[ROWS][COLUMNS];
  logic [GROUP*8-1:0] across[ROWS][COLUMNS];
  logic [COLUMNS-1:0] shift;
  logic [7:0] shift_context[COLUMNS];

  // Where the last beat of a fold is.
  typedef struct packed {
    logic valid;
    logic [15:0] row;
    logic [15:0] column;
  } tag_t;
  tag_t tag[TAPS];
  assign tag[0] = '{valid: ends, row: fold_row, column: fold_column};
  if (TAPS > 1) begin : tag_line
    always_ff @(posedge clock) for (int i = 1; i < TAPS; i++) tag[i] <= reset ? '0 : tag[i-1];
  end

  for (genvar c = 0; c < COLUMNS; c++) begin : column
    beat_t top;
    assign top = '{
            valid: is_beat,
            first: slot == '0,
            last: 32'(slot) == kept - 32'd1,
            context_number: 8'(phase),
            value: column_value[c*8+:8],
            index: column_index[c*INDEX_WIDTH+:INDEX_WIDTH]
        };
    delay #(
        .WIDTH($bits(beat_t)),
        .DEPTH(c)
    ) skew (
        .clock,
        .reset,
        .enable(1'b1),
        .in(top),
        .out(down[0][c])
    );
    assign column_valid[c] = down[0][c].valid;
    assign value_edge[c*8+:8] = down[0][c].value;
    assign index_edge[c*INDEX_WIDTH+:INDEX_WIDTH] = down[0][c].index;

    // Drain: context after context, the last row first.
    localparam int SETTLED = (VARIANT != 0 ? ROWS - 1 + c : DEPTH - 1) + PIPELINE;
    localparam int STARTS = FAULT == 8 && SETTLED > 0 ? SETTLED - 1 : SETTLED;
    logic [15:0] drain_row, drain_column, shifted;
    logic draining;
    always_ff @(posedge clock)
      if (reset) begin
        draining <= 1'b0;
        shift_context[c] <= '0;
        {drain_row, drain_column, shifted} <= '0;
      end else begin
        if (draining) begin
          if (shifted == 16'(ROWS - 1)) begin
            shifted <= '0;
            shift_context[c] <= shift_context[c] + 8'd1;
            if (shift_context[c] == 8'(CONTEXTS - 1)) draining <= 1'b0;
          end else shifted <= shifted + 16'd1;
        end
        if (tag[STARTS].valid) begin
          draining <= 1'b1;
          shifted <= '0;
          shift_context[c] <= '0;
          drain_row <= tag[STARTS].row;
          drain_column <= tag[STARTS].column;
        end
      end
    assign shift[c] = draining;
    assign result_valid[c] = draining;
    assign result[c*32+:32] = below[ROWS-1][c];
    assign acc_row[c*16+:16] = drain_row + 16'(ROWS - 1) - shifted;
    assign acc_column[c*16+:16] = drain_column + 16'(c * CONTEXTS) + 16'(shift_context[c]);
    assign acc_write[c] = draining && acc_row[c*16+:16] < m && acc_column[c*16+:16] < n;
    assign acc_read[c] = 1'b0;
  end

  // Whether row r sees a group for the first time.
  for (genvar r = 0; r < ROWS; r++) begin : arrival
    delay #(
        .WIDTH(1),
        .DEPTH(r)
    ) skew (
        .clock,
        .reset,
        .enable(1'b1),
        .in(row_read),
        .out(row_valid[r])
    );
  end

  for (genvar r = 0; r < ROWS; r++) begin : row
    delay #(
        .WIDTH(GROUP * 8),
        .DEPTH(FAULT == 3 && r == ROWS - 1 && r > 0 ? r - 1 : r)
    ) skew (
        .clock,
        .reset,
        .enable(1'b1),
        .in(edge_now[r*GROUP*8+:GROUP*8]),
        .out(across[r][0])
    );
    assign row_edge[r*GROUP*8+:GROUP*8] = across[r][0];
    for (genvar c = 0; c < COLUMNS; c++) begin : element
      if (c > 0) begin : right
        always_ff @(posedge clock) across[r][c] <= reset ? '0 : across[r][c-1];
      end
      if (r > 0) begin : further
        always_ff @(posedge clock) down[r][c] <= reset ? '0 : down[r-1][c];
      end
      logic signed [31:0] above;
      if (r > 0) begin : chain
        assign above = below[r-1][c];
      end else begin : head
        assign above = '0;
      end
      nm_os_pe #(
          .GROUP(GROUP),
          .INDEX_WIDTH(INDEX_WIDTH),
          .CONTEXTS(CONTEXTS),
          .LATENCY(LATENCY),
          .STAGES(STAGES),
          .HAS_OUTPUT(VARIANT != 0)
      ) pe (
          .clock,
          .reset,
          .beat_valid(down[r][c].valid),
          .beat_first(down[r][c].first),
          .beat_last(down[r][c].last),
          .beat_context(down[r][c].context_number),
          .beat_value(down[r][c].value),
          .beat_index(down[r][c].index),
          .group(across[r][c]),
          .shift(shift[c]),
          .shift_context(shift_context[c]),
          .above,
          .below(below[r][c])
      );
    end
  end
endmodule
