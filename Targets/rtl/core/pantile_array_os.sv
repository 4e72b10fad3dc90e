// The output-stationary array: fold sequencer, edges, grid of PEs and the way to the accumulators.
//
// A last tag travels with the final product of a fold. Serial: when it has reached the last PE all columns shift down. Overlapped: it
// moves the sum to the PE's output register; when it passes the last row of a column, that column shifts down for ROWS cycles.
module pantile_array_os #(
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
    // Operand ports: one column of A, one row of B a cycle.
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

  // The command whose folds stream, and where its next fold stands.
  logic has_fold;
  logic [31:0] m;
  logic [31:0] n;
  logic [31:0] k;
  logic accumulate;
  logic [7:0] slot;
  logic [31:0] sum_stride;
  access_t access_a;
  access_t access_b;
  logic [31:0] next_m0;
  logic [31:0] next_n0;
  logic [31:0] next_row;  // accumulator word of row next_m0

  // The fold in its slot.
  logic running;
  logic [31:0] fold_m0;
  logic [31:0] fold_n0;
  logic [31:0] fold_row;
  logic fold_last;
  logic [31:0] fold_wait;
  logic [31:0] fold_step;
  logic [31:0] pending;  // results that have not left

  logic may_begin;
  logic begins;
  logic [31:0] m0_now;
  logic [31:0] n0_now;
  logic [31:0] row_now;
  logic last_now;
  logic [31:0] wait_now;
  logic [31:0] step_now;
  logic streams;
  logic ends;
  logic [31:0] shortest;
  logic [31:0] leaving;
  always_comb begin
    shortest = 32'(2 * ROWS - 1) - (faults.slot_early ? 32'd1 : 32'd0);
    may_begin = !running && (OVERLAPPED || pending == 32'd0);
    accepts = !has_fold && may_begin;
    begins = has_fold && may_begin;
    m0_now = running ? fold_m0 : next_m0;
    n0_now = running ? fold_n0 : next_n0;
    row_now = running ? fold_row : next_row;
    last_now = running ? fold_last : next_m0 + 32'(ROWS) >= m && next_n0 + 32'(COLUMNS) >= n;
    wait_now = running ? fold_wait : OVERLAPPED && shortest > k ? shortest - k : 32'd0;
    step_now = running ? fold_step : 32'd0;
    streams = (running || begins) && wait_now == 32'd0;
    ends = streams && step_now + 32'd1 == k;
  end

  // [0] belongs to this cycle's vectors, [d] to the PEs with r + c = d.
  result_tag_t [HOPS:0] lasts;
  result_tag_t [HOPS:1] lasts_held;
  result_tag_t last_tag;
  assign lasts = {lasts_held, last_tag};
  result_tag_t [COLUMNS-1:0] drains;
  logic [COLUMNS-1:0][31:0] drain_left;
  always_comb begin
    last_tag = '0;
    last_tag.valid = ends;
    last_tag.last = last_now;
    last_tag.overwrite = !accumulate;
    last_tag.slot = slot;
    last_tag.address = row_now + n0_now;
    last_tag.rows = m - m0_now;
    last_tag.columns = n - n0_now;
    last_tag.stride = sum_stride;
    reached = '0;
    reached_slot = {slot, slot, drains[COLUMNS-1].slot};
    if (act) begin
      reached[POINT_READ_A] = streams && last_now
          && step_now + (faults.read_a_early && k > 32'd1 ? 32'd2 : 32'd1) == k;
      reached[POINT_READ_B] = streams && last_now
          && step_now + (faults.read_b_early && k > 32'd1 ? 32'd2 : 32'd1) == k;
      reached[POINT_WRITTEN] = drains[COLUMNS-1].last
          && drain_left[COLUMNS-1] == (faults.written_early && ROWS > 1 ? 32'd2 : 32'd1);
    end
  end

  // Edges. Lanes beyond the operands' sizes see zero and read nothing.
  logic [ROWS-1:0][7:0] a_edge;
  logic [COLUMNS-1:0][7:0] b_edge;
  for (genvar r = 0; r < ROWS; r++) begin : gen_a
    logic inside_bounds;
    logic lane;
    logic signed [47:0] address;
    pantile_address_generator generator_a (
        .access(access_a), .index((m0_now + 32'(r)) * k + step_now), .inside_bounds(inside_bounds), .address(address)
    );
    assign lane = streams && m0_now + 32'(r) < m;
    assign a_read[r] = lane && inside_bounds;
    assign a_address[r] = address[34:3];
    assign a_edge[r] = !lane ? 8'd0 : inside_bounds ? a_data[r] : access_a.pad[7:0];
    logic unused;
    assign unused = ^{address[47:35], address[2:0]};
  end
  for (genvar c = 0; c < COLUMNS; c++) begin : gen_b
    logic inside_bounds;
    logic lane;
    logic signed [47:0] address;
    pantile_address_generator generator_b (
        .access(access_b), .index(step_now * n + n0_now + 32'(c)), .inside_bounds(inside_bounds), .address(address)
    );
    assign lane = streams && n0_now + 32'(c) < n;
    assign b_read[c] = lane && inside_bounds;
    assign b_address[c] = address[34:3];
    assign b_edge[c] = !lane ? 8'd0 : inside_bounds ? b_data[c] : access_b.pad[7:0];
    logic unused;
    assign unused = ^{address[47:35], address[2:0]};
  end

  // Column c sees its weights c cycles late, row r its activations r cycles late.
  logic [COLUMNS-1:0][7:0] b_late;
  for (genvar c = 0; c < COLUMNS; c++) begin : gen_column
    pantile_delay #(
        .CYCLES(c)
    ) skew (
        .clk(clk), .act(act), .early(b_edge[c]), .late(b_late[c])
    );
  end
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
      logic signed [31:0] sum;
      logic signed [31:0] sum_next;
      logic signed [31:0] chain;        // what shifts down: output register or, serial, the sum
      logic signed [31:0] chain_above;
      if (c == 0) begin : gen_first
        assign activation = late_edge;
      end else begin : gen_next
        logic signed [7:0] moved;
        always_ff @(posedge clk) if (act) moved <= gen_row[r].gen_pe[c-1].activation;
        assign activation = moved;
      end
      if (r == 0) begin : gen_top
        assign weight = b_late[c];
        assign chain_above = 32'sd0;
      end else begin : gen_below
        logic signed [7:0] moved;
        always_ff @(posedge clk) if (act) moved <= gen_row[r-1].gen_pe[c].weight;
        assign weight = moved;
        assign chain_above = gen_row[r-1].gen_pe[c].chain;
      end
      if (OVERLAPPED) begin : gen_output
        logic signed [31:0] result;
        assign chain = result;
        assign sum_next = sum + 32'(activation) * 32'(weight);
        always_ff @(posedge clk)
          if (reset) begin
            sum <= '0;
          end else if (act) begin
            sum <= lasts[r+c].valid ? 32'sd0 : sum_next;
            if (lasts[r+c].valid) result <= sum_next;
            else if (drain_left[c] != 32'd0) result <= chain_above;
          end
      end else begin : gen_serial
        assign chain = sum;
        assign sum_next = (drain_left[c] != 32'd0 ? chain_above : sum) + 32'(activation) * 32'(weight);
        always_ff @(posedge clk)
          if (reset) sum <= '0;
          else if (act) sum <= sum_next;
      end
      if (r == ROWS - 1) begin : gen_last
        assign leaves[c] = chain;
      end
    end
  end
  for (genvar c = 0; c < COLUMNS; c++) begin : gen_sum
    assign sum_write[c] = act && drain_left[c] != 32'd0 && drain_left[c] <= drains[c].rows && 32'(c) < drains[c].columns;
    assign sum_overwrite[c] = drains[c].overwrite;
    assign sum_address[c] = drains[c].address + 32'(c);
    assign sum_value[c] = leaves[c];
  end
  always_comb begin
    leaving = '0;
    for (int c = 0; c < COLUMNS; c++) leaving = leaving + 32'(drain_left[c] != 32'd0);
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
      sum_stride <= operands[2].stride[0][36:5];
      next_m0 <= '0;
      next_n0 <= '0;
      next_row <= operands[2].base[36:5];
    end
    if (act) begin
      if (begins) begin
        fold_m0 <= next_m0;
        fold_n0 <= next_n0;
        fold_row <= next_row;
        fold_last <= last_now;
        if (next_n0 + 32'(COLUMNS) < n) begin
          next_n0 <= next_n0 + 32'(COLUMNS);
        end else begin
          next_n0 <= '0;
          next_m0 <= next_m0 + 32'(ROWS);
          next_row <= next_row + 32'(ROWS) * sum_stride;
          has_fold <= next_m0 + 32'(ROWS) < m;
        end
      end
      if (running || begins) begin
        running <= !ends;
        fold_wait <= wait_now == 32'd0 ? 32'd0 : wait_now - 32'd1;
        fold_step <= streams ? step_now + 32'd1 : step_now;
      end
      pending <= pending + (begins ? 32'(ROWS * COLUMNS) : 32'd0) - leaving;
      for (int d = 1; d <= HOPS; d++) lasts_held[d] <= lasts[d-1];
      for (int c = 0; c < COLUMNS; c++) begin
        // Rows leave from the last one up, so addresses go down.
        if (drain_left[c] != 32'd0) begin
          drain_left[c] <= drain_left[c] - 32'd1;
          drains[c].address <= drains[c].address - drains[c].stride;
        end
        if (OVERLAPPED ? lasts[ROWS-1+c].valid : lasts[HOPS-1].valid) begin
          drain_left[c] <= 32'(ROWS);
          drains[c] <= OVERLAPPED ? lasts[ROWS-1+c] : lasts[HOPS-1];
          drains[c].address <= (OVERLAPPED ? lasts[ROWS-1+c].address : lasts[HOPS-1].address)
              + 32'(ROWS - 1) * (OVERLAPPED ? lasts[ROWS-1+c].stride : lasts[HOPS-1].stride);
        end
      end
    end
    if (reset) begin
      has_fold <= 1'b0;
      running <= 1'b0;
      pending <= '0;
      drain_left <= '0;
      drains <= '0;
      lasts_held <= '0;
    end
  end

  logic unused;
endmodule
