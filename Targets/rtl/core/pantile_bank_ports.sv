// Which queue owns the read and write ports of the scratchpad's banks, and how many of its commands hold each.
module pantile_bank_ports #(
    parameter int QUEUES = 5
) (
    input logic clk,
    input logic reset,
    input logic [2:0] asker,  // who asks, takes or releases
    input logic [pantile_core_types::BANKS-1:0] read_banks,
    input logic [pantile_core_types::BANKS-1:0] write_banks,
    input logic take,
    input logic free_reads,
    input logic free_writes,
    output logic are_free  // no other queue owns any of these ports
);
  import pantile_core_types::*;

  logic [QUEUES-1:0][BANKS-1:0] reads_of;
  logic [QUEUES-1:0][BANKS-1:0] writes_of;
  logic [BANKS-1:0][7:0] read_holds;
  logic [BANKS-1:0][7:0] write_holds;
  logic [BANKS-1:0] others_read;
  logic [BANKS-1:0] others_write;

  always_comb begin
    others_read = '0;
    others_write = '0;
    for (int q = 0; q < QUEUES; q++)
      if (asker != 3'(q)) begin
        others_read = others_read | reads_of[q];
        others_write = others_write | writes_of[q];
      end
  end
  assign are_free = (others_read & read_banks) == '0 && (others_write & write_banks) == '0;

  always_ff @(posedge clk) begin
    for (int b = 0; b < BANKS; b++) begin
      if (read_banks[b] && take) begin
        read_holds[b] <= read_holds[b] + 8'd1;
        for (int q = 0; q < QUEUES; q++) if (asker == 3'(q)) reads_of[q][b] <= 1'b1;
      end else if (read_banks[b] && free_reads) begin
        read_holds[b] <= read_holds[b] - 8'd1;
        for (int q = 0; q < QUEUES; q++) if (asker == 3'(q)) reads_of[q][b] <= read_holds[b] != 8'd1;
      end
      if (write_banks[b] && take) begin
        write_holds[b] <= write_holds[b] + 8'd1;
        for (int q = 0; q < QUEUES; q++) if (asker == 3'(q)) writes_of[q][b] <= 1'b1;
      end else if (write_banks[b] && free_writes) begin
        write_holds[b] <= write_holds[b] - 8'd1;
        for (int q = 0; q < QUEUES; q++) if (asker == 3'(q)) writes_of[q][b] <= write_holds[b] != 8'd1;
      end
    end
    if (reset) begin
      reads_of <= '0;
      writes_of <= '0;
      read_holds <= '0;
      write_holds <= '0;
    end
  end
endmodule
