// The smallest byte range that the dims and bounds of an operand give; exact for boxes whose bounds follow the strides.
//
// A bound that fits the strides of its dims narrows them to its own range of coordinates; the other dims reach as far as they count.
module pantile_touched_range (
    // Every piece looks at its part of these.
    // verilator lint_off UNUSEDSIGNAL
    input pantile_core_types::access_t access,
    // verilator lint_on UNUSEDSIGNAL
    output logic is_empty,
    output logic [47:0] first_byte,
    output logic [47:0] last_byte
);
  import pantile_core_types::*;

  logic signed [47:0] low;
  logic signed [47:0] high;
  logic [DIMS-1:0] covered;
  logic [DIMS-1:0] used;
  logic usable;
  logic has_ratio;
  logic signed [47:0] ratio;
  logic signed [47:0] this_ratio;
  logic signed [47:0] coefficient;
  logic signed [47:0] stride;
  logic signed [47:0] span;
  logic signed [47:0] offset;
  logic signed [47:0] least;
  logic signed [47:0] most;
  logic signed [47:0] reach_first;
  logic signed [47:0] reach_last;
  logic signed [47:0] end_bit;

  always_comb begin
    low = access.base;
    high = access.base;
    covered = '0;
    is_empty = 1'b0;
    used = '0;
    usable = 1'b0;
    has_ratio = 1'b0;
    ratio = '0;
    this_ratio = '0;
    coefficient = '0;
    stride = '0;
    span = '0;
    offset = '0;
    least = '0;
    most = '0;
    reach_first = '0;
    reach_last = '0;
    for (int b = 0; b < BOUNDS; b++) begin
      if (access.bounded[b]) begin
        offset = 48'($signed(access.offset[b]));
        least = offset;
        most = offset;
        used = '0;
        usable = 1'b1;
        has_ratio = 1'b0;
        ratio = '0;
        for (int d = 0; d < DIMS; d++) begin
          coefficient = 48'($signed(access.coefficient[b*DIMS+d]));
          stride = $signed(access.stride[d]);
          if (coefficient != 0 && access.count[d] != 32'd1) begin
            used[d] = 1'b1;
            span = coefficient * $signed({16'd0, access.count[d] - 32'd1});
            if (span > 0) most = most + span;
            else least = least + span;
            if (covered[d] || stride % coefficient != 0) usable = 1'b0;
            this_ratio = stride / coefficient;
            if (has_ratio && ratio != this_ratio) usable = 1'b0;
            ratio = this_ratio;
            has_ratio = 1'b1;
          end
        end
        if (least < 0) least = '0;
        if (most > 48'($signed(access.limit[b])) - 1) most = 48'($signed(access.limit[b])) - 1;
        if (least > most) is_empty = 1'b1;
        if (usable && has_ratio) begin
          covered = covered | used;
          reach_first = ratio * (least - offset);
          reach_last = ratio * (most - offset);
          low = low + (reach_first < reach_last ? reach_first : reach_last);
          high = high + (reach_first < reach_last ? reach_last : reach_first);
        end
      end
    end
    for (int d = 0; d < DIMS; d++) begin
      if (!covered[d] && access.count[d] != 32'd1) begin
        span = $signed(access.stride[d]) * $signed({16'd0, access.count[d] - 32'd1});
        if (span > 0) high = high + span;
        else low = low + span;
      end
    end
    end_bit = high + $signed({41'd0, access.bits}) - 1;
    first_byte = low >>> 3;
    last_byte = end_bit >>> 3;
  end
endmodule
