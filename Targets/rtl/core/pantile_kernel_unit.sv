// The drain unit and the vector engine: a kernel over the points of a command, `lanes` points in each of its batches.
//
// A batch takes one cycle in the drain unit (its epilogue is a pipeline) and one cycle for each instruction slot in the vector engine;
// its results are written `latency` cycles later. In host time the lanes share one register file and one ALU.
module pantile_kernel_unit #(
    parameter bit IS_VECTOR = 1'b0,
    parameter int RESULTS = 8192  // most results in the pipeline
) (
    input logic clk,
    input logic reset,
    input logic act,
    input logic [31:0] cycle,
    input logic [31:0] lanes,
    input logic [31:0] latency,
    input logic slot_short,  // a planted fault
    // A command issues, when `accepts`.
    input logic start,
    input logic [7:0] start_slot,
    // Every piece looks at its part of these.
    // verilator lint_off UNUSEDSIGNAL
    input pantile_core_types::command_t command,
    input pantile_core_types::access_t [pantile_core_types::OPERANDS-1:0] operands,
    // verilator lint_on UNUSEDSIGNAL
    output logic accepts,
    output logic is_moving,  // host time is needed before the phase may go on
    // Eight words of the Program's image.
    output logic [31:0] fetch_address,
    input logic [7:0][63:0] fetch_words,
    // Element ports.
    output logic [1:0] read_memory,
    output logic [47:0] read_address,
    input logic [63:0] read_data,
    output logic write,
    output logic [1:0] write_memory,
    output logic [47:0] write_address,
    output logic [3:0] write_bytes,
    output logic [63:0] write_data,
    output logic [2:0] reached,
    output logic [2:0][7:0] reached_slot,
    output logic overflow
);
  import pantile_core_types::*;
  localparam int RESULT_BITS = $clog2(RESULTS);

  typedef enum logic [3:0] {
    IDLE, INPUTS, INPUT, PROLOGUE, REDUCTION, EPILOGUE, RESULT, FUSION, SETTLE, READY, POINT, LOAD, EXECUTE, FOLD, STORE, RETIRE
  } state_t;
  state_t state;

  // The kernel.
  logic [31:0] pc;
  logic [3:0] inputs;
  logic [3:0] input_at;
  logic [OPERANDS-1:0] of_result;
  logic [OPERANDS-1:0][3:0] register_of;
  logic [31:0] prologue;
  logic [31:0] prologue_count;
  logic [31:0] epilogue;
  logic [31:0] epilogue_count;
  logic [2:0] reduction;
  logic [3:0] reduced_register;
  logic [3:0] output_register;
  logic fuses;

  // The command.
  logic active;
  logic [7:0] slot;
  access_t [OPERANDS-1:0] accesses;
  logic [3:0] output_operand;
  logic [31:0] reduced;
  logic [31:0] points;
  logic [31:0] point;     // next to be worked on
  logic [31:0] batch_end;
  logic [31:0] slots;
  logic [31:0] slots_left;
  logic [31:0] pipe_left;  // cycles until the last result is written
  logic draining;

  // One point in host time.
  logic [31:0] step;
  logic in_epilogue;
  logic [31:0] executed;
  logic signed [31:0] registers[16];
  logic signed [31:0] folded;

  // The pipeline: results in order with their cycle.
  logic [47:0] result_address[RESULTS];
  logic [31:0] result_data[RESULTS];
  logic [31:0] result_due[RESULTS];
  logic [RESULTS-1:0] result_inside;
  logic [RESULT_BITS-1:0] result_tail;
  logic [RESULT_BITS-1:0] result_head;
  logic [RESULT_BITS:0] results;

  // verilator lint_off UNUSEDSIGNAL
  access_t written;  // the result's operand as it comes in
  // verilator lint_on UNUSEDSIGNAL
  assign written = operands[3'(command.operand_count - 4'd1)];
  access_t out;
  assign out = accesses[output_operand[2:0]];

  logic signed [47:0] address;
  logic inside_bounds;
  access_t walked;
  logic [31:0] index;
  always_comb begin
    walked = state == STORE ? out : accesses[input_at[2:0]];
    index = state == STORE || of_result[input_at[2:0]] ? point : point * reduced + step;
  end
  pantile_address_generator generator (
      .access(walked), .index(index), .inside_bounds(inside_bounds), .address(address)
  );
  assign read_memory = walked.memory;
  assign read_address = 48'(address >>> 3);
  logic signed [31:0] loaded;
  assign loaded = !inside_bounds ? walked.pad
      : walked.bits == 7'd8 ? {{24{read_data[7]}}, read_data[7:0]} : read_data[31:0];

  // The ALU serves instructions and, with the operation of the reduction, the fold.
  logic [5:0] operation;
  logic signed [31:0] a;
  logic signed [31:0] b;
  logic signed [31:0] computed;
  always_comb begin
    operation = state == EXECUTE ? fetch_words[0][5:0] : 6'd0;
    a = registers[fetch_words[2][3:0]];
    b = registers[fetch_words[3][3:0]];
    if (state == FOLD) begin
      a = step == 32'd0 ? 32'sd0 : folded;
      b = registers[reduced_register];
      case (reduction)
        3'd1: operation = 6'd0;
        3'd2: operation = 6'd3;
        3'd3: operation = 6'd10;
        3'd4: operation = 6'd14;
        3'd5: operation = 6'd4;
        default: operation = 6'd15;
      endcase
    end
  end
  pantile_kernel_alu alu (
      .operation(operation), .a(a), .b(b), .shift(registers[fetch_words[5][3:0]]), .first(fetch_words[5]),
      .second(fetch_words[6]), .third(fetch_words[7]), .result(computed)
  );

  assign fetch_address = state == EXECUTE ? (in_epilogue ? epilogue : prologue) + (executed << 3) : pc;
  assign accepts = !active && state == IDLE;
  assign is_moving = state != IDLE && state != READY;

  logic [31:0] each;
  logic [31:0] slots_wanted;
  always_comb begin
    each = prologue_count + (reduction != 3'd0 && !fuses ? 32'd1 : 32'd0);
    slots_wanted = reduced * each + epilogue_count;
    if (slots_wanted == 32'd0) slots_wanted = 32'd1;
    if (slot_short && slots_wanted > 32'd1) slots_wanted = slots_wanted - 32'd1;
    if (!IS_VECTOR) slots_wanted = 32'd1;
  end

  logic unused;
  assign unused = ^{fetch_words[4], read_data[63:32], output_operand[3]};

  logic batch_now;  // a batch ends with this cycle
  assign batch_now = active && !draining && slots_left == 32'd1;
  logic last_batch;
  assign last_batch = point + lanes >= points;
  logic ends_now;
  assign ends_now = (draining && pipe_left == 32'd1) || (batch_now && last_batch && latency == 32'd0);

  logic retires;
  assign retires = state == RETIRE && results != '0 && result_due[result_head] == cycle;
  assign write = retires && result_inside[result_head];
  assign write_memory = out.memory;
  assign write_address = result_address[result_head];
  assign write_bytes = out.bits[6:3];
  assign write_data = {32'd0, result_data[result_head]};

  always_comb begin
    reached = '0;
    reached[POINT_WRITTEN] = act && ends_now;
    reached_slot = {slot, slot, slot};
  end

  // Machine time stops at `act`: the cycle's batch is worked on and results that are due are written after it, still for this
  // cycle (`cycle` counts on only when all units are idle again).
  always_ff @(posedge clk) begin
    case (state)
      IDLE: ;
      INPUTS: begin
        inputs <= fetch_words[0][3:0];
        pc <= pc + 32'd1;
        input_at <= '0;
        state <= fetch_words[0][3:0] == 4'd0 ? PROLOGUE : INPUT;
      end
      INPUT: begin
        of_result[input_at[2:0]] <= fetch_words[1][0];
        register_of[input_at[2:0]] <= fetch_words[2][3:0];
        pc <= pc + 32'd3;
        input_at <= input_at + 4'd1;
        if (input_at + 4'd1 == inputs) state <= PROLOGUE;
      end
      PROLOGUE: begin
        prologue_count <= fetch_words[0][31:0];
        prologue <= pc + 32'd1;
        pc <= pc + 32'd1 + (fetch_words[0][31:0] << 3);
        state <= REDUCTION;
      end
      REDUCTION: begin
        reduction <= fetch_words[0][2:0];
        reduced_register <= fetch_words[1][3:0];
        pc <= pc + 32'd2;
        state <= EPILOGUE;
      end
      EPILOGUE: begin
        epilogue_count <= fetch_words[0][31:0];
        epilogue <= pc + 32'd1;
        pc <= pc + 32'd1 + (fetch_words[0][31:0] << 3);
        state <= RESULT;
      end
      RESULT: begin
        output_register <= fetch_words[0][3:0];
        // Looks back at the last instruction of the prologue: a product that is summed at once costs no slot.
        pc <= prologue + (prologue_count << 3) - 32'd8;
        state <= FUSION;
      end
      FUSION: begin
        fuses <= prologue_count != 32'd0 && (fetch_words[0] == 64'd2 || fetch_words[0] == 64'd12);
        state <= SETTLE;
      end
      SETTLE: begin
        slots <= slots_wanted;
        slots_left <= slots_wanted;
        state <= READY;
      end
      READY: ;

      POINT:
      if (point == batch_end) begin
        state <= RETIRE;
      end else begin
        step <= '0;
        in_epilogue <= 1'b0;
        input_at <= '0;
        state <= LOAD;
      end
      LOAD:
      if (input_at == inputs) begin
        executed <= '0;
        state <= EXECUTE;
      end else begin
        if (of_result[input_at[2:0]] == in_epilogue) registers[register_of[input_at[2:0]]] <= loaded;
        input_at <= input_at + 4'd1;
      end
      EXECUTE:
      if (executed == (in_epilogue ? epilogue_count : prologue_count)) begin
        state <= in_epilogue ? STORE : FOLD;
      end else begin
        registers[fetch_words[1][3:0]] <= computed;
        executed <= executed + 32'd1;
      end
      FOLD: begin
        // A Float sum starts from +0; every other reduction starts from its first value.
        if (reduction != 3'd0)
          folded <= step == 32'd0 && reduction != 3'd3 ? registers[reduced_register] : computed;
        if (step + 32'd1 == reduced) begin
          if (reduction != 3'd0)
            registers[reduced_register] <= step == 32'd0 && reduction != 3'd3 ? registers[reduced_register] : computed;
          in_epilogue <= 1'b1;
        end
        step <= step + 32'd1;
        input_at <= '0;
        state <= LOAD;
      end
      STORE: begin
        result_address[result_tail] <= 48'(address >>> 3);
        result_data[result_tail] <= registers[output_register];
        result_due[result_tail] <= cycle + latency;
        result_inside[result_tail] <= inside_bounds;
        result_tail <= result_tail + 1'b1;
        results <= results + 1'b1;
        if (results == (RESULT_BITS + 1)'(RESULTS)) overflow <= 1'b1;
        point <= point + 32'd1;
        state <= POINT;
      end
      RETIRE:
      if (retires) begin
        result_head <= result_head + 1'b1;
        results <= results - 1'b1;
      end else begin
        state <= active ? READY : IDLE;
      end
      default: state <= IDLE;
    endcase

    if (start) begin
      active <= 1'b1;
      draining <= 1'b0;
      slot <= start_slot;
      accesses <= operands;
      output_operand <= command.operand_count - 4'd1;
      reduced <= command.reduced;
      pc <= command.kernel;
      point <= '0;
      points <= written.count[0] * written.count[1] * written.count[2] * written.count[3] * written.count[4]
          * written.count[5];
      state <= INPUTS;
    end

    if (act) begin
      state <= RETIRE;
      if (active && !draining) slots_left <= slots_left - 32'd1;
      if (batch_now) begin
        slots_left <= slots;
        batch_end <= last_batch ? points : point + lanes;
        draining <= last_batch;
        pipe_left <= latency;
        state <= POINT;
      end
      if (draining) pipe_left <= pipe_left - 32'd1;
      if (ends_now) begin
        draining <= 1'b0;
        active <= 1'b0;
      end
    end
    if (reset) begin
      state <= IDLE;
      active <= 1'b0;
      draining <= 1'b0;
      results <= '0;
      result_head <= '0;
      result_tail <= '0;
      overflow <= 1'b0;
    end
  end
endmodule
