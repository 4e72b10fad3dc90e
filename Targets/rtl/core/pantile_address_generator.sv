// Where the element with a number lies: the number in the mixed radix of the dims, times their strides.
//
// An element whose coordinates leave a bound is not `inside_bounds`; it is padding and touches no memory.
module pantile_address_generator (
    // Every piece looks at its part of these.
    // verilator lint_off UNUSEDSIGNAL
    input pantile_core_types::access_t access,
    // verilator lint_on UNUSEDSIGNAL
    input logic [31:0] index,
    output logic inside_bounds,
    output logic signed [47:0] address  // of its first bit
);
  import pantile_core_types::*;

  logic [31:0] rest;
  logic [31:0] digit;
  logic [BOUNDS-1:0][31:0] coordinate;

  always_comb begin
    rest = index;
    address = access.base;
    coordinate = access.offset;
    digit = 32'd0;
    for (int d = DIMS - 1; d >= 0; d--) begin
      if (access.count[d] != 32'd1) begin
        digit = rest % access.count[d];
        rest = rest / access.count[d];
        address = address + $signed(access.stride[d]) * $signed({16'd0, digit});
        for (int b = 0; b < BOUNDS; b++)
          coordinate[b] = coordinate[b] + access.coefficient[b*DIMS+d] * digit;
      end
    end
    inside_bounds = 1'b1;
    for (int b = 0; b < BOUNDS; b++)
      if (access.bounded[b] && ($signed(coordinate[b]) < 0 || $signed(coordinate[b]) >= $signed(access.limit[b])))
        inside_bounds = 1'b0;
  end
endmodule
