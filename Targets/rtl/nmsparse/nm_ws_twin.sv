// The RTL twin of the weight-stationary N:M array: fold sequencer, skew registers, array.
//
// Machine contract:
// - Folds: columns of the result outside, groups of the reduction inside. Row r holds slot r mod KEPT of group r / KEPT of the fold;
//   rows beyond the last whole group idle.
// - Beats of COLUMNS pairs enter in ROWS cycles, the last row first, and move down LATENCY registers a row, as sums do.
// - A mark that enters with a stream takes the shadow pairs; serial: there are none, a fold starts after the last result.
// - Ports fill buffers at the edges: a vector of activations or a beat of pairs enters in the cycle in which its last part comes. A mark
//   enters with a stream's first cycle, also when its first vector is still collected.
// - Overlapped: a load starts when no loaded fold waits for its stream and the running stream has at most as many cycles left as a load
//   takes.
// - Sums of column c belong to accumulator [acc_row[c]][acc_base[c] + c] and are added to acc_old in the cycle in which they leave.
module nm_ws_twin #(
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
    output logic [                   15:0] row_beat,
    output logic [                   15:0] row_base,      // first group of the fold
    input  logic [       ROWS*GROUP*8-1:0] row_data,
    output logic                           column_read,
    output logic [                   15:0] column_beat,   // row of PEs that takes the beat
    output logic [                   15:0] column_group,  // first group of the fold
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
  localparam int FOLD_GROUPS = ROWS / KEPT;
  localparam int USED_ROWS = FOLD_GROUPS * KEPT;
  localparam int REACH = (ROWS - 1) * LATENCY + COLUMNS;
  localparam int TAPS = REACH + STAGES + LATENCY - 1;
  localparam int HOP = FAULT == 4 && LATENCY > 1 ? LATENCY - 1 : LATENCY;
  localparam int BEATS = FAULT == 1 && ROWS > 1 ? ROWS - 1 : ROWS;

  // What the ports have to bring, and the cycles that the controller is set to.
  localparam int VECTOR = FOLD_GROUPS * GROUP;
  localparam int VECTOR_CYCLES = ACTIVATION_PORT == 0 ? 1 : (VECTOR + ACTIVATION_PORT - 1) / ACTIVATION_PORT;
  localparam int INDEX_BITS = COLUMNS * $clog2(GROUP);
  localparam int BEAT_BITS = COLUMNS * 8 + (METADATA_PORT == 0 ? INDEX_BITS : 0);
  localparam int VALUE_CYCLES = WEIGHT_PORT == 0 ? 0 : (ROWS * BEAT_BITS + WEIGHT_PORT - 1) / WEIGHT_PORT;
  localparam int INDEX_CYCLES = METADATA_PORT == 0 ? 0 : (ROWS * INDEX_BITS + METADATA_PORT - 1) / METADATA_PORT;
  localparam int PORT_CYCLES = VALUE_CYCLES > INDEX_CYCLES ? VALUE_CYCLES : INDEX_CYCLES;
  localparam int LOAD_CYCLES = PORT_CYCLES > ROWS ? PORT_CYCLES : ROWS;

  // Sequencer.
  logic [15:0] load_group, load_base, next_group, next_base, standing_group, standing_base, stream_group, stream_base;
  logic more, loading, standing, streaming, load_starts, load_now, stream_now;
  logic enters, has_beat;
  logic [15:0] step, step_now, beat, beat_now;
  logic [31:0] stream_cycle, cycle_now, left_cycles, collected, collected_now, bits, bits_now, index_bits, index_bits_now;
  logic [15:0] fold_group, fold_base;
  logic [31:0] outstanding, leaving;

  assign stream_now = streaming || standing;
  assign fold_group = streaming ? stream_group : standing_group;
  assign fold_base = streaming ? stream_base : standing_base;
  assign beat_now = streaming ? beat : 16'd0;
  assign cycle_now = streaming ? stream_cycle : 32'd0;
  assign left_cycles = stream_now ? 32'(m) * VECTOR_CYCLES - cycle_now : 32'd0;
  assign collected_now = collected + ACTIVATION_PORT;
  assign enters = stream_now && (ACTIVATION_PORT == 0 || collected_now >= VECTOR - (FAULT == 9 ? ACTIVATION_PORT : 0));
  assign load_starts = more && !loading && !(standing && streaming)
      && (VARIANT == 0 ? !stream_now && outstanding <= (FAULT == 5 ? 32'd1 : 32'd0) : left_cycles <= LOAD_CYCLES);
  assign load_now = loading || load_starts;
  assign step_now = loading ? step : 16'd0;
  assign bits_now = (loading ? bits : 32'd0) + WEIGHT_PORT;
  assign index_bits_now = (loading ? index_bits : 32'd0) + METADATA_PORT;
  assign has_beat = load_now && (WEIGHT_PORT == 0 || bits_now >= (32'(step_now) + 32'd1) * BEAT_BITS)
      && (METADATA_PORT == 0 || index_bits_now + 32'd1 > (32'(step_now) + 32'd1) * INDEX_BITS);
  assign load_group = next_group;
  assign load_base = next_base;

  assign row_read = enters;
  assign row_beat = beat_now;
  assign row_base = fold_group;
  assign column_read = has_beat;
  assign column_beat = 16'(ROWS - 1) - step_now;
  assign column_group = load_group;
  assign column_base = load_base;
  assign column_context = 16'd0;

  always_comb begin
    leaving = '0;
    for (int c = 0; c < COLUMNS; c++) leaving += 32'(result_valid[c]);
  end
  assign busy = more || loading || standing || streaming || outstanding != '0;

  always_ff @(posedge clock)
    if (reset) begin
      {loading, standing, streaming} <= '0;
      more <= 1'b1;
      {next_group, next_base, standing_group, standing_base, stream_group, stream_base} <= '0;
      {step, beat} <= '0;
      {stream_cycle, collected, bits, index_bits} <= '0;
      outstanding <= '0;
    end else begin
      outstanding <= outstanding + (enters ? 32'(COLUMNS) : '0) - leaving;
      if (stream_now) begin
        standing <= standing && streaming;
        stream_group <= fold_group;
        stream_base <= fold_base;
        stream_cycle <= cycle_now + 32'd1;
        collected <= enters ? '0 : collected_now;
        beat <= enters ? beat_now + 16'd1 : beat_now;
        streaming <= !enters || beat_now + 16'd1 < m - (FAULT == 2 ? 16'd1 : 16'd0);
      end
      if (load_now) begin
        bits <= bits_now;
        index_bits <= index_bits_now;
        step <= has_beat ? step_now + 16'd1 : step_now;
        loading <= !has_beat || step_now + 16'd1 < 16'(BEATS);
        if (has_beat && step_now + 16'd1 >= 16'(BEATS)) begin
          standing <= 1'b1;
          standing_group <= load_group;
          standing_base <= load_base;
          if (32'(next_group) + FOLD_GROUPS >= 32'(groups)) begin
            next_group <= '0;
            next_base <= next_base + 16'(COLUMNS);
            more <= 32'(next_base) + COLUMNS < 32'(n);
          end else next_group <= next_group + 16'(FOLD_GROUPS);
        end
      end
    end

  // What travels with a row of activations, and with the start of a stream.
  typedef struct packed {
    logic valid;
    logic first;
    logic reads;
    logic [15:0] row;
    logic [15:0] base;
  } tag_t;
  tag_t tag[TAPS];
  tag_t entering;
  assign entering = '{
          valid: enters,
          first: stream_now && !streaming,
          reads: fold_group != 16'd0,
          row: beat_now,
          base: fold_base
      };
  assign tag[0] = entering;
  if (TAPS > 1) begin : tag_line
    always_ff @(posedge clock) for (int i = 1; i < TAPS; i++) tag[i] <= reset ? '0 : tag[i-1];
  end

  // Beats: column skew, then LATENCY registers a row; the row number counts down.
  typedef struct packed {
    logic valid;
    logic [15:0] row;
    logic [7:0] value;
    logic [INDEX_WIDTH-1:0] index;
  } beat_t;
  beat_t down[ROWS][COLUMNS];
  logic signed [31:0] above[ROWS][COLUMNS];
  logic signed [31:0] sum[ROWS][COLUMNS];
  logic [GROUP*8-1:0] across[ROWS][COLUMNS];

  for (genvar c = 0; c < COLUMNS; c++) begin : column
    beat_t top;
    assign top = '{
            valid: has_beat,
            row: column_beat,
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
    assign above[0][c] = '0;
    assign column_valid[c] = down[0][c].valid;
    assign value_edge[c*8+:8] = down[0][c].value;
    assign index_edge[c*INDEX_WIDTH+:INDEX_WIDTH] = down[0][c].index;

    delay #(
        .WIDTH(32),
        .DEPTH(HOP - 1)
    ) adder (
        .clock,
        .reset,
        .enable(1'b1),
        .in(sum[ROWS-1][c]),
        .out(result[c*32+:32])
    );
    localparam int LEAVES = (ROWS - 1) * LATENCY + STAGES + LATENCY - 1 + c;
    assign result_valid[c] = tag[LEAVES].valid;
    assign acc_write[c] = tag[LEAVES].valid && 32'(tag[LEAVES].base) + c < 32'(n);
    assign acc_read[c] = acc_write[c] && tag[LEAVES].reads;
    assign acc_row[c*16+:16] = tag[LEAVES].row;
    assign acc_column[c*16+:16] = tag[LEAVES].base + 16'(c);
  end

  for (genvar r = 0; r < ROWS; r++) begin : row
    if (r < USED_ROWS) begin : used
      delay #(
          .WIDTH(GROUP * 8),
          .DEPTH(FAULT == 3 && r == ROWS - 1 && r > 0 ? r * LATENCY - 1 : r * LATENCY)
      ) skew (
          .clock,
          .reset,
          .enable(1'b1),
          .in(row_data[(r/KEPT)*GROUP*8+:GROUP*8]),
          .out(across[r][0])
      );
      assign row_valid[r] = tag[r*LATENCY].valid;
    end else begin : idle
      assign across[r][0] = '0;
      assign row_valid[r] = 1'b0;
    end
    assign row_edge[r*GROUP*8+:GROUP*8] = across[r][0];
    for (genvar c = 0; c < COLUMNS; c++) begin : element
      if (c > 0) begin : right
        always_ff @(posedge clock) across[r][c] <= reset ? '0 : across[r][c-1];
      end
      if (r > 0) begin : below
        beat_t from;
        assign from = '{
                valid: down[r-1][c].valid,
                row: down[r-1][c].row - 16'd1,
                value: down[r-1][c].value,
                index: down[r-1][c].index
            };
        delay #(
            .WIDTH($bits(beat_t)),
            .DEPTH(LATENCY)
        ) beats (
            .clock,
            .reset,
            .enable(1'b1),
            .in(from),
            .out(down[r][c])
        );
        delay #(
            .WIDTH(32),
            .DEPTH(HOP)
        ) adder (
            .clock,
            .reset,
            .enable(1'b1),
            .in(sum[r-1][c]),
            .out(above[r][c])
        );
      end
      nm_ws_pe #(
          .GROUP(GROUP),
          .INDEX_WIDTH(INDEX_WIDTH),
          .STAGES(STAGES),
          .HAS_SHADOW(VARIANT != 0)
      ) pe (
          .clock,
          .reset,
          .swap(tag[r*LATENCY+c].first),
          .beat_valid(down[r][c].valid),
          .beat_row(down[r][c].row),
          .beat_value(down[r][c].value),
          .beat_index(down[r][c].index),
          .group(across[r][c]),
          .above(above[r][c]),
          .sum(sum[r][c])
      );
    end
  end

  logic unused;
  assign unused = &{1'b0, row_data, 1'(CONTEXTS)};
endmodule
