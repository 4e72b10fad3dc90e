// One unit of a bit-serial machine: elements that take the terms of the same LANES numbers, each with numbers of its own to add.
//
// A step is begun in the cycle in which `may_begin` is seen, and its first terms are added in it. At a group's end the sums go to the
// holding register as soon as HANDOVER cycles have passed since the last ones; there a scale multiplies them, one bit a cycle for SCALE
// cycles (0: at once), and they leave after DRAIN more.
module serial_unit #(
    parameter int ELEMENTS = 4,
    parameter int LANES = 4,
    parameter int BITS = 8,
    parameter int ENCODING = 2,
    parameter int POLICY = 1,  // 0: fixed, 1: skip zero terms, 2: skip zero columns, 3: inverted columns
    parameter int REACH = 32,
    parameter int TERMS = 4,
    parameter int SCALE = 0,
    parameter int DRAIN = 0,
    parameter int HANDOVER = 0
) (
    input  logic                         clock,
    input  logic                         reset,
    input  logic                         run,
    input  logic                         may_begin,
    input  logic [                 31:0] steps,
    input  logic [                 31:0] group_steps,
    input  logic [        LANES*16-1:0] serial,
    input  logic [ELEMENTS*LANES*16-1:0] other,
    input  logic [      ELEMENTS*16-1:0] scale,
    output logic                         begins,
    output logic [                 31:0] begun,
    output logic [                 31:0] step_in_fold,
    output logic [                 31:0] ended,
    output logic [                 31:0] ended_next,
    output logic [                 31:0] scaling_group,
    output logic                         leaves,
    output logic [                 31:0] leaves_group,
    output logic [      ELEMENTS*64-1:0] leaves_value
);
  logic working, held, group_ends;
  logic [31:0] in_group, groups, handover_in, fixed_left, column;
  logic [LANES*BITS-1:0] plus_left, minus_left;
  logic [ELEMENTS*64-1:0] sums, holding, scaled, leaving;
  logic [31:0] scale_left, scale_bit, leaves_in, holding_group, leaving_group;

  assign begins = run && !working && !held && may_begin;
  logic active;
  assign active = run && (working || begins);

  // Terms of the step: fresh ones, or what is left.
  logic [LANES*BITS-1:0] plus_new, minus_new, plus_now, minus_now, plus_next, minus_next;
  for (genvar l = 0; l < LANES; l++) begin : lane
    term_recoder #(
        .BITS(BITS),
        .ENCODING(ENCODING)
    ) recoder (
        .number(serial[l*16+:BITS]),
        .plus  (plus_new[l*BITS+:BITS]),
        .minus (minus_new[l*BITS+:BITS])
    );
  end
  assign plus_now  = begins ? plus_new : plus_left;
  assign minus_now = begins ? minus_new : minus_left;
  logic [31:0] fixed_now, column_now;
  assign fixed_now  = begins ? 32'(TERMS) : fixed_left;
  assign column_now = begins ? 32'd0 : column;

  // Which lane adds which power of two in this cycle.
  logic [BITS-1:0] any, lowest;
  logic [LANES*BITS-1:0] chosen;
  logic [LANES-1:0] negative;
  always_comb begin
    any = '0;
    for (int l = 0; l < LANES; l++) any |= plus_now[l*BITS+:BITS] | minus_now[l*BITS+:BITS];
    lowest = any & -any;
  end
  always_comb begin
    plus_next  = plus_now;
    minus_next = minus_now;
    chosen     = '0;
    negative   = '0;
    for (int l = 0; l < LANES; l++) begin : choose
      logic [BITS-1:0] pending, first;
      logic [63:0] limit;
      pending = plus_now[l*BITS+:BITS] | minus_now[l*BITS+:BITS];
      first   = pending & -pending;
      limit   = 64'(lowest) << REACH;
      if ((POLICY != 2 || first == lowest) && (REACH >= 32 || 64'(first) <= limit)) begin
        chosen[l*BITS+:BITS]     = first;
        negative[l]              = |(minus_now[l*BITS+:BITS] & first);
        plus_next[l*BITS+:BITS]  = plus_now[l*BITS+:BITS] & ~first;
        minus_next[l*BITS+:BITS] = minus_now[l*BITS+:BITS] & ~first;
      end
    end
  end

  // Inverted columns: the lanes of the minority, and whether it is that of the zeros.
  logic [LANES-1:0] ones;
  logic inverts;
  always_comb begin : majority
    logic [31:0] count;
    count = 0;
    for (int l = 0; l < LANES; l++) begin
      ones[l] = serial[l*16+32'(column_now[3:0])];
      count += 32'(ones[l]);
    end
    inverts = count > 32'(LANES / 2);
  end

  logic [ELEMENTS*64-1:0] sums_now;
  for (genvar e = 0; e < ELEMENTS; e++) begin : element
    logic signed [63:0] step_sum, all, minority;
    always_comb begin
      step_sum = '0;
      all = '0;
      minority = '0;
      for (int l = 0; l < LANES; l++) begin : add
        logic signed [63:0] value, shifted;
        value   = 64'($signed(other[(e*LANES+l)*16+:16]));
        shifted = '0;
        for (int b = 0; b < BITS; b++) if (chosen[l*BITS+b]) shifted = value <<< b;
        if (POLICY == 3) begin
          all += value;
          if (ones[l] != inverts) minority += value;
        end else step_sum += negative[l] ? -shifted : shifted;
      end
      if (POLICY == 3) begin
        if (inverts) minority = all - minority;
        step_sum = (column_now == 32'(BITS - 1) ? -minority : minority) <<< column_now;
      end
    end
    assign sums_now[e*64+:64] = sums[e*64+:64] + (active ? step_sum : 64'd0);
  end

  logic done, ends_step, is_group_end, wants, handover;
  always_comb
    case (POLICY)
      0: done = fixed_now == 32'd1;
      3: done = column_now == 32'(BITS - 1);
      default: done = (plus_next | minus_next) == '0;
    endcase
  assign ends_step = active && done;
  assign is_group_end = in_group + 32'd1 == group_steps || step_in_fold + 32'd1 == steps;
  assign wants = (ends_step && is_group_end) || (run && held);
  assign handover = wants && handover_in <= 32'd1;
  assign group_ends = handover;
  assign ended_next = ended + 32'((ends_step && !is_group_end) || handover);

  // Scaling, then the way out.
  logic [ELEMENTS*64-1:0] scaled_next;
  for (genvar e = 0; e < ELEMENTS; e++) begin : scaler
    if (SCALE == 0) begin : at_once
      assign scaled_next[e*64+:64] = sums_now[e*64+:64] * 64'(scale[e*16+:16]);
    end else begin : by_bits
      assign scaled_next[e*64+:64] = scaled[e*64+:64]
          + (scale[e*16+32'(scale_bit[3:0])] ? holding[e*64+:64] << scale_bit : 64'd0);
    end
  end
  logic leave_now;
  logic [31:0] leave_group;
  assign leave_now = (SCALE == 0) ? handover : scale_left == 32'd1;
  assign leave_group = (SCALE == 0) ? groups : holding_group;
  assign scaling_group = leave_group;
  assign leaves = (DRAIN == 0) ? leave_now : leaves_in == 32'd1;
  assign leaves_group = (DRAIN == 0) ? leave_group : leaving_group;
  assign leaves_value = (DRAIN == 0) ? scaled_next : leaving;

  always_ff @(posedge clock)
    if (reset) begin
      working      <= 1'b0;
      held         <= 1'b0;
      begun        <= '0;
      ended        <= '0;
      step_in_fold <= '0;
      in_group     <= '0;
      groups       <= '0;
      handover_in  <= '0;
      fixed_left   <= '0;
      column       <= '0;
      plus_left    <= '0;
      minus_left   <= '0;
      sums         <= '0;
      holding      <= '0;
      scaled       <= '0;
      leaving      <= '0;
      scale_left   <= '0;
      scale_bit    <= '0;
      leaves_in    <= '0;
      holding_group <= '0;
      leaving_group <= '0;
    end else begin
      if (begins) begun <= begun + 32'd1;
      working <= active && !done;
      ended   <= ended_next;
      if (active) begin
        plus_left  <= plus_next;
        minus_left <= minus_next;
        fixed_left <= fixed_now - 32'd1;
        column     <= column_now + 32'd1;
      end
      if (ends_step) begin
        in_group     <= is_group_end ? '0 : in_group + 32'd1;
        step_in_fold <= step_in_fold + 32'd1 == steps ? '0 : step_in_fold + 32'd1;
      end
      if (run) held <= wants && !handover;
      sums <= handover ? '0 : sums_now;
      if (handover) begin
        holding       <= sums_now;
        holding_group <= groups;
        groups        <= groups + 32'd1;
        scaled        <= '0;
        scale_bit     <= '0;
        scale_left    <= 32'(SCALE);
        handover_in   <= 32'(HANDOVER);
      end else begin
        if (handover_in != 0) handover_in <= handover_in - 32'd1;
        if (scale_left != 0) begin
          scaled     <= scaled_next;
          scale_bit  <= scale_bit + 32'd1;
          scale_left <= scale_left - 32'd1;
        end
      end
      if (leave_now) begin
        leaving       <= scaled_next;
        leaving_group <= leave_group;
        leaves_in     <= 32'(DRAIN);
      end else if (leaves_in != 0) leaves_in <= leaves_in - 32'd1;
    end
  logic unused;
  assign unused = &{1'b0, column_now, scale_bit, any, lowest, plus_new, minus_new, chosen, negative, ones, inverts, serial,
                    holding, scaled, scale_left, group_ends};
endmodule
