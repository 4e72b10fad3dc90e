// The commands of one queue in flight: what each still owes at its points. Points reached in one machine cycle take effect
// in the next one's deliver phase: tokens one by one, then the ports.
module pantile_commit #(
    parameter int SLOTS = 32
) (
    input logic clk,
    input logic reset,
    // A command issues: its slot is `next_slot`; its signals follow, one a clock, with `put`.
    input logic open,
    input logic open_is_sync,
    input logic [pantile_core_types::BANKS-1:0] open_read_banks,
    input logic [pantile_core_types::BANKS-1:0] open_write_banks,
    input logic [2:0] open_read_points,  // the points that must be reached before the read ports are free
    output logic [7:0] next_slot,
    input logic put,
    input logic [4:0] put_index,
    input logic [15:0] put_channel,
    input logic [1:0] put_point,
    input logic [31:0] put_amount,
    // Points reached, by kind; several in one clock may name different slots.
    input logic [2:0] reached,
    input logic [2:0][7:0] reached_slot,
    // Deliver phase: runs from `deliver` until `is_idle`.
    input logic deliver,
    output logic is_idle,
    output logic is_due,  // something is to be delivered
    output logic add,
    output logic [15:0] add_channel,
    output logic [31:0] add_amount,
    output logic free_reads,
    output logic free_writes,
    output logic [pantile_core_types::BANKS-1:0] free_banks,
    output logic completes,
    output logic is_empty,  // nothing is in flight
    output logic overflow
);
  import pantile_core_types::*;
  localparam int SLOT_BITS = $clog2(SLOTS);
  localparam int ENTRY_BITS = SLOT_BITS + 4;

  // Signals by slot and number.
  logic [15:0] channel_of[SLOTS*SIGNALS];
  logic [31:0] amount_of[SLOTS*SIGNALS];
  logic [1:0] point_of[SLOTS*SIGNALS];

  logic [4:0] signals[SLOTS];
  logic [BANKS-1:0] reads_held[SLOTS];
  logic [BANKS-1:0] writes_held[SLOTS];
  logic [2:0] read_points[SLOTS];
  logic [2:0] pending[SLOTS];
  logic [2:0] done[SLOTS];
  logic [SLOTS-1:0] waits;  // a point is pending
  logic [SLOTS-1:0] in_use;
  logic [SLOTS-1:0] is_sync;
  logic [SLOT_BITS-1:0] head;

  typedef enum logic [2:0] {IDLE, FIND, SIGNAL, READS, WRITES, FINISH} state_t;
  state_t state;
  logic [SLOT_BITS-1:0] slot;
  logic [SLOT_BITS-1:0] found;
  logic [4:0] at;
  logic [2:0] now;

  always_comb begin
    found = '0;
    for (int s = 0; s < SLOTS; s++) if (waits[s]) found = SLOT_BITS'(s);
  end

  assign next_slot = 8'(head);
  assign is_idle = state == IDLE;
  assign is_due = waits != '0;
  assign is_empty = in_use == '0;

  logic [ENTRY_BITS-1:0] entry;
  assign entry = {slot, at[3:0]};
  assign add = state == SIGNAL && at != signals[slot] && now[point_of[entry]];
  assign add_channel = channel_of[entry];
  assign add_amount = amount_of[entry];

  // Read ports go with the last of their points, write ports with the last write.
  logic reads_end;
  assign reads_end = ((done[slot] | now) & read_points[slot]) == read_points[slot]
      && (done[slot] & read_points[slot]) != read_points[slot];
  assign free_reads = state == READS && reads_end && reads_held[slot] != '0;
  assign free_writes = state == WRITES && now[POINT_WRITTEN] && writes_held[slot] != '0;
  assign free_banks = state == READS ? reads_held[slot] : writes_held[slot];
  assign completes = state == FINISH && now[POINT_WRITTEN] && !is_sync[slot];

  always_ff @(posedge clk) begin
    case (state)
      IDLE: if (deliver) state <= FIND;
      FIND: begin
        slot <= found;
        at <= 5'd0;
        now <= pending[found];
        state <= waits == '0 ? IDLE : SIGNAL;
      end
      SIGNAL: begin
        at <= at + 5'd1;
        if (at == signals[slot]) state <= READS;
      end
      READS: state <= WRITES;
      WRITES: state <= FINISH;
      FINISH: begin
        done[slot] <= done[slot] | now;
        pending[slot] <= '0;
        waits[slot] <= 1'b0;
        if (now[POINT_WRITTEN]) in_use[slot] <= 1'b0;
        state <= FIND;
      end
      default: state <= IDLE;
    endcase
    for (int kind = 0; kind < 3; kind++)
      if (reached[kind]) begin
        pending[reached_slot[kind][SLOT_BITS-1:0]][kind] <= 1'b1;
        waits[reached_slot[kind][SLOT_BITS-1:0]] <= 1'b1;
      end
    if (open) begin
      head <= head + 1'b1;
      signals[head] <= '0;
      reads_held[head] <= open_read_banks;
      writes_held[head] <= open_write_banks;
      read_points[head] <= open_read_points;
      pending[head] <= open_is_sync ? 3'b001 : '0;
      waits[head] <= open_is_sync;
      done[head] <= '0;
      in_use[head] <= 1'b1;
      is_sync[head] <= open_is_sync;
      if (in_use[head]) overflow <= 1'b1;
    end
    if (put) begin
      // Signals follow the opening, so their command stands one behind the head.
      channel_of[{head-1'b1, put_index[3:0]}] <= put_channel;
      amount_of[{head-1'b1, put_index[3:0]}] <= put_amount;
      point_of[{head-1'b1, put_index[3:0]}] <= put_point;
      signals[head-1'b1] <= put_index + 5'd1;
    end
    if (reset) begin
      state <= IDLE;
      head <= '0;
      waits <= '0;
      in_use <= '0;
      overflow <= 1'b0;
    end
  end

  logic unused;
  assign unused = ^reached_slot ^ put_index[4];
endmodule
