// A processing element of the output-stationary N:M array: it selects one of the GROUP activations that pass, multiplies, and adds to
// the sum of the beat's context; a first beat starts from zero. A sum is written LATENCY cycles behind its issue.
module nm_os_pe #(
    parameter int GROUP = 4,
    parameter int INDEX_WIDTH = 2,
    parameter int CONTEXTS = 1,
    parameter int LATENCY = 1,
    parameter int STAGES = 0,
    parameter bit HAS_OUTPUT = 1
) (
    input  logic                    clock,
    input  logic                    reset,
    input  logic                    beat_valid,
    input  logic                    beat_first,
    input  logic                    beat_last,
    input  logic [             7:0] beat_context,
    input  logic signed [      7:0] beat_value,
    input  logic [ INDEX_WIDTH-1:0] beat_index,
    input  logic [     GROUP*8-1:0] group,
    input  logic                    shift,          // results of a context move down
    input  logic [             7:0] shift_context,
    input  logic signed [     31:0] above,
    output logic signed [     31:0] below
);
  logic signed [7:0] activation;
  logic signed [15:0] exact;
  assign activation = group[32'(beat_index)*8+:8];
  assign exact = activation * beat_value;

  typedef struct packed {
    logic valid;
    logic first;
    logic last;
    logic [7:0] context_number;
    logic [15:0] product;
  } term_t;
  typedef struct packed {
    logic valid;
    logic last;
    logic [7:0] context_number;
    logic [31:0] total;
  } sum_t;
  term_t multiplied, term;
  sum_t added, written;
  logic signed [31:0] sums[CONTEXTS];

  assign multiplied = {beat_valid, beat_first, beat_last, beat_context, exact};
  delay #(
      .WIDTH($bits(multiplied)),
      .DEPTH(STAGES)
  ) multiplier (
      .clock,
      .reset,
      .enable(1'b1),
      .in(multiplied),
      .out(term)
  );
  assign added = {
    term.valid,
    term.last,
    term.context_number,
    (term.first ? 32'd0 : held(term.context_number)) + 32'(signed'(term.product))
  };
  delay #(
      .WIDTH($bits(added)),
      .DEPTH(LATENCY - 1)
  ) adder (
      .clock,
      .reset,
      .enable(1'b1),
      .in(added),
      .out(written)
  );

  function automatic logic [31:0] held(input logic [7:0] context_number);
    held = '0;
    for (int i = 0; i < CONTEXTS; i++) if (8'(i) == context_number) held = sums[i];
  endfunction

  if (HAS_OUTPUT) begin : overlapped
    logic signed [31:0] results[CONTEXTS];
    always_ff @(posedge clock)
      for (int i = 0; i < CONTEXTS; i++)
        if (reset) begin
          sums[i] <= '0;
          results[i] <= '0;
        end else begin
          if (written.valid && written.context_number == 8'(i)) sums[i] <= written.total;
          // New results may come in the last cycle of the old ones' way down.
          if (written.valid && written.last && written.context_number == 8'(i)) results[i] <= written.total;
          else if (shift && shift_context == 8'(i)) results[i] <= above;
        end
    always_comb begin
      below = '0;
      for (int i = 0; i < CONTEXTS; i++) if (8'(i) == shift_context) below = results[i];
    end
  end else begin : serial
    always_ff @(posedge clock)
      for (int i = 0; i < CONTEXTS; i++)
        if (reset) sums[i] <= '0;
        else if (written.valid && written.context_number == 8'(i)) sums[i] <= written.total;
        else if (shift && shift_context == 8'(i)) sums[i] <= above;
    always_comb begin
      below = '0;
      for (int i = 0; i < CONTEXTS; i++) if (8'(i) == shift_context) below = sums[i];
    end
    logic unused;
    assign unused = &{1'b0, written.last};
  end
endmodule
