// Walks the loop nest of one queue in the image of its Program and hands out one command at a time: guards decided, affine
// values added up, operands resolved, banks known.
//
// One word of the image a host clock. `ready` stands until `advance`; `is_done` stands at the end of the queue.
module pantile_sequencer #(
    parameter int LOOPS = 8
) (
    input logic clk,
    input logic reset,
    input logic start,
    input logic [31:0] start_address,
    output logic [31:0] fetch_address,
    input logic signed [63:0] fetch_word,
    input logic [7:0] dram_id,
    input logic [7:0] scratchpad_id,
    input logic [31:0] bank_bytes,
    input logic advance,
    output logic ready,
    output logic is_done,
    output pantile_core_types::command_t command,
    output pantile_core_types::access_t [pantile_core_types::OPERANDS-1:0] operands
);
  import pantile_core_types::*;

  localparam int DEPTH_BITS = $clog2(LOOPS + 1);
  localparam int LOOP_BITS = $clog2(LOOPS);

  typedef enum logic [5:0] {
    IDLE, ENTRY, ENTER_COUNT, ENTER_EXIT, LEAVE, NEXT, ORDINAL, OPERATION, LAYER, GUARDED, WAIT_COUNT, WAIT_CHANNEL,
    WAIT_AMOUNT, WAIT_GUARDED, SIGNAL_COUNT, SIGNAL_CHANNEL, SIGNAL_POINT, SIGNAL_AMOUNT, SIGNAL_GUARDED, BODY, EXTENT_M,
    EXTENT_N, EXTENT_K, FORMATS, INITIAL, KERNEL, REDUCED, OPERAND_COUNT, MEMORY, BITS, PAD, BASE, DIM_COUNT, DIM_EXTENT,
    DIM_STRIDE, ROTATION, ROTATION_INDEX, SLOT_BITS, BOUND_COUNT, BOUND_OFFSET, LIMIT, COEFFICIENT, RANGE, READY, GUARD_COUNT,
    GUARD_ITEM, EXTENT_FULL, EXTENT_DEPTH, EXTENT_LAST, AFFINE_CONSTANT, AFFINE_COUNT, AFFINE_DEPTH, AFFINE_FACTOR
  } state_t;

  state_t state;
  state_t after;  // where a guard list, an extent or an affine value returns to
  logic [31:0] pc;
  logic [31:0] next_entry;
  logic [LOOPS-1:0][31:0] index;
  logic [LOOPS-1:0][31:0] trips;
  logic [DEPTH_BITS-1:0] depth;
  logic [31:0] left;  // items of the list being read
  logic [31:0] terms;
  logic guards_hold;
  logic signed [63:0] value;
  logic [LOOP_BITS-1:0] term_depth;
  logic ragged;
  logic [31:0] slots;
  logic [15:0] channel;
  logic [3:0] point;
  logic [31:0] amount;
  logic [2:0] format_words;
  logic [3:0] operand;
  logic [3:0] operand_total;
  logic [2:0] dim;
  logic [2:0] dims;
  logic [1:0] bound;
  logic [1:0] bounds;
  logic is_scratchpad;
  access_t access;
  logic signed [63:0] reach_low;
  logic signed [63:0] reach_high;

  assign fetch_address = pc;
  assign ready = state == READY;

  // The loop that a word names, and where it stands.
  logic [LOOP_BITS-1:0] named;
  logic named_first;
  logic named_last;
  logic guard_holds;
  always_comb begin
    named = state == GUARD_ITEM ? fetch_word[2+:LOOP_BITS] : fetch_word[LOOP_BITS-1:0];
    named_first = index[named] == 32'd0;
    named_last = index[named] == trips[named] - 32'd1;
    case (fetch_word[1:0])
      2'd0: guard_holds = named_first;
      2'd1: guard_holds = named_last;
      2'd2: guard_holds = !named_first;
      default: guard_holds = !named_last;
    endcase
  end

  logic [LOOP_BITS-1:0] innermost;
  assign innermost = LOOP_BITS'(depth - 1'b1);

  // Reach of the bound being read along the dim being read.
  logic signed [63:0] dim_reach;
  assign dim_reach = fetch_word * $signed({32'd0, access.count[dim] - 32'd1});

  logic range_empty;
  logic [47:0] first_byte;
  logic [47:0] last_byte;
  pantile_touched_range range (
      .access(access), .is_empty(range_empty), .first_byte(first_byte), .last_byte(last_byte)
  );
  logic [47:0] first_bank;
  logic [47:0] last_bank;
  logic [BANKS-1:0] banks;
  always_comb begin
    first_bank = first_byte / {16'd0, bank_bytes};
    last_bank = last_byte / {16'd0, bank_bytes};
    for (int b = 0; b < BANKS; b++) banks[b] = 48'(b) >= first_bank && 48'(b) <= last_bank;
    if (range_empty || !is_scratchpad) banks = '0;
  end

  always_ff @(posedge clk) begin
    case (state)
      IDLE:
      if (start) begin
        pc <= start_address;
        depth <= '0;
        state <= ENTRY;
      end

      ENTRY: begin
        pc <= pc + 32'd1;
        case (fetch_word[1:0])
          2'd1: state <= ENTER_COUNT;
          2'd2: state <= LEAVE;
          2'd3: state <= NEXT;
          default: begin
            is_done <= 1'b1;
            state <= IDLE;
          end
        endcase
      end
      ENTER_COUNT: begin
        left <= fetch_word[31:0];
        pc <= pc + 32'd1;
        state <= ENTER_EXIT;
      end
      ENTER_EXIT: begin
        if (left == 32'd0) begin
          pc <= fetch_word[31:0];
        end else begin
          pc <= pc + 32'd1;
          index[LOOP_BITS'(depth)] <= 32'd0;
          trips[LOOP_BITS'(depth)] <= left;
          depth <= depth + 1'b1;
        end
        state <= ENTRY;
      end
      LEAVE: begin
        if (index[innermost] + 32'd1 < trips[innermost]) begin
          index[innermost] <= index[innermost] + 32'd1;
          pc <= fetch_word[31:0];
        end else begin
          depth <= depth - 1'b1;
          pc <= pc + 32'd1;
        end
        state <= ENTRY;
      end

      NEXT: begin
        next_entry <= fetch_word[31:0];
        pc <= pc + 32'd1;
        state <= ORDINAL;
      end
      ORDINAL: begin
        command <= '0;
        command.ordinal <= fetch_word[31:0];
        pc <= pc + 32'd1;
        state <= OPERATION;
      end
      OPERATION: begin
        command.operation <= fetch_word[2:0];
        pc <= pc + 32'd1;
        state <= LAYER;
      end
      LAYER: begin
        pc <= pc + 32'd1;
        after <= GUARDED;
        state <= GUARD_COUNT;
      end
      GUARDED:
      if (guards_hold) begin
        state <= WAIT_COUNT;
      end else begin
        pc <= next_entry;
        state <= ENTRY;
      end

      WAIT_COUNT: begin
        left <= fetch_word[31:0];
        pc <= pc + 32'd1;
        state <= fetch_word[31:0] == 32'd0 ? SIGNAL_COUNT : WAIT_CHANNEL;
      end
      WAIT_CHANNEL: begin
        channel <= fetch_word[15:0];
        pc <= pc + 32'd1;
        state <= WAIT_AMOUNT;
      end
      WAIT_AMOUNT: begin
        amount <= fetch_word[31:0];
        pc <= pc + 32'd1;
        after <= WAIT_GUARDED;
        state <= GUARD_COUNT;
      end
      WAIT_GUARDED: begin
        if (guards_hold) begin
          command.wait_channel[command.wait_count[3:0]] <= channel;
          command.wait_amount[command.wait_count[3:0]] <= amount;
          command.wait_count <= command.wait_count + 5'd1;
        end
        left <= left - 32'd1;
        state <= left == 32'd1 ? SIGNAL_COUNT : WAIT_CHANNEL;
      end

      SIGNAL_COUNT: begin
        left <= fetch_word[31:0];
        pc <= pc + 32'd1;
        state <= fetch_word[31:0] == 32'd0 ? BODY : SIGNAL_CHANNEL;
      end
      SIGNAL_CHANNEL: begin
        channel <= fetch_word[15:0];
        pc <= pc + 32'd1;
        state <= SIGNAL_POINT;
      end
      SIGNAL_POINT: begin
        point <= fetch_word[3:0];
        pc <= pc + 32'd1;
        state <= SIGNAL_AMOUNT;
      end
      SIGNAL_AMOUNT: begin
        amount <= fetch_word[31:0];
        pc <= pc + 32'd1;
        after <= SIGNAL_GUARDED;
        state <= GUARD_COUNT;
      end
      SIGNAL_GUARDED: begin
        if (guards_hold) begin
          command.signal_channel[command.signal_count[3:0]] <= channel;
          command.signal_point[command.signal_count[3:0]] <= point;
          command.signal_amount[command.signal_count[3:0]] <= amount;
          command.signal_count <= command.signal_count + 5'd1;
        end
        left <= left - 32'd1;
        state <= left == 32'd1 ? BODY : SIGNAL_CHANNEL;
      end

      BODY:
      case (command.operation)
        OPERATION_CONTRACT: begin
          after <= EXTENT_M;
          state <= EXTENT_FULL;
        end
        OPERATION_DRAIN, OPERATION_VECTOR: state <= KERNEL;
        default: state <= OPERAND_COUNT;
      endcase
      EXTENT_M: begin
        command.m <= value[31:0];
        after <= EXTENT_N;
        state <= EXTENT_FULL;
      end
      EXTENT_N: begin
        command.n <= value[31:0];
        after <= EXTENT_K;
        state <= EXTENT_FULL;
      end
      EXTENT_K: begin
        command.k <= value[31:0];
        format_words <= 3'd4;
        state <= FORMATS;
      end
      FORMATS: begin
        pc <= pc + 32'd1;
        format_words <= format_words - 3'd1;
        if (format_words == 3'd1) state <= INITIAL;
      end
      INITIAL: begin
        // 0 zero, 1 accumulate, 2 + depth zero in the first trip of that loop.
        command.accumulate <= fetch_word == 64'd1 || (fetch_word > 64'd1 && index[LOOP_BITS'(fetch_word - 64'd2)] != 32'd0);
        pc <= pc + 32'd1;
        state <= OPERAND_COUNT;
      end
      KERNEL: begin
        command.kernel <= fetch_word[31:0];
        pc <= pc + 32'd1;
        state <= REDUCED;
      end
      REDUCED: begin
        command.reduced <= fetch_word[31:0];
        pc <= pc + 32'd1;
        state <= OPERAND_COUNT;
      end

      OPERAND_COUNT: begin
        operand_total <= fetch_word[3:0];
        command.operand_count <= fetch_word[3:0];
        operand <= 4'd0;
        pc <= pc + 32'd1;
        state <= fetch_word[3:0] == 4'd0 ? READY : MEMORY;
      end
      MEMORY: begin
        access <= '0;
        for (int d = 0; d < DIMS; d++) access.count[d] <= 32'd1;
        is_scratchpad <= fetch_word[7:0] == scratchpad_id;
        access.memory <= fetch_word[7:0] == scratchpad_id ? MEMORY_SCRATCHPAD
            : fetch_word[7:0] == dram_id ? MEMORY_DRAM : MEMORY_ACCUMULATOR;
        pc <= pc + 32'd1;
        state <= BITS;
      end
      BITS: begin
        access.bits <= fetch_word[6:0];
        pc <= pc + 32'd1;
        state <= PAD;
      end
      PAD: begin
        access.pad <= fetch_word[31:0];
        pc <= pc + 32'd1;
        after <= BASE;
        state <= AFFINE_CONSTANT;
      end
      BASE: begin
        access.base <= value[47:0];
        state <= DIM_COUNT;
      end
      DIM_COUNT: begin
        dims <= fetch_word[2:0];
        dim <= 3'd0;
        pc <= pc + 32'd1;
        after <= DIM_EXTENT;
        state <= fetch_word[2:0] == 3'd0 ? ROTATION : EXTENT_FULL;
      end
      DIM_EXTENT: begin
        access.count[dim] <= value[31:0];
        state <= DIM_STRIDE;
      end
      DIM_STRIDE: begin
        access.stride[dim] <= fetch_word[47:0];
        dim <= dim + 3'd1;
        pc <= pc + 32'd1;
        after <= DIM_EXTENT;
        state <= dim + 3'd1 == dims ? ROTATION : EXTENT_FULL;
      end
      ROTATION: begin
        slots <= fetch_word[31:0];
        pc <= pc + 32'd1;
        after <= ROTATION_INDEX;
        state <= fetch_word == 64'd0 ? BOUND_COUNT : AFFINE_CONSTANT;
      end
      ROTATION_INDEX: begin
        value <= value % $signed({32'd0, slots});
        state <= SLOT_BITS;
      end
      SLOT_BITS: begin
        access.base <= access.base + 48'(value * fetch_word);
        pc <= pc + 32'd1;
        state <= BOUND_COUNT;
      end
      BOUND_COUNT: begin
        bounds <= fetch_word[1:0];
        bound <= 2'd0;
        pc <= pc + 32'd1;
        after <= BOUND_OFFSET;
        state <= fetch_word[1:0] == 2'd0 ? RANGE : AFFINE_CONSTANT;
      end
      BOUND_OFFSET: begin
        access.offset[bound] <= value[31:0];
        reach_low <= value;
        reach_high <= value;
        state <= LIMIT;
      end
      LIMIT: begin
        access.limit[bound] <= fetch_word[31:0];
        dim <= 3'd0;
        pc <= pc + 32'd1;
        state <= COEFFICIENT;
      end
      COEFFICIENT:
      if (dim == dims) begin
        // A bound that no element can leave is none.
        access.bounded[bound] <= reach_low < 0 || reach_high >= 64'($signed(access.limit[bound]));
        bound <= bound + 2'd1;
        after <= BOUND_OFFSET;
        state <= bound + 2'd1 == bounds ? RANGE : AFFINE_CONSTANT;
      end else begin
        access.coefficient[5'(bound)*5'(DIMS)+5'(dim)] <= fetch_word[31:0];
        if (dim_reach > 0) reach_high <= reach_high + dim_reach;
        else reach_low <= reach_low + dim_reach;
        dim <= dim + 3'd1;
        pc <= pc + 32'd1;
      end
      RANGE: begin
        operands[operand[2:0]] <= access;
        if (operand + 4'd1 == operand_total) command.write_banks <= banks;
        else command.read_banks <= command.read_banks | banks;
        operand <= operand + 4'd1;
        state <= operand + 4'd1 == operand_total ? READY : MEMORY;
      end

      READY:
      if (advance) begin
        pc <= next_entry;
        state <= ENTRY;
      end

      GUARD_COUNT: begin
        terms <= fetch_word[31:0];
        guards_hold <= 1'b1;
        pc <= pc + 32'd1;
        state <= fetch_word[31:0] == 32'd0 ? after : GUARD_ITEM;
      end
      GUARD_ITEM: begin
        guards_hold <= guards_hold && guard_holds;
        terms <= terms - 32'd1;
        pc <= pc + 32'd1;
        state <= terms == 32'd1 ? after : GUARD_ITEM;
      end
      EXTENT_FULL: begin
        value <= fetch_word;
        pc <= pc + 32'd1;
        state <= EXTENT_DEPTH;
      end
      EXTENT_DEPTH: begin
        ragged <= fetch_word >= 64'sd0 && named_last;
        pc <= pc + 32'd1;
        state <= EXTENT_LAST;
      end
      EXTENT_LAST: begin
        if (ragged) value <= fetch_word;
        pc <= pc + 32'd1;
        state <= after;
      end
      AFFINE_CONSTANT: begin
        value <= fetch_word;
        pc <= pc + 32'd1;
        state <= AFFINE_COUNT;
      end
      AFFINE_COUNT: begin
        terms <= fetch_word[31:0];
        pc <= pc + 32'd1;
        state <= fetch_word[31:0] == 32'd0 ? after : AFFINE_DEPTH;
      end
      AFFINE_DEPTH: begin
        term_depth <= named;
        pc <= pc + 32'd1;
        state <= AFFINE_FACTOR;
      end
      AFFINE_FACTOR: begin
        value <= value + fetch_word * $signed({32'd0, index[term_depth]});
        terms <= terms - 32'd1;
        pc <= pc + 32'd1;
        state <= terms == 32'd1 ? after : AFFINE_DEPTH;
      end
      default: state <= IDLE;
    endcase
    if (reset) begin
      state <= IDLE;
      is_done <= 1'b0;
      index <= '0;
      trips <= '0;
    end
  end
endmodule
