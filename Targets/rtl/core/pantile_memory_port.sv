// The bus to the memory: one burst after another, round robin among the engines that are ready, time in ticks of the bandwidth.
//
// Counts what is left of a burst and of the cycle, so that bandwidths that do not divide stay exact; the latency of each burst comes
// from outside by its number.
module pantile_memory_port #(
    parameter int QUEUES = 5
) (
    input logic clk,
    input logic reset,
    input logic [31:0] ticks,    // of a cycle
    input logic [31:0] service,  // ticks of a burst
    input logic round_robin_fault,
    input logic serve,           // bus phase begins
    output logic is_idle,
    input logic act,             // the machine cycle ends
    input logic [QUEUES-1:0] wants,
    input logic [QUEUES-1:0][31:0] ready_at,  // ticks from the start of this cycle
    input logic [QUEUES-1:0] is_moving,       // elements of the accepted burst are still moved
    output logic accept,
    output logic [2:0] accept_queue,
    output logic [31:0] accept_at,      // ticks from the start of this cycle
    output logic [31:0] accept_leaves,  // cycles until the burst has left the bus
    output logic [31:0] burst_number
);
  logic [31:0] free_at;
  logic [2:0] last_served;
  logic has_served;
  logic [31:0] burst_count;
  logic is_serving;

  logic [31:0] earliest;
  logic [31:0] begins;
  logic any;
  logic found;
  logic [2:0] chosen;
  always_comb begin
    earliest = '1;
    any = 1'b0;
    for (int q = 0; q < QUEUES; q++)
      if (wants[q]) begin
        any = 1'b1;
        if (ready_at[q] < earliest) earliest = ready_at[q];
      end
    begins = earliest > free_at ? earliest : free_at;
    found = 1'b0;
    chosen = 3'd0;
    // First those behind the last served one, then from the front.
    for (int q = 0; q < QUEUES; q++)
      if (!found && wants[q] && ready_at[q] <= begins && has_served && 3'(q) > last_served) begin
        found = 1'b1;
        chosen = 3'(q);
      end
    for (int q = 0; q < QUEUES; q++)
      if (!found && wants[q] && ready_at[q] <= begins) begin
        found = 1'b1;
        chosen = 3'(q);
      end
  end

  assign accept = is_serving && is_moving == '0 && any && begins < ticks;
  assign accept_queue = chosen;
  assign accept_at = begins;
  assign accept_leaves = (begins + service + ticks - 32'd1) / ticks;
  assign burst_number = burst_count;
  assign is_idle = !is_serving;

  always_ff @(posedge clk) begin
    if (serve) is_serving <= 1'b1;
    else if (is_serving && is_moving == '0 && !accept) is_serving <= 1'b0;
    if (accept) begin
      free_at <= begins + service;
      burst_count <= burst_count + 32'd1;
      last_served <= round_robin_fault ? last_served : chosen;
      has_served <= !round_robin_fault;
    end
    if (act) free_at <= free_at > ticks ? free_at - ticks : 32'd0;
    if (reset) begin
      is_serving <= 1'b0;
      free_at <= '0;
      burst_count <= '0;
      last_served <= '0;
      has_served <= 1'b0;
    end
  end
endmodule
