// The RTL twin of a bit-serial machine: units, the scopes that hold them together, operand streams, and the sequence of folds.
//
// Machine contract: `Docs/engines/bitserial.md`. Operands answer in the cycle in which a unit says its step; a unit keeps it until the
// next begins.
module serial_twin #(
    parameter int UNITS = 4,
    parameter int ELEMENTS = 4,
    parameter int LANES = 4,
    parameter int BITS = 8,
    parameter int ENCODING = 2,
    parameter int POLICY = 1,
    parameter int REACH = 32,
    parameter int TERMS = 4,
    parameter int SYNC = 4,      // units of a scope
    parameter int AHEAD = 0,     // steps that a unit may be ahead of the last of its scope
    parameter int SCALE = 0,
    parameter int DRAIN = 0,
    parameter int FEED = 0,      // cycles that the streams need for the operands of one step; 0: none
    parameter int SLOTS = 2,
    parameter int FILL = 0,
    parameter int VARIANT = 1,   // 0: serial, 1: overlapped
    parameter int FAULT = 0      // an interval that is one cycle or step off; see BitSerialMachineStepper.Fault
) (
    input  logic                               clock,
    input  logic                               reset,
    input  logic [                       31:0] steps,
    input  logic [                       31:0] group_steps,
    input  logic [                       31:0] folds,
    output logic                               busy,
    output logic [                  UNITS-1:0] begins,
    output logic [               UNITS*32-1:0] begun,
    input  logic [         UNITS*LANES*16-1:0] serial,
    input  logic [UNITS*ELEMENTS*LANES*16-1:0] other,
    output logic [               UNITS*32-1:0] scaling_group,
    input  logic [      UNITS*ELEMENTS*16-1:0] scale,
    output logic [                  UNITS-1:0] leaves,
    output logic [               UNITS*32-1:0] leaves_group,
    output logic [      UNITS*ELEMENTS*64-1:0] leaves_value
);
  localparam int Interval = ((SCALE > DRAIN) ? SCALE : DRAIN);
  localparam int Handover = (FAULT == 1 && Interval > 0) ? Interval - 1 : Interval;
  localparam int Feed = (FAULT == 2 && FEED > 0) ? FEED - 1 : FEED;
  localparam int Ahead = (FAULT == 3) ? AHEAD + 1 : AHEAD;
  localparam int Fill = (FAULT == 4 && FILL > 0) ? FILL - 1 : FILL;
  localparam int Tail = SCALE + DRAIN;
  localparam int Early = (FAULT == 5) ? 1 : 0;
  localparam int Scopes = (UNITS + SYNC - 1) / SYNC;

  logic [UNITS*32-1:0] ended, ended_next, in_fold;
  logic [31:0] fill_left, tail_left, phase_fold, fetch_left, fetched, total, limit, available;
  logic finished, run;
  assign total = steps * folds;
  assign limit = (VARIANT == 0) ? (phase_fold + 32'd1) * steps : total;
  assign run   = !finished && fill_left == 0 && tail_left == 0;
  assign busy  = !finished;

  // The slowest unit of each scope and of all, as the registers say and as they will.
  logic [Scopes*32-1:0] slowest;
  logic [31:0] slowest_all, slowest_next;
  always_comb begin
    slowest = '1;
    slowest_all = '1;
    slowest_next = '1;
    for (int u = 0; u < UNITS; u++) begin
      if (ended[u*32+:32] < slowest[(u/SYNC)*32+:32]) slowest[(u/SYNC)*32+:32] = ended[u*32+:32];
      if (ended[u*32+:32] < slowest_all) slowest_all = ended[u*32+:32];
      if (ended_next[u*32+:32] < slowest_next) slowest_next = ended_next[u*32+:32];
    end
  end

  // Operand streams.
  logic [31:0] fetch_now;
  assign fetch_now = (Feed > 0 && fetch_left == 0 && fetched < limit && slowest_all + 32'(SLOTS) > fetched)
      ? 32'(Feed) : fetch_left;
  assign available = (Feed > 0) ? fetched : total;

  for (genvar u = 0; u < UNITS; u++) begin : unit
    logic may_begin;
    logic [31:0] number, place;
    assign number = begun[u*32+:32];
    assign place  = in_fold[u*32+:32];
    assign may_begin = number < limit && number < available && slowest_all + 32'(Early) >= number - place
        && (place <= 32'(Ahead) || slowest[(u/SYNC)*32+:32] + 32'(Ahead) >= number);
    serial_unit #(
        .ELEMENTS(ELEMENTS),
        .LANES(LANES),
        .BITS(BITS),
        .ENCODING(ENCODING),
        .POLICY(POLICY),
        .REACH(REACH),
        .TERMS(TERMS),
        .SCALE(SCALE),
        .DRAIN(DRAIN),
        .HANDOVER(Handover)
    ) unit (
        .clock,
        .reset,
        .run,
        .may_begin,
        .steps,
        .group_steps,
        .serial(serial[u*LANES*16+:LANES*16]),
        .other(other[u*ELEMENTS*LANES*16+:ELEMENTS*LANES*16]),
        .scale(scale[u*ELEMENTS*16+:ELEMENTS*16]),
        .begins(begins[u]),
        .begun(begun[u*32+:32]),
        .step_in_fold(in_fold[u*32+:32]),
        .ended(ended[u*32+:32]),
        .ended_next(ended_next[u*32+:32]),
        .scaling_group(scaling_group[u*32+:32]),
        .leaves(leaves[u]),
        .leaves_group(leaves_group[u*32+:32]),
        .leaves_value(leaves_value[u*ELEMENTS*64+:ELEMENTS*64])
    );
  end

  always_ff @(posedge clock)
    if (reset) begin
      fill_left  <= 32'(Fill);
      tail_left  <= '0;
      phase_fold <= '0;
      fetch_left <= '0;
      fetched    <= '0;
      finished   <= 1'b0;
    end else begin
      if (fill_left != 0) fill_left <= fill_left - 32'd1;
      if (run && fetch_now != 0) begin
        fetch_left <= fetch_now - 32'd1;
        if (fetch_now == 32'd1) fetched <= fetched + 32'd1;
      end
      // The end of a fold, or with overlap of the product: the last results leave, then the next fold fills.
      if ((run && slowest_next == limit && Tail == 0) || tail_left == 32'd1) begin
        tail_left  <= '0;
        phase_fold <= phase_fold + 32'd1;
        if (VARIANT != 0 || phase_fold + 32'd1 == folds) finished <= 1'b1;
        else fill_left <= 32'(Fill);
      end else if (run && slowest_next == limit) tail_left <= 32'(Tail);
      else if (tail_left != 0) tail_left <= tail_left - 32'd1;
    end
endmodule
