// Types and codes that the pieces of the core share. The codes are those of `ProgramBinary` (PantileProgram).
package pantile_core_types;
  // A bench of some pieces does not use every code.
  // verilator lint_off UNUSEDPARAM
  localparam int DIMS = 6;
  localparam int BOUNDS = 3;
  localparam int BANKS = 64;
  // Waits, signals and operands that one command may have; the image writer refuses more.
  localparam int WAITS = 16;
  localparam int SIGNALS = 16;
  localparam int OPERANDS = 8;

  localparam logic [1:0] MEMORY_DRAM = 2'd0;
  localparam logic [1:0] MEMORY_SCRATCHPAD = 2'd1;
  localparam logic [1:0] MEMORY_ACCUMULATOR = 2'd2;

  localparam logic [2:0] OPERATION_SYNC = 3'd0;
  localparam logic [2:0] OPERATION_CONTRACT = 3'd2;
  localparam logic [2:0] OPERATION_DRAIN = 3'd3;
  localparam logic [2:0] OPERATION_VECTOR = 3'd4;

  // Points of a command in the table of its queue.
  localparam logic [1:0] POINT_WRITTEN = 2'd0;
  localparam logic [1:0] POINT_READ_A = 2'd1;
  localparam logic [1:0] POINT_READ_B = 2'd2;

  // One operand at one point of its queue's loops; absent dims have count 1. Dim 0 is the outermost.
  typedef struct packed {
    logic [1:0] memory;
    logic [6:0] bits;
    logic [31:0] pad;
    logic signed [47:0] base;
    logic [DIMS-1:0][31:0] count;
    logic [DIMS-1:0][47:0] stride;
    logic [BOUNDS-1:0] bounded;
    logic [BOUNDS-1:0][31:0] offset;
    logic [BOUNDS-1:0][31:0] limit;
    logic [BOUNDS*DIMS-1:0][31:0] coefficient;  // of bound b and dim d at b * DIMS + d
  } access_t;

  // One command as the sequencer hands it out.
  typedef struct packed {
    logic [31:0] ordinal;
    logic [2:0] operation;
    logic [31:0] kernel;
    logic [31:0] reduced;
    logic [31:0] m;
    logic [31:0] n;
    logic [31:0] k;
    logic accumulate;
    logic [4:0] wait_count;
    logic [WAITS-1:0][15:0] wait_channel;
    logic [WAITS-1:0][31:0] wait_amount;
    logic [4:0] signal_count;
    logic [SIGNALS-1:0][15:0] signal_channel;
    logic [SIGNALS-1:0][3:0] signal_point;
    logic [SIGNALS-1:0][31:0] signal_amount;
    logic [BANKS-1:0] read_banks;
    logic [BANKS-1:0] write_banks;
    logic [3:0] operand_count;
  } command_t;

  // What travels with a result through an array: where it goes, and whose last it is.
  typedef struct packed {
    logic valid;
    logic last;
    logic overwrite;
    logic [7:0] slot;
    logic [31:0] address;
    logic [31:0] rows;
    logic [31:0] columns;
    logic [31:0] stride;
  } result_tag_t;

  // Planted faults: each shortens one interval by a cycle or a tick, or drops one rule. All zero in a real core.
  typedef struct packed {
    logic bus_round_robin;
    logic slot_early;        // output stationary: the next fold's slot
    logic reload_early;      // weight stationary: the next load
    logic write_port_early;  // write ports of a copy, at sent
    logic read_port_early;   // read ports of an array, at the last read of one operand
    logic sync_early;        // token of a sync, in its own cycle
    logic service_short;
    logic spacing_short;
    logic credit_early;
    logic answer_early;
    logic link_short;
    logic vector_slot_short;
    logic vector_latency_short;
    logic drain_latency_short;
    logic read_b_early;
    logic read_a_early;
    logic written_early;
  } faults_t;
endpackage
