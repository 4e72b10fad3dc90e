// One DMA engine: counts the bursts of a copy, asks the memory for them under credits and the spacing of its link, moves elements
// as their bursts are accepted, and writes them in order when the bursts are answered.
//
// A burst holds the slot `number mod outstanding` from its acceptance to its answer. Elements wait in a ring between the two.
// Machine time passes at `act`; all else is host time: one element a clock.
module pantile_dma #(
    parameter int BURSTS = 64,     // most bursts in flight
    parameter int COPIES = 64,     // most copies in flight
    parameter int ELEMENTS = 65536 // most elements in flight
) (
    input logic clk,
    input logic reset,
    input logic act,
    // Every piece looks at its part of these.
    // verilator lint_off UNUSEDSIGNAL
    input pantile_core_types::faults_t faults,
    // verilator lint_on UNUSEDSIGNAL
    // Numbers of the chip.
    input logic [31:0] link_bytes,
    input logic [31:0] outstanding,
    input logic [31:0] burst_bytes,
    input logic [31:0] ticks,
    // A copy issues, when `accepts`.
    input logic start,
    input logic [7:0] start_slot,
    // verilator lint_off UNUSEDSIGNAL
    input pantile_core_types::access_t source,
    input pantile_core_types::access_t destination,
    // verilator lint_on UNUSEDSIGNAL
    output logic accepts,
    output logic is_moving,  // host time is needed before the phase may go on
    // The memory port.
    output logic wants,
    output logic [31:0] ready_at,
    input logic accept,
    input logic [31:0] accept_at,
    input logic [31:0] accept_leaves,
    input logic [31:0] accept_latency,
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
    output logic [7:0] answers,  // bursts answered by this act
    output logic overflow
);
  import pantile_core_types::*;
  localparam int BURST_BITS = $clog2(BURSTS);
  localparam int COPY_BITS = $clog2(COPIES);
  localparam int ELEMENT_BITS = $clog2(ELEMENTS);

  typedef enum logic [2:0] {IDLE, COUNT, BEGIN, RUN, MOVE, RETIRE} state_t;
  state_t state;

  // The copy on the bus.
  access_t from;
  access_t to;
  logic active;
  logic [7:0] slot;
  logic [31:0] total_elements;
  logic [3:0] size;  // bytes of an element
  logic counts_destination;
  logic [31:0] element;      // next in list order
  logic [47:0] last_burst;
  logic has_burst;
  logic [31:0] counted;      // bursts up to the next element, or in all
  logic [31:0] source_bursts;
  logic [31:0] bursts;
  logic [31:0] accepted;
  logic [31:0] link_left;    // cycles until the link is done
  logic [31:0] bus_left;     // cycles until the last burst has left
  logic [31:0] spaced_at;    // ticks until the link takes the next burst

  // Bursts in flight.
  logic [BURSTS-1:0] in_flight;
  logic [31:0] answer_left[BURSTS];
  logic [31:0] elements_of[BURSTS];
  logic [BURST_BITS-1:0] burst_tail;  // next to be accepted
  logic [BURST_BITS-1:0] burst_head;  // next to retire
  logic [31:0] unretired;

  // Copies in flight.
  logic [31:0] bursts_left[COPIES];
  logic [31:0] loose_elements[COPIES];  // of a copy without bursts
  logic [7:0] slot_of[COPIES];
  logic [COPIES-1:0] is_sent;
  logic [COPY_BITS-1:0] copy_tail;
  logic [COPY_BITS-1:0] copy_head;
  logic [COPY_BITS-1:0] copy_now;  // the copy on the bus
  logic [COPY_BITS:0] copies;

  // Elements in flight.
  logic [47:0] ring_address[ELEMENTS];
  logic [63:0] ring_data[ELEMENTS];
  logic [6:0] ring_tag[ELEMENTS];  // memory, bytes, written at all
  logic [ELEMENT_BITS-1:0] ring_tail;
  logic [ELEMENT_BITS-1:0] ring_head;
  logic [ELEMENT_BITS:0] ring_used;
  logic [31:0] burst_elements;
  logic [31:0] retire_left;

  // The element that the walk stands on, on both sides.
  logic source_inside;
  logic destination_inside;
  logic signed [47:0] source_address;
  logic signed [47:0] destination_address;
  pantile_address_generator generator_source (
      .access(from), .index(element), .inside_bounds(source_inside), .address(source_address)
  );
  pantile_address_generator generator_destination (
      .access(to), .index(element), .inside_bounds(destination_inside), .address(destination_address)
  );
  logic walks_destination;
  logic walk_inside;
  logic [47:0] walk_first;
  logic [47:0] walk_last;
  logic [31:0] counted_next;
  always_comb begin
    walks_destination = state == COUNT ? counts_destination : to.memory == MEMORY_DRAM;
    walk_inside = walks_destination ? destination_inside : source_inside;
    walk_first = 48'((walks_destination ? destination_address : source_address) >>> 3);
    walk_last = (walk_first + 48'(size) - 48'd1) / 48'(burst_bytes);
    walk_first = walk_first / 48'(burst_bytes);
    counted_next = counted;
    if (walk_inside)
      counted_next = counted + 32'(walk_last - walk_first) + (has_burst && walk_first == last_burst ? 32'd0 : 32'd1);
  end

  logic [31:0] pad_bytes;
  assign pad_bytes = from.pad;
  assign read_memory = from.memory;
  assign read_address = 48'(source_address >>> 3);

  logic [31:0] link_cycles;
  always_comb begin
    link_cycles = (total_elements * 32'(size) + link_bytes - 32'd1) / link_bytes;
    if (link_cycles == 32'd0) link_cycles = 32'd1;
    if (faults.link_short && link_cycles > 32'd1) link_cycles = link_cycles - 32'd1;
  end

  logic [31:0] spacing;
  assign spacing = (burst_bytes * ticks + link_bytes - 32'd1) / link_bytes - (faults.spacing_short ? 32'd1 : 32'd0);

  logic slot_free;
  assign slot_free = !in_flight[burst_tail] || (faults.credit_early && answer_left[burst_tail] <= 32'd1);
  assign wants = active && state == RUN && accepted != bursts && slot_free;
  assign ready_at = spaced_at;
  assign accepts = !active && state == IDLE;
  assign is_moving = state != IDLE && state != RUN;

  logic is_retiring;
  assign is_retiring = retire_left != 32'd0;
  assign write = state == RETIRE && is_retiring && ring_tag[ring_head][0];
  assign write_memory = ring_tag[ring_head][6:5];
  assign write_bytes = ring_tag[ring_head][4:1];
  assign write_address = ring_address[ring_head];
  assign write_data = ring_data[ring_head];

  logic moves;  // the element under the walk goes into the ring
  assign moves = state == MOVE && element != total_elements
      && (bursts == 32'd0 || counted_next <= accepted - (walks_destination ? source_bursts : 32'd0))
      && (bursts == 32'd0 || !walks_destination || accepted > source_bursts || source_bursts == 32'd0);

  // The end of a machine cycle.
  logic sends;
  assign sends = active && state == RUN && accepted == bursts && bus_left <= 32'd1 && link_left <= 32'd1;
  logic [7:0] answered;
  logic [BURSTS-1:0] answers_now;
  always_comb begin
    answered = 8'd0;
    for (int b = 0; b < BURSTS; b++) begin
      answers_now[b] = in_flight[b] && answer_left[b] == 32'd1;
      answered = answered + 8'(answers_now[b]);
    end
  end
  assign answers = act ? answered : 8'd0;

  logic head_answered;
  assign head_answered = unretired != 32'd0 && !in_flight[burst_head];
  logic burst_retires;
  assign burst_retires = head_answered && bursts_left[copy_head] != 32'd0;
  logic head_ends;
  assign head_ends = copies != '0 && is_sent[copy_head] && bursts_left[copy_head] == 32'd0;
  logic completes;
  assign completes = state == RETIRE && !is_retiring && !burst_retires && head_ends && loose_elements[copy_head] == 32'd0;

  always_comb begin
    reached = '0;
    reached_slot = '0;
    reached[POINT_READ_A] = act && sends;
    reached_slot[POINT_READ_A] = slot;
    reached[POINT_WRITTEN] = completes;
    reached_slot[POINT_WRITTEN] = slot_of[copy_head];
    if (faults.write_port_early) begin
      reached[POINT_WRITTEN] = act && sends;
      reached_slot[POINT_WRITTEN] = slot;
    end
  end

  always_ff @(posedge clk) begin
    case (state)
      IDLE: ;
      COUNT: begin
        // One pass over each side that lies in the memory.
        if (element == total_elements) begin
          element <= '0;
          has_burst <= 1'b0;
          if (!counts_destination && to.memory == MEMORY_DRAM) begin
            counts_destination <= 1'b1;
            source_bursts <= from.memory == MEMORY_DRAM ? counted : 32'd0;
            counted <= '0;
            bursts <= bursts + counted;
          end else begin
            bursts <= bursts + counted;
            counted <= '0;
            state <= BEGIN;
          end
        end else begin
          element <= element + 32'd1;
          counted <= counted_next;
          if (walk_inside) begin
            last_burst <= walk_last;
            has_burst <= 1'b1;
          end
        end
      end
      BEGIN: begin
        link_left <= link_cycles;
        bus_left <= '0;
        spaced_at <= '0;
        accepted <= '0;
        burst_elements <= '0;
        bursts_left[copy_tail] <= bursts;
        loose_elements[copy_tail] <= '0;
        slot_of[copy_tail] <= slot;
        is_sent[copy_tail] <= 1'b0;
        copy_now <= copy_tail;
        copy_tail <= copy_tail + 1'b1;
        copies <= copies + 1'b1;
        if (copies == (COPY_BITS + 1)'(COPIES)) overflow <= 1'b1;
        // What no burst carries moves at once and is written when the link is done.
        state <= bursts == 32'd0 ? MOVE : RUN;
      end
      RUN:
      if (accept) begin
        accepted <= accepted + 32'd1;
        spaced_at <= accept_at + spacing;
        bus_left <= accept_leaves;
        in_flight[burst_tail] <= 1'b1;
        answer_left[burst_tail] <= accept_leaves + accept_latency - (faults.answer_early ? 32'd1 : 32'd0);
        burst_elements <= '0;
        state <= MOVE;
      end
      MOVE:
      if (moves) begin
        ring_address[ring_tail] <= 48'(destination_address >>> 3);
        ring_data[ring_tail] <= source_inside ? read_data : {{32{pad_bytes[31]}}, pad_bytes};
        ring_tag[ring_tail] <= {to.memory, size, destination_inside};
        ring_tail <= ring_tail + 1'b1;
        ring_used <= ring_used + 1'b1;
        if (ring_used == (ELEMENT_BITS + 1)'(ELEMENTS)) overflow <= 1'b1;
        element <= element + 32'd1;
        counted <= counted_next;
        burst_elements <= burst_elements + 32'd1;
        if (walk_inside) begin
          last_burst <= walk_last;
          has_burst <= 1'b1;
        end
      end else begin
        if (bursts == 32'd0) begin
          loose_elements[copy_now] <= burst_elements;
        end else begin
          elements_of[burst_tail] <= burst_elements;
          burst_tail <= 32'(burst_tail) + 32'd1 == outstanding ? '0 : burst_tail + 1'b1;
          unretired <= unretired + 32'd1;
        end
        state <= RUN;
      end
      RETIRE:
      if (is_retiring) begin
        ring_head <= ring_head + 1'b1;
        ring_used <= ring_used - 1'b1;
        retire_left <= retire_left - 32'd1;
      end else if (burst_retires) begin
        retire_left <= elements_of[burst_head];
        bursts_left[copy_head] <= bursts_left[copy_head] - 32'd1;
        burst_head <= 32'(burst_head) + 32'd1 == outstanding ? '0 : burst_head + 1'b1;
        unretired <= unretired - 32'd1;
      end else if (head_ends) begin
        if (loose_elements[copy_head] != 32'd0) begin
          retire_left <= loose_elements[copy_head];
          loose_elements[copy_head] <= '0;
        end else begin
          copy_head <= copy_head + 1'b1;
          copies <= copies - 1'b1;
        end
      end else begin
        state <= active ? RUN : IDLE;
      end
      default: state <= IDLE;
    endcase

    if (start) begin
      from <= source;
      to <= destination;
      slot <= start_slot;
      active <= 1'b1;
      total_elements <= source.count[0] * source.count[1] * source.count[2] * source.count[3] * source.count[4]
          * source.count[5];
      size <= source.bits[6:3];
      counts_destination <= source.memory != MEMORY_DRAM && destination.memory == MEMORY_DRAM;
      source_bursts <= '0;
      element <= '0;
      counted <= '0;
      has_burst <= 1'b0;
      bursts <= '0;
      state <= source.memory == MEMORY_DRAM || destination.memory == MEMORY_DRAM ? COUNT : BEGIN;
    end

    if (act) begin
      if (link_left != 32'd0) link_left <= link_left - 32'd1;
      if (bus_left != 32'd0) bus_left <= bus_left - 32'd1;
      spaced_at <= spaced_at > ticks ? spaced_at - ticks : 32'd0;
      for (int b = 0; b < BURSTS; b++) begin
        if (in_flight[b]) answer_left[b] <= answer_left[b] - 32'd1;
        if (answers_now[b]) in_flight[b] <= 1'b0;
      end
      if (sends) begin
        active <= 1'b0;
        is_sent[copy_now] <= 1'b1;
      end
      state <= RETIRE;
    end

    if (reset) begin
      state <= IDLE;
      active <= 1'b0;
      in_flight <= '0;
      burst_tail <= '0;
      burst_head <= '0;
      unretired <= '0;
      copy_tail <= '0;
      copy_head <= '0;
      copies <= '0;
      ring_tail <= '0;
      ring_head <= '0;
      ring_used <= '0;
      retire_left <= '0;
      link_left <= '0;
      bus_left <= '0;
      spaced_at <= '0;
      overflow <= 1'b0;
    end
  end
endmodule
