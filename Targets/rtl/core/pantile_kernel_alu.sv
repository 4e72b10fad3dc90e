// One micro-operation of a kernel. Integers are computed here; Float operations ask the harness, which uses the C library that the
// simulator uses too, and are absent from synthesis.
module pantile_kernel_alu (
    input logic [5:0] operation,
    input logic signed [31:0] a,
    input logic signed [31:0] b,
    input logic signed [31:0] shift,  // the register that `requantize` names
    input logic signed [63:0] first,  // immediates
    input logic signed [63:0] second,
    input logic signed [63:0] third,
    output logic signed [31:0] result
);
`ifndef SYNTHESIS
  import "DPI-C" pure function int pantile_float(
      input int operation, input int a, input int b, input longint first, input longint second
  );
`endif

  localparam logic signed [63:0] HELD = 64'sd1 <<< 30;

  logic signed [63:0] wide_a;
  logic signed [63:0] wide_b;
  logic signed [63:0] scaled;
  logic [5:0] places;
  logic unused;
  assign unused = ^{shift[31:6], third[63:6]};

  function automatic logic signed [31:0] larger(input logic signed [31:0] x, input logic signed [31:0] y);
    larger = x > y ? x : y;
  endfunction
  function automatic logic signed [31:0] smaller(input logic signed [31:0] x, input logic signed [31:0] y);
    smaller = x < y ? x : y;
  endfunction

  always_comb begin
    wide_a = 64'(a);
    wide_b = 64'(b);
    places = 6'd0;
    scaled = '0;
    case (operation)
      6'd7: begin
        places = shift[5:0];
        scaled = wide_a * wide_b;
      end
      6'd8: begin
        places = second[5:0];
        scaled = wide_a * first;
      end
      6'd9: begin
        places = third[5:0];
        scaled = wide_a * first + wide_b * second;
      end
      default: ;
    endcase
    scaled = (scaled + (64'sd1 <<< (places - 6'd1))) >>> places;
    if (scaled > HELD) scaled = HELD;
    if (scaled < -HELD) scaled = -HELD;
    case (operation)
      6'd0: result = a + b;
      6'd1: result = a - b;
      6'd2: result = a * b;
      6'd3: result = larger(a, b);
      6'd4: result = smaller(a, b);
      6'd5: result = a + first[31:0];
      6'd6: result = smaller(larger(a, first[31:0]), second[31:0]);
      6'd7, 6'd8, 6'd9: result = scaled[31:0];
      6'd32: result = a;
`ifndef SYNTHESIS
      default: result = pantile_float({26'd0, operation}, a, b, first, second);
`else
      default: result = a;
`endif
    endcase
  end
endmodule
