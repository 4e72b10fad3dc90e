// A number as signed powers of two: number = plus - minus. Combinational; see TermEncoding.
module term_recoder #(
    parameter int BITS = 8,
    parameter int ENCODING = 2  // 0: plain, 1: magnitude (sign-magnitude, two leading ones, columns), 2: Booth radix 4, 3: NAF
) (
    input  logic signed [BITS-1:0] number,
    output logic        [BITS-1:0] plus,
    output logic        [BITS-1:0] minus
);
  if (ENCODING == 0) begin : plain
    localparam logic [BITS-1:0] Sign = BITS'(1) << (BITS - 1);
    assign plus  = number & ~Sign;
    assign minus = number & Sign;
  end else if (ENCODING == 1) begin : magnitude
    // The lowest number's magnitude fits as well when it is read without a sign.
    logic [BITS-1:0] size;
    assign size  = number[BITS-1] ? -number : number;
    assign plus  = number[BITS-1] ? '0 : size;
    assign minus = number[BITS-1] ? size : '0;
  end else if (ENCODING == 2) begin : booth
    localparam int Digits = (BITS + 1) / 2;
    logic signed [2*Digits:0] extended;  // one zero below, the sign above when the width is odd
    assign extended = {(2 * Digits)'(number), 1'b0};
    logic [2*Digits-1:0] up, down;
    always_comb
      for (int d = 0; d < Digits; d++) begin
        up[2*d+:2]   = 2'b00;
        down[2*d+:2] = 2'b00;
        case (extended[2*d+:3])
          3'b001, 3'b010: up[2*d+:2] = 2'b01;
          3'b011: up[2*d+:2] = 2'b10;
          3'b101, 3'b110: down[2*d+:2] = 2'b01;
          3'b100: down[2*d+:2] = 2'b10;
          default: ;
        endcase
      end
    assign plus  = up[BITS-1:0];
    assign minus = down[BITS-1:0];
    logic unused;
    assign unused = &{1'b0, up, down};
  end else begin : naf
    logic signed [BITS:0] half, sum, digits;
    assign half   = (BITS + 1)'(number) >>> 1;
    assign sum    = (BITS + 1)'(number) + half;
    assign digits = half ^ sum;
    assign plus   = BITS'(sum & digits);
    assign minus  = BITS'(half & digits);
    logic unused;
    assign unused = &{1'b0, sum, half, digits};
  end
endmodule
