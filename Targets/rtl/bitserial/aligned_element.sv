// One element's sum in floating point: LANES float16 activations, each times a signed power of two, are aligned to the largest exponent of
// the cycle, rounded to nearest there (ties to even, 3 guard bits), and added; their sum is added to a float32 with one rounding.
module aligned_element #(
    parameter int LANES = 4,
    parameter int FAULT = 0
) (
    input  logic                clock,
    input  logic                reset,
    input  logic                enable,
    input  logic                clear,       // the sum before counts as zero
    input  logic [   LANES-1:0] present,     // a lane without a term adds nothing
    input  logic [   LANES-1:0] negative,
    input  logic [ LANES*4-1:0] power,
    input  logic [LANES*16-1:0] activation,
    output logic [        31:0] sum
);
  localparam int Guard = FAULT == 1 ? 2 : 3;
  localparam int Lane = 11 + Guard;
  localparam int Total = Lane + $clog2(LANES) + 1;

  // Exponents: a subnormal's is the smallest normal's; powers add to it.
  logic [LANES-1:0] counts, minus;
  logic [LANES*6-1:0] exponents;
  logic [LANES*11-1:0] significands;
  logic [5:0] largest;
  always_comb begin
    largest = '0;
    for (int l = 0; l < LANES; l++) begin
      automatic logic [15:0] code;
      automatic logic [5:0] exponent;
      code = activation[l*16+:16];
      counts[l] = present[l] && code[14:0] != '0;
      minus[l] = code[15] ^ negative[l];
      significands[l*11+:11] = {code[14:10] != '0, code[9:0]};
      exponent = {1'b0, code[14:10]} + {5'd0, code[14:10] == '0 && FAULT != 2} + {2'b00, power[l*4+:4]};
      exponents[l*6+:6] = exponent;
      if (counts[l] && exponent > largest) largest = exponent;
    end
  end

  // Significands under the largest exponent.
  logic signed [Total-1:0] total;
  always_comb begin
    total = '0;
    for (int l = 0; l < LANES; l++) begin
      automatic logic [5:0] distance;
      automatic logic [2*Lane:0] wide;
      automatic logic [Lane-1:0] kept;
      automatic logic up;
      distance = largest - exponents[l*6+:6];
      // Below the last place: the half, and all that is below it.
      wide = {significands[l*11+:11], {Guard{1'b0}}, {(Lane + 1) {1'b0}}} >> (distance > 6'(Lane) ? 6'(Lane + 1) : distance);
      kept = wide[2*Lane:Lane+1];
      up = wide[Lane] && ((|wide[Lane-1:0]) || kept[0] || FAULT == 3) && FAULT != 4;
      if (counts[l]) begin
        if (minus[l]) total -= $signed(Total'(kept) + Total'(up));
        else total += $signed(Total'(kept) + Total'(up));
      end
    end
  end

  // As a float: the leading one to the top.
  logic [Total-1:0] magnitude;
  logic [4:0] place;
  logic [23:0] significand;
  logic signed [9:0] exponent;
  assign magnitude = total[Total-1] ? -total : total;
  always_comb begin
    place = '0;
    for (int i = 0; i < Total; i++) if (magnitude[i]) place = 5'(i);
  end
  assign significand = 24'(magnitude) << (5'd23 - place);
  // The largest exponent's last guard bit weighs 2^(largest - 15 - 10 - Guard).
  assign exponent = 10'(place) + 10'(largest) + 10'(127 - 25 - Guard + (FAULT == 5 ? 1 : 0));

  logic [31:0] next;
  float_add add (
      .sum(clear ? '0 : sum),
      .sign(total[Total-1]),
      .exponent,
      .significand,
      .is_nan(1'b0),
      .is_infinite(1'b0),
      .result(next)
  );
  always_ff @(posedge clock)
    if (reset) sum <= '0;
    else if (enable) sum <= next;
endmodule
