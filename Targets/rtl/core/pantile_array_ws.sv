// The weight-stationary array: fold sequencer, edges, grid of PEs and the way to the accumulators.
//
// Weights of a fold enter row 0 of the shadow chain and shift down. A swap tag travels with the first activation of a stream: the PE
// that sees it takes its shadow weight. What leaves the last row is added into the accumulators in the same cycle. With
// OVERLAPPED = 0 there is no shadow register and the next fold loads when all results have left.
module pantile_array_ws #(
    parameter int ROWS = 4,
    parameter int COLUMNS = 4,
    parameter bit OVERLAPPED = 1'b1
) (
    input logic clk,
    input logic reset,
    input logic act,
    // A command issues, when `accepts`.
    input logic start,
    input logic [7:0] start_slot,
    // Every piece looks at its part of these.
    // verilator lint_off UNUSEDSIGNAL
    input pantile_core_types::command_t command,
    input pantile_core_types::access_t [pantile_core_types::OPERANDS-1:0] operands,
    // verilator lint_on UNUSEDSIGNAL
    output logic accepts,
    // verilator lint_off UNUSEDSIGNAL
    input pantile_core_types::faults_t faults,
    // verilator lint_on UNUSEDSIGNAL
    // Operand ports: one row vector of A, one of B a cycle.
    output logic [ROWS-1:0] a_read,
    output logic [ROWS-1:0][31:0] a_address,  // bytes of the scratchpad
    input logic [ROWS-1:0][7:0] a_data,
    output logic [COLUMNS-1:0] b_read,
    output logic [COLUMNS-1:0][31:0] b_address,
    input logic [COLUMNS-1:0][7:0] b_data,
    // Accumulator ports, by column: words.
    output logic [COLUMNS-1:0] sum_write,
    output logic [COLUMNS-1:0] sum_overwrite,
    output logic [COLUMNS-1:0][31:0] sum_address,
    output logic [COLUMNS-1:0][31:0] sum_value,
    output logic [2:0] reached,
    output logic [2:0][7:0] reached_slot
);
  import pantile_core_types::*;
  localparam int HOPS = ROWS + COLUMNS - 1;

  // The command whose folds are loaded, and where its next fold stands.
  logic has_fold;
  logic [31:0] m;
  logic [31:0] n;
  logic [31:0] k;
  logic accumulate;
  logic [7:0] slot;
  logic [31:0] sum_base;
  logic [31:0] sum_stride;
  access_t access_a;
  access_t access_b;
  logic [31:0] next_k0;
  logic [31:0] next_n0;

  // The fold in the loader, then standing.
  logic loading;
  logic standing;
  logic [31:0] load_step;
  logic [31:0] fold_k0;
  logic [31:0] fold_n0;
  logic fold_last;

  // The fold that streams; its command may be followed by another one in the loader.
  logic streaming;
  logic [31:0] stream_row;
  logic [31:0] stream_m;
  logic [31:0] stream_k;
  logic [31:0] stream_k0;
  logic stream_last;
  access_t stream_a;
  result_tag_t stream_tag;

  // [0] belongs to this cycle's row vector, [d] to the PEs with r + c = d.
  logic [HOPS:0] swap;
  logic [HOPS:1] swap_held;
  logic swap_now;
  result_tag_t [HOPS:0] tags;
  result_tag_t [HOPS:1] tags_held;
  result_tag_t tag_now;
  assign swap = {swap_held, swap_now};
  assign tags = {tags_held, tag_now};
  logic shadow_free;
  logic [31:0] outstanding;

  // Control of this cycle.
  logic shadow_ok;
  logic [31:0] rows_left;
  logic loader_free;
  logic load_start;
  logic load_now;
  logic [31:0] step_now;
  logic [31:0] k0_now;
  logic [31:0] n0_now;
  logic last_now;
  logic stands_next;
  logic stream_ends;
  logic stream_begins;
  always_comb begin
    shadow_ok = shadow_free || swap[HOPS-1] || (faults.reload_early && HOPS > 1 && swap[HOPS > 1 ? HOPS-2 : 0]);
    rows_left = streaming ? stream_m - stream_row : 32'd0;
    loader_free = !loading && !standing
        && (OVERLAPPED ? shadow_ok && rows_left <= 32'(ROWS) : !streaming && outstanding == 32'd0);
    accepts = !has_fold && loader_free;
    load_start = has_fold && loader_free;
    load_now = loading || load_start;
    step_now = loading ? load_step : 32'd0;
    k0_now = loading ? fold_k0 : next_k0;
    n0_now = loading ? fold_n0 : next_n0;
    last_now = loading ? fold_last : next_k0 + 32'(ROWS) >= k && next_n0 + 32'(COLUMNS) >= n;
    stands_next = load_now && step_now == 32'(ROWS - 1);
    stream_ends = streaming && stream_row + 32'd1 == stream_m;
    stream_begins = (!streaming || stream_ends) && (standing || stands_next);
  end

  always_comb begin
    swap_now = streaming && stream_row == 32'd0;
    tag_now = stream_tag;
    tag_now.valid = streaming;
    tag_now.last = stream_last && stream_row + 32'd1 == stream_m;
    reached = '0;
    reached_slot = '0;
    if (act) begin
      reached[POINT_READ_A] = streaming && stream_last
          && stream_row + (faults.read_a_early && stream_m > 32'd1 ? 32'd2 : 32'd1) == stream_m;
      reached[POINT_READ_B] = load_now && last_now
          && step_now == 32'(ROWS - 1) - (faults.read_b_early && ROWS > 1 ? 32'd1 : 32'd0);
      reached[POINT_WRITTEN] = faults.written_early && HOPS > 1
          ? tags[HOPS > 1 ? HOPS-2 : 0].valid && tags[HOPS > 1 ? HOPS-2 : 0].last
          : tags[HOPS-1].valid && tags[HOPS-1].last;
    end
    reached_slot[POINT_READ_A] = stream_tag.slot;
    reached_slot[POINT_READ_B] = slot;
    reached_slot[POINT_WRITTEN] = faults.written_early && HOPS > 1 ? tags[HOPS > 1 ? HOPS-2 : 0].slot : tags[HOPS-1].slot;
  end

  // Edges. Lanes beyond the operands' sizes see zero and read nothing.
  logic [ROWS-1:0][7:0] a_edge;
  logic [COLUMNS-1:0][7:0] b_edge;
  for (genvar r = 0; r < ROWS; r++) begin : gen_a
    logic inside_bounds;
    logic lane;
    logic signed [47:0] address;
    pantile_address_generator generator_a (
        .access(stream_a), .index(stream_row * stream_k + stream_k0 + 32'(r)), .inside_bounds(inside_bounds),
        .address(address)
    );
    assign lane = streaming && stream_k0 + 32'(r) < stream_k;
    assign a_read[r] = lane && inside_bounds;
    assign a_address[r] = address[34:3];
    assign a_edge[r] = !lane ? 8'd0 : inside_bounds ? a_data[r] : stream_a.pad[7:0];
    logic unused;
    assign unused = ^{address[47:35], address[2:0]};
  end
  for (genvar c = 0; c < COLUMNS; c++) begin : gen_b
    logic inside_bounds;
    logic lane;
    logic [31:0] source;
    logic signed [47:0] address;
    assign source = k0_now + 32'(ROWS - 1) - step_now;
    pantile_address_generator generator_b (
        .access(access_b), .index(source * n + n0_now + 32'(c)), .inside_bounds(inside_bounds), .address(address)
    );
    assign lane = load_now && source < k && n0_now + 32'(c) < n;
    assign b_read[c] = lane && inside_bounds;
    assign b_address[c] = address[34:3];
    assign b_edge[c] = !lane ? 8'd0 : inside_bounds ? b_data[c] : access_b.pad[7:0];
    logic unused;
    assign unused = ^{address[47:35], address[2:0]};
  end

  // Grid. Row r sees its activations r cycles late.
  logic [COLUMNS-1:0][31:0] leaves;
  for (genvar r = 0; r < ROWS; r++) begin : gen_row
    logic [7:0] late_edge;
    pantile_delay #(
        .CYCLES(r)
    ) skew (
        .clk(clk), .act(act), .early(a_edge[r]), .late(late_edge)
    );
    for (genvar c = 0; c < COLUMNS; c++) begin : gen_pe
      logic signed [7:0] activation;
      logic signed [7:0] weight;
      logic signed [7:0] weight_now;
      logic signed [7:0] shadow;
      logic signed [7:0] above;
      logic signed [31:0] sum_above;
      logic signed [31:0] sum_next;
      if (c == 0) begin : gen_first
        assign activation = late_edge;
      end else begin : gen_next
        logic signed [7:0] moved;
        always_ff @(posedge clk) if (act) moved <= gen_row[r].gen_pe[c-1].activation;
        assign activation = moved;
      end
      if (r == 0) begin : gen_top
        assign above = b_edge[c];
        assign sum_above = 32'sd0;
      end else begin : gen_below
        assign above = gen_row[r-1].gen_pe[c].shadow;
        assign sum_above = gen_row[r-1].gen_pe[c].gen_partial.held;
      end
      assign weight_now = !OVERLAPPED || swap[r+c] ? shadow : weight;
      assign sum_next = sum_above + 32'(activation) * 32'(weight_now);
      if (r == ROWS - 1) begin : gen_last
        assign leaves[c] = sum_next;
      end else begin : gen_partial
        logic signed [31:0] held;
        always_ff @(posedge clk) if (act) held <= sum_next;
      end
      always_ff @(posedge clk)
        if (act) begin
          weight <= weight_now;
          if (load_now) shadow <= above;
        end
    end
  end
  for (genvar c = 0; c < COLUMNS; c++) begin : gen_sum
    assign sum_write[c] = act && tags[ROWS-1+c].valid && 32'(c) < tags[ROWS-1+c].columns;
    assign sum_overwrite[c] = tags[ROWS-1+c].overwrite;
    assign sum_address[c] = tags[ROWS-1+c].address + 32'(c);
    assign sum_value[c] = leaves[c];
  end

  always_ff @(posedge clk) begin
    if (start) begin
      has_fold <= 1'b1;
      m <= command.m;
      n <= command.n;
      k <= command.k;
      accumulate <= command.accumulate;
      slot <= start_slot;
      access_a <= operands[0];
      access_b <= operands[1];
      sum_base <= operands[2].base[36:5];
      sum_stride <= operands[2].stride[0][36:5];
      next_k0 <= '0;
      next_n0 <= '0;
    end
    if (act) begin
      for (int d = 1; d <= HOPS; d++) begin
        swap_held[d] <= swap[d-1];
        tags_held[d] <= tags[d-1];
      end
      if (load_start) begin
        fold_k0 <= next_k0;
        fold_n0 <= next_n0;
        fold_last <= last_now;
        if (next_k0 + 32'(ROWS) < k) begin
          next_k0 <= next_k0 + 32'(ROWS);
        end else begin
          next_k0 <= '0;
          next_n0 <= next_n0 + 32'(COLUMNS);
          has_fold <= next_n0 + 32'(COLUMNS) < n;
        end
      end
      shadow_free <= shadow_ok && !load_start;
      loading <= load_now && !stands_next;
      load_step <= step_now + 32'd1;
      standing <= (standing || stands_next) && !stream_begins;
      if (stream_begins) begin
        streaming <= 1'b1;
        stream_row <= '0;
        stream_m <= m;
        stream_k <= k;
        stream_k0 <= load_now ? k0_now : fold_k0;
        stream_last <= load_now ? last_now : fold_last;
        stream_a <= access_a;
        stream_tag <= '0;
        stream_tag.slot <= slot;
        stream_tag.overwrite <= !accumulate && (load_now ? k0_now : fold_k0) == 32'd0;
        stream_tag.address <= sum_base + (load_now ? n0_now : fold_n0);
        stream_tag.columns <= n - (load_now ? n0_now : fold_n0);
        stream_tag.stride <= sum_stride;
      end else if (streaming) begin
        streaming <= !stream_ends;
        stream_row <= stream_row + 32'd1;
        stream_tag.address <= stream_tag.address + stream_tag.stride;
      end
      outstanding <= outstanding + 32'(streaming) - 32'(tags[HOPS-1].valid);
    end
    if (reset) begin
      has_fold <= 1'b0;
      loading <= 1'b0;
      standing <= 1'b0;
      streaming <= 1'b0;
      shadow_free <= 1'b1;
      outstanding <= '0;
      swap_held <= '0;
      tags_held <= '0;
    end
  end
endmodule
