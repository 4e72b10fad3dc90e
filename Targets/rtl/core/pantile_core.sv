// The whole core: image of the Program, a sequencer and a table of commands in flight for each queue, channels, bank ports, the
// engines, the bus and the memories. `Docs/engines/core.md` is its contract.
//
// One machine cycle is deliver, issue, bus, act; each takes as many host clocks as it needs. Numbers of the chip stand in registers
// whose reset values are the parameters; `configure` may change them before `run`.
module pantile_core #(
    parameter int ROWS = 4,
    parameter int COLUMNS = 4,
    parameter bit OUTPUT_STATIONARY = 1'b0,
    parameter bit OVERLAPPED = 1'b1,
    parameter int PROGRAM_WORDS = 1 << 16,
    parameter int DRAM_BYTES = 1 << 20,
    parameter int SCRATCHPAD_BYTES = 1 << 18,
    parameter int ACCUMULATOR_WORDS = 1 << 14,
    parameter int CHANNELS = 1024,
    parameter int IN_FLIGHT = 64,
    parameter int DRAIN_LANES = 16,
    parameter int DRAIN_LATENCY = 4,
    parameter int VECTOR_LANES = 16,
    parameter int VECTOR_LATENCY = 4,
    parameter int LINK_BYTES_0 = 16,
    parameter int OUTSTANDING_0 = 32,
    parameter int LINK_BYTES_1 = 16,
    parameter int OUTSTANDING_1 = 32,
    parameter int BUS_TICKS = 16,
    parameter int BUS_SERVICE = 64,
    parameter int BURST_BYTES = 64,
    parameter int BANK_BYTES = 1 << 14
) (
    input logic clk,
    input logic reset,
    // Before the run: numbers, image and memories go in; after it, memories come out.
    input logic configure,
    input logic [4:0] configure_index,
    input logic [31:0] configure_value,
    input logic load_image,
    input logic [31:0] load_image_address,
    input logic [63:0] load_image_word,
    input logic load,
    input logic [1:0] load_memory,
    input logic [31:0] load_address,
    input logic [63:0] load_data,
    output logic [63:0] dump_data,
    input logic run,
    output logic finished,
    output logic overflow,
    output logic [31:0] cycle,
    output logic [31:0] length,  // the latest `written`
    // The memory's latency for a burst, by its number.
    output logic [31:0] burst_number,
    input logic [31:0] burst_latency,
    // What happens, for comparison; at most one of a kind in a host clock.
    output logic event_issue,
    output logic [2:0] event_queue,
    output logic [31:0] event_ordinal,
    output logic event_token,
    output logic [15:0] event_channel,
    output logic [31:0] event_amount,
    output logic event_free_reads,
    output logic event_free_writes,
    output logic event_complete,
    output logic [2:0] event_free_queue,
    output logic [pantile_core_types::BANKS-1:0] event_banks,
    output logic event_accept,
    output logic [2:0] event_accept_queue,
    output logic [1:0][7:0] event_answers  // of the two DMA engines, answered at the start of the next cycle
);
  import pantile_core_types::*;
  localparam int QUEUES = 5;
  localparam int IMAGE_BITS = $clog2(PROGRAM_WORDS);

  localparam logic [2:0] UNIT_ARRAY = 3'd1;
  localparam logic [2:0] UNIT_DRAIN = 3'd2;
  localparam logic [2:0] UNIT_VECTOR = 3'd3;
  localparam logic [2:0] UNIT_DMA_0 = 3'd4;
  localparam logic [2:0] UNIT_DMA_1 = 3'd5;

  // MARK: Numbers of the chip and of the Program
  logic [QUEUES-1:0][2:0] unit_of;
  logic [7:0] dram_id;
  logic [7:0] scratchpad_id;
  logic [31:0] bank_bytes;
  logic [31:0] drain_lanes;
  logic [31:0] drain_latency;
  logic [31:0] vector_lanes;
  logic [31:0] vector_latency;
  logic [1:0][31:0] link_bytes;
  logic [1:0][31:0] outstanding;
  logic [31:0] bus_ticks;
  logic [31:0] bus_service;
  logic [31:0] burst_bytes;
  faults_t faults;

  always_ff @(posedge clk) begin
    if (configure)
      case (configure_index)
        5'd0, 5'd1, 5'd2, 5'd3, 5'd4: unit_of[configure_index[2:0]] <= configure_value[2:0];
        5'd5: dram_id <= configure_value[7:0];
        5'd6: scratchpad_id <= configure_value[7:0];
        5'd7: bank_bytes <= configure_value;
        5'd8: drain_lanes <= configure_value;
        5'd9: drain_latency <= configure_value;
        5'd10: vector_lanes <= configure_value;
        5'd11: vector_latency <= configure_value;
        5'd12: link_bytes[0] <= configure_value;
        5'd13: outstanding[0] <= configure_value;
        5'd14: link_bytes[1] <= configure_value;
        5'd15: outstanding[1] <= configure_value;
        5'd16: bus_ticks <= configure_value;
        5'd17: bus_service <= configure_value;
        5'd18: burst_bytes <= configure_value;
        5'd19: faults <= faults_t'(configure_value[$bits(faults_t)-1:0]);
        default: ;
      endcase
    if (reset) begin
      unit_of <= '0;
      dram_id <= 8'd0;
      scratchpad_id <= 8'd1;
      bank_bytes <= 32'(BANK_BYTES);
      drain_lanes <= 32'(DRAIN_LANES);
      drain_latency <= 32'(DRAIN_LATENCY);
      vector_lanes <= 32'(VECTOR_LANES);
      vector_latency <= 32'(VECTOR_LATENCY);
      link_bytes <= {32'(LINK_BYTES_1), 32'(LINK_BYTES_0)};
      outstanding <= {32'(OUTSTANDING_1), 32'(OUTSTANDING_0)};
      bus_ticks <= 32'(BUS_TICKS);
      bus_service <= 32'(BUS_SERVICE);
      burst_bytes <= 32'(BURST_BYTES);
      faults <= '0;
    end
  end

  // MARK: Image
  logic [63:0] image[PROGRAM_WORDS];
  always_ff @(posedge clk) if (load_image) image[load_image_address[IMAGE_BITS-1:0]] <= load_image_word;

  logic [31:0] boot_address;
  logic [63:0] boot_word;
  assign boot_word = image[boot_address[IMAGE_BITS-1:0]];

  // MARK: Phases
  typedef enum logic [3:0] {
    IDLE, BOOT, CHANNEL_TABLE, CHANNEL, QUEUE_TABLE, QUEUE, DELIVER, DELIVERING, ISSUE, CHECK, PORTS, TAKE, OPEN, SIGNAL,
    BUS, ACT
  } phase_t;
  phase_t phase;
  logic is_waiting;  // second half of BUS and ACT
  logic [31:0] item;
  logic [31:0] items;
  logic [31:0] table_address;
  logic [2:0] queue_count;
  logic [2:0] asker;  // the queue whose turn it is
  logic resumes_issue;

  logic [QUEUES-1:0] start;
  logic [QUEUES-1:0] advance;
  logic [QUEUES-1:0] ready;
  logic [QUEUES-1:0] is_done;
  command_t [QUEUES-1:0] commands;
  access_t [QUEUES-1:0][OPERANDS-1:0] operands;

  for (genvar q = 0; q < QUEUES; q++) begin : gen_queue
    logic [31:0] fetch_address;
    pantile_sequencer sequencer (
        .clk(clk), .reset(reset), .start(start[q]), .start_address(boot_word[31:0]), .fetch_address(fetch_address),
        .fetch_word(image[fetch_address[IMAGE_BITS-1:0]]), .dram_id(dram_id), .scratchpad_id(scratchpad_id),
        .bank_bytes(bank_bytes), .advance(advance[q]), .ready(ready[q]), .is_done(is_done[q]), .command(commands[q]),
        .operands(operands[q])
    );
    logic unused;
    assign unused = ^fetch_address;
  end

  command_t command;
  access_t [OPERANDS-1:0] command_operands;
  logic [2:0] unit;
  logic is_sync;
  assign command = commands[asker];
  assign command_operands = operands[asker];
  assign unit = unit_of[asker];
  assign is_sync = command.operation == OPERATION_SYNC;

  // MARK: Commands in flight
  logic open;
  logic put;
  logic [1:0] put_point;
  logic [2:0] read_points;
  logic [QUEUES-1:0][7:0] next_slot;
  logic [QUEUES-1:0][2:0] reached;
  logic [QUEUES-1:0][2:0][7:0] reached_slot;
  logic [QUEUES-1:0] deliver;
  logic [QUEUES-1:0] commit_idle;
  logic [QUEUES-1:0] is_due;
  logic [QUEUES-1:0] add;
  logic [QUEUES-1:0][15:0] add_channel;
  logic [QUEUES-1:0][31:0] add_amount;
  logic [QUEUES-1:0] free_reads;
  logic [QUEUES-1:0] free_writes;
  logic [QUEUES-1:0][BANKS-1:0] free_banks;
  logic [QUEUES-1:0] completes;
  logic [QUEUES-1:0] is_empty;
  logic [QUEUES-1:0] commit_overflow;
  for (genvar q = 0; q < QUEUES; q++) begin : gen_commit
    pantile_commit #(
        .SLOTS(IN_FLIGHT)
    ) commit (
        .clk(clk), .reset(reset), .open(open && asker == 3'(q)), .open_is_sync(is_sync),
        .open_read_banks(command.read_banks), .open_write_banks(command.write_banks), .open_read_points(read_points),
        .next_slot(next_slot[q]), .put(put && asker == 3'(q)), .put_index(item[4:0]),
        .put_channel(command.signal_channel[item[3:0]]), .put_point(put_point),
        .put_amount(command.signal_amount[item[3:0]]), .reached(reached[q]), .reached_slot(reached_slot[q]),
        .deliver(deliver[q]), .is_idle(commit_idle[q]), .is_due(is_due[q]), .add(add[q]), .add_channel(add_channel[q]),
        .add_amount(add_amount[q]), .free_reads(free_reads[q]), .free_writes(free_writes[q]), .free_banks(free_banks[q]),
        .completes(completes[q]), .is_empty(is_empty[q]), .overflow(commit_overflow[q])
    );
  end
  logic [3:0] signal_point;
  assign signal_point = command.signal_point[item[3:0]];
  always_comb begin
    case (unit)
      UNIT_ARRAY: begin
        put_point = signal_point == 4'd0 ? POINT_WRITTEN : signal_point == 4'd1 ? POINT_READ_A : POINT_READ_B;
        read_points = faults.read_port_early ? 3'b100 : 3'b110;
      end
      UNIT_DMA_0, UNIT_DMA_1: begin
        put_point = signal_point == 4'd0 ? POINT_WRITTEN : POINT_READ_A;
        read_points = 3'b010;
      end
      default: begin
        put_point = POINT_WRITTEN;
        read_points = 3'b001;
      end
    endcase
  end

  logic [2:0] due_queue;
  always_comb begin
    due_queue = 3'd0;
    for (int q = QUEUES - 1; q >= 0; q--) if (is_due[q]) due_queue = 3'(q);
  end

  // MARK: Channels and ports
  logic [31:0] look_amount;
  pantile_channels #(
      .CHANNELS(CHANNELS)
  ) channels (
      .clk(clk), .preset_one(phase == CHANNEL), .preset_channel(item[15:0]), .preset_amount(boot_word[31:0]),
      .add(add != '0), .add_channel(add_channel[asker]), .add_amount(add_amount[asker]), .take(phase == TAKE),
      .take_channel(command.wait_channel[item[3:0]]), .take_amount(command.wait_amount[item[3:0]]),
      .look_channel(command.wait_channel[item[3:0]]), .look_amount(look_amount)
  );
  logic ports_free;
  pantile_bank_ports #(
      .QUEUES(QUEUES)
  ) ports (
      .clk(clk), .reset(reset), .asker(asker), .read_banks(phase == DELIVERING ? free_banks[asker] : command.read_banks),
      .write_banks(phase == DELIVERING ? free_banks[asker] : command.write_banks), .take(open && !is_sync),
      .free_reads(free_reads != '0), .free_writes(free_writes != '0), .are_free(ports_free)
  );

  // MARK: Engines
  logic act;
  assign act = phase == ACT && !is_waiting;
  logic starts;
  assign starts = open && !is_sync;

  logic array_accepts;
  logic [2:0] array_reached;
  logic [2:0][7:0] array_slot;
  logic [ROWS-1:0] a_read;
  logic [ROWS-1:0][31:0] a_address;
  logic [ROWS-1:0][7:0] a_data;
  logic [COLUMNS-1:0] b_read;
  logic [COLUMNS-1:0][31:0] b_address;
  logic [COLUMNS-1:0][7:0] b_data;
  logic [COLUMNS-1:0] sum_write;
  logic [COLUMNS-1:0] sum_overwrite;
  logic [COLUMNS-1:0][31:0] sum_address;
  logic [COLUMNS-1:0][31:0] sum_value;
  if (OUTPUT_STATIONARY) begin : gen_os
    pantile_array_os #(
        .ROWS(ROWS), .COLUMNS(COLUMNS), .OVERLAPPED(OVERLAPPED)
    ) array_unit (
        .clk(clk), .reset(reset), .act(act), .start(starts && unit == UNIT_ARRAY), .start_slot(next_slot[asker]),
        .command(command), .operands(command_operands), .accepts(array_accepts), .faults(faults), .a_read(a_read),
        .a_address(a_address), .a_data(a_data), .b_read(b_read), .b_address(b_address), .b_data(b_data),
        .sum_write(sum_write), .sum_overwrite(sum_overwrite), .sum_address(sum_address), .sum_value(sum_value),
        .reached(array_reached), .reached_slot(array_slot)
    );
  end else begin : gen_ws
    pantile_array_ws #(
        .ROWS(ROWS), .COLUMNS(COLUMNS), .OVERLAPPED(OVERLAPPED)
    ) array_unit (
        .clk(clk), .reset(reset), .act(act), .start(starts && unit == UNIT_ARRAY), .start_slot(next_slot[asker]),
        .command(command), .operands(command_operands), .accepts(array_accepts), .faults(faults), .a_read(a_read),
        .a_address(a_address), .a_data(a_data), .b_read(b_read), .b_address(b_address), .b_data(b_data),
        .sum_write(sum_write), .sum_overwrite(sum_overwrite), .sum_address(sum_address), .sum_value(sum_value),
        .reached(array_reached), .reached_slot(array_slot)
    );
  end

  // Engines 0 drain, 1 vector, 2 and 3 DMA.
  logic [3:0] accepts;
  logic [3:0] is_moving;
  logic [3:0][2:0] engine_reached;
  logic [3:0][2:0][7:0] engine_slot;
  logic [3:0][1:0] read_memory;
  logic [3:0][47:0] read_address;
  logic [3:0][63:0] read_data;
  logic [3:0] write;
  logic [3:0][1:0] write_memory;
  logic [3:0][47:0] write_address;
  logic [3:0][3:0] write_bytes;
  logic [3:0][63:0] write_data;
  logic [3:0] engine_overflow;
  for (genvar e = 0; e < 2; e++) begin : gen_kernel
    logic [31:0] fetch_address;
    logic [7:0][63:0] fetch_words;
    for (genvar w = 0; w < 8; w++) begin : gen_word
      logic [31:0] word_address;
      assign word_address = fetch_address + 32'(w);
      assign fetch_words[w] = image[word_address[IMAGE_BITS-1:0]];
      logic unused;
      assign unused = ^word_address;
    end
    logic latency_short;
    assign latency_short = e == 0 ? faults.drain_latency_short : faults.vector_latency_short;
    logic [31:0] latency;
    assign latency = e == 0 ? drain_latency : vector_latency;
    pantile_kernel_unit #(
        .IS_VECTOR(e == 1)
    ) kernel_unit (
        .clk(clk), .reset(reset), .act(act), .cycle(cycle), .lanes(e == 0 ? drain_lanes : vector_lanes),
        .latency(latency_short && latency != 32'd0 ? latency - 32'd1 : latency), .slot_short(faults.vector_slot_short),
        .start(starts && unit == (e == 0 ? UNIT_DRAIN : UNIT_VECTOR)), .start_slot(next_slot[asker]), .command(command),
        .operands(command_operands), .accepts(accepts[e]), .is_moving(is_moving[e]), .fetch_address(fetch_address),
        .fetch_words(fetch_words), .read_memory(read_memory[e]), .read_address(read_address[e]),
        .read_data(read_data[e]), .write(write[e]), .write_memory(write_memory[e]), .write_address(write_address[e]),
        .write_bytes(write_bytes[e]), .write_data(write_data[e]), .reached(engine_reached[e]),
        .reached_slot(engine_slot[e]), .overflow(engine_overflow[e])
    );
  end

  logic [1:0] dma_wants;
  logic [1:0][31:0] dma_ready_at;
  logic accept;
  logic [2:0] accept_queue;
  logic [31:0] accept_at;
  logic [31:0] accept_leaves;
  for (genvar d = 0; d < 2; d++) begin : gen_dma
    pantile_dma #(
        .COPIES(IN_FLIGHT)
    ) dma (
        .clk(clk), .reset(reset), .act(act), .faults(faults), .link_bytes(link_bytes[d]), .outstanding(outstanding[d]),
        .burst_bytes(burst_bytes), .ticks(bus_ticks),
        .start(starts && unit == (d == 0 ? UNIT_DMA_0 : UNIT_DMA_1)), .start_slot(next_slot[asker]),
        .source(command_operands[0]), .destination(command_operands[1]), .accepts(accepts[2+d]),
        .is_moving(is_moving[2+d]), .wants(dma_wants[d]), .ready_at(dma_ready_at[d]),
        .accept(accept && unit_of[accept_queue] == (d == 0 ? UNIT_DMA_0 : UNIT_DMA_1)), .accept_at(accept_at),
        .accept_leaves(accept_leaves), .accept_latency(burst_latency), .read_memory(read_memory[2+d]),
        .read_address(read_address[2+d]), .read_data(read_data[2+d]), .write(write[2+d]),
        .write_memory(write_memory[2+d]), .write_address(write_address[2+d]), .write_bytes(write_bytes[2+d]),
        .write_data(write_data[2+d]), .reached(engine_reached[2+d]), .reached_slot(engine_slot[2+d]),
        .answers(event_answers[d]), .overflow(engine_overflow[2+d])
    );
  end

  logic [QUEUES-1:0] wants;
  logic [QUEUES-1:0][31:0] ready_at;
  logic [QUEUES-1:0] moving;
  always_comb
    for (int q = 0; q < QUEUES; q++) begin
      wants[q] = 1'b0;
      ready_at[q] = '0;
      moving[q] = 1'b0;
      reached[q] = '0;
      reached_slot[q] = '0;
      case (unit_of[q])
        UNIT_ARRAY: begin
          reached[q] = array_reached;
          reached_slot[q] = array_slot;
        end
        UNIT_DRAIN: begin
          reached[q] = engine_reached[0];
          reached_slot[q] = engine_slot[0];
        end
        UNIT_VECTOR: begin
          reached[q] = engine_reached[1];
          reached_slot[q] = engine_slot[1];
        end
        UNIT_DMA_0, UNIT_DMA_1: begin
          wants[q] = dma_wants[unit_of[q] == UNIT_DMA_1];
          ready_at[q] = dma_ready_at[unit_of[q] == UNIT_DMA_1];
          moving[q] = is_moving[unit_of[q] == UNIT_DMA_1 ? 3 : 2];
          reached[q] = engine_reached[unit_of[q] == UNIT_DMA_1 ? 3 : 2];
          reached_slot[q] = engine_slot[unit_of[q] == UNIT_DMA_1 ? 3 : 2];
        end
        default: ;
      endcase
    end

  logic bus_idle;
  pantile_memory_port #(
      .QUEUES(QUEUES)
  ) memory_port (
      .clk(clk), .reset(reset), .ticks(bus_ticks),
      .service(bus_service - (faults.service_short ? 32'd1 : 32'd0)), .round_robin_fault(faults.bus_round_robin),
      .serve(phase == BUS && !is_waiting && is_moving == '0), .is_idle(bus_idle), .act(act), .wants(wants),
      .ready_at(ready_at), .is_moving(moving), .accept(accept), .accept_queue(accept_queue), .accept_at(accept_at),
      .accept_leaves(accept_leaves), .burst_number(burst_number)
  );

  pantile_storage #(
      .ROWS(ROWS), .COLUMNS(COLUMNS), .ENGINES(4), .DRAM_BYTES(DRAM_BYTES), .SCRATCHPAD_BYTES(SCRATCHPAD_BYTES),
      .ACCUMULATOR_WORDS(ACCUMULATOR_WORDS)
  ) storage (
      .clk(clk), .load(load), .load_memory(load_memory), .load_address(load_address), .load_data(load_data),
      .dump_data(dump_data), .a_read(a_read), .a_address(a_address), .a_data(a_data), .b_read(b_read),
      .b_address(b_address), .b_data(b_data), .sum_write(sum_write), .sum_overwrite(sum_overwrite),
      .sum_address(sum_address), .sum_value(sum_value), .read_memory(read_memory), .read_address(read_address),
      .read_data(read_data), .write(write), .write_memory(write_memory), .write_address(write_address),
      .write_bytes(write_bytes), .write_data(write_data)
  );

  logic engine_accepts;
  always_comb
    case (unit)
      UNIT_ARRAY: engine_accepts = array_accepts;
      UNIT_DRAIN: engine_accepts = accepts[0];
      UNIT_VECTOR: engine_accepts = accepts[1];
      UNIT_DMA_0: engine_accepts = accepts[2];
      UNIT_DMA_1: engine_accepts = accepts[3];
      default: engine_accepts = 1'b0;
    endcase

  // MARK: Control
  always_comb begin
    start = '0;
    advance = '0;
    deliver = '0;
    for (int q = 0; q < QUEUES; q++) begin
      start[q] = phase == QUEUE && item[2:0] == 3'(q);
      advance[q] = phase == SIGNAL && item == {27'd0, command.signal_count} && asker == 3'(q);
      deliver[q] = (phase == DELIVER && is_due != '0 && due_queue == 3'(q))
          || (advance[q] && is_sync && faults.sync_early);
    end
    open = phase == OPEN;
    put = phase == SIGNAL && item != {27'd0, command.signal_count};
    case (phase)
      BOOT: boot_address = 32'd9;
      CHANNEL_TABLE: boot_address = 32'd8;
      CHANNEL: boot_address = table_address + (item << 2) + item + 32'd3;
      QUEUE_TABLE: boot_address = resumes_issue ? 32'd10 : 32'd11;
      default: boot_address = table_address + item;
    endcase
  end

  logic all_done;
  always_comb begin
    all_done = is_empty == '1;
    for (int q = 0; q < QUEUES; q++) if (3'(q) < queue_count && !is_done[q]) all_done = 1'b0;
  end

  assign event_issue = open;
  assign event_queue = asker;
  assign event_ordinal = command.ordinal;
  assign event_token = add != '0;
  assign event_channel = add_channel[asker];
  assign event_amount = add_amount[asker];
  assign event_free_reads = free_reads != '0;
  assign event_free_writes = free_writes != '0;
  assign event_complete = completes != '0;
  assign event_free_queue = asker;
  assign event_banks = free_banks[asker];
  assign event_accept = accept;
  assign event_accept_queue = accept_queue;
  assign overflow = commit_overflow != '0 || engine_overflow != '0;

  always_ff @(posedge clk) begin
    case (phase)
      IDLE: if (run && !finished) phase <= BOOT;
      BOOT: begin
        items <= boot_word[31:0];
        phase <= CHANNEL_TABLE;
      end
      CHANNEL_TABLE: begin
        table_address <= boot_word[31:0];
        item <= '0;
        phase <= items == 32'd0 ? QUEUE_TABLE : CHANNEL;
      end
      CHANNEL: begin
        item <= item + 32'd1;
        if (item + 32'd1 == items) phase <= QUEUE_TABLE;
      end
      QUEUE_TABLE: begin
        // The count first, then the address.
        resumes_issue <= !resumes_issue;
        item <= '0;
        if (!resumes_issue) begin
          queue_count <= boot_word[2:0];
        end else begin
          table_address <= boot_word[31:0];
          phase <= queue_count == 3'd0 ? DELIVER : QUEUE;
        end
      end
      QUEUE: begin
        item <= item + 32'd1;
        if (item[2:0] + 3'd1 == queue_count) phase <= DELIVER;
      end

      DELIVER:
      if (is_due != '0) begin
        asker <= due_queue;
        phase <= DELIVERING;
      end else if (all_done) begin
        finished <= 1'b1;
        phase <= IDLE;
      end else begin
        asker <= 3'd0;
        phase <= ISSUE;
      end
      DELIVERING:
      if (commit_idle[asker] && !is_due[asker]) begin
        resumes_issue <= 1'b0;
        phase <= resumes_issue ? ISSUE : DELIVER;
      end

      ISSUE: begin
        item <= '0;
        if (asker == queue_count) begin
          is_waiting <= 1'b0;
          phase <= BUS;
        end else if (!engine_accepts || is_done[asker]) begin
          asker <= asker + 3'd1;
        end else if (ready[asker]) begin
          phase <= CHECK;
        end
      end
      CHECK:
      if (item == {27'd0, command.wait_count}) begin
        phase <= PORTS;
      end else if (look_amount < command.wait_amount[item[3:0]]) begin
        asker <= asker + 3'd1;
        phase <= ISSUE;
      end else begin
        item <= item + 32'd1;
      end
      PORTS: begin
        item <= '0;
        if (ports_free) begin
          phase <= command.wait_count == 5'd0 ? OPEN : TAKE;
        end else begin
          asker <= asker + 3'd1;
          phase <= ISSUE;
        end
      end
      TAKE: begin
        item <= item + 32'd1;
        if (item + 32'd1 == {27'd0, command.wait_count}) phase <= OPEN;
      end
      OPEN: begin
        item <= '0;
        phase <= SIGNAL;
        if (is_sync) length <= cycle;
      end
      SIGNAL: begin
        item <= item + 32'd1;
        if (item == {27'd0, command.signal_count}) begin
          resumes_issue <= is_sync && faults.sync_early;
          phase <= is_sync && faults.sync_early ? DELIVERING : ISSUE;
        end
      end

      BUS:
      if (!is_waiting) begin
        is_waiting <= is_moving == '0;
      end else if (bus_idle && is_moving == '0) begin
        is_waiting <= 1'b0;
        phase <= ACT;
      end
      ACT: begin
        is_waiting <= 1'b1;
        if (is_waiting && is_moving == '0) begin
          cycle <= cycle + 32'd1;
          phase <= DELIVER;
        end
      end
      default: phase <= IDLE;
    endcase
    if (completes != '0) length <= cycle;
    if (reset) begin
      phase <= IDLE;
      finished <= 1'b0;
      cycle <= '0;
      length <= '0;
      is_waiting <= 1'b0;
      resumes_issue <= 1'b0;
      asker <= 3'd0;
    end
  end

  logic unused;
  assign unused = ^{load_image_address, boot_address, boot_word};
endmodule
