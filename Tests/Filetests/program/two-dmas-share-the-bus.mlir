// Two DMA engines load 128 bytes each at the same time: their bursts alternate on the bus of the DRAM.
//
// MACHINE: array=ws:4x4:overlapped drain=4:3 vector=4:5 dma=16:4 dram=8/1:20:32
// By hand: bursts of 4 cycles; dma0 has the bus at 0, 8, 16, 24 and dma1 at 4, 12, 20, 28; the copies leave at 28 and 32, are answered at 48
// and 52. Each keeps the bus busy for 16 cycles; the others are waiting for it. The results are stored by both again:
// dma1 issues at 48 and has the bus at 48; dma0 issues at 52 and has it at 52, 60, 68, 76, dma1 at 56, 64, 72: they leave at
// 80 and 76 and are answered at 100 and 96.
// CYCLES: 100
// BUSY core0.dma0: 32
// STALL core0.dma0 bus: 24
// STALL core0.dma0 data core0.dma1: 24
// BUSY core0.dma1: 32
// STALL core0.dma1 bus: 28
// STALL core0.dma1 data core0.dma0: 16
// OUTPUT y: 128xi8
// OUTPUT z: 128xi8
"program.module"() ({
  "program.memory"() {bytes = 65536, kind = "dram", sym_name = "dram"} : () -> ()
  "program.memory"() {banks = 16, bytes = 8192, kind = "scratchpad", sym_name = "spad"} : () -> ()
  "program.memory"() {bytes = 2048, kind = "accumulator", sym_name = "acc"} : () -> ()
  "program.region"() {base = 0, bytes = 128, element = "i8", kind = "input", memory = @dram,
    shape = [128], sym_name = "a"} : () -> ()
  "program.region"() {base = 128, bytes = 128, element = "i8", kind = "input", memory = @dram,
    shape = [128], sym_name = "b"} : () -> ()
  "program.region"() {base = 1024, bytes = 128, element = "i8", kind = "output", memory = @dram,
    shape = [128], sym_name = "y"} : () -> ()
  "program.region"() {base = 2048, bytes = 128, element = "i8", kind = "output", memory = @dram,
    shape = [128], sym_name = "z"} : () -> ()
  "program.layer"() {kind = "copy", sym_name = "l"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.dma1, initial = 0, producer = @core0.dma0, role = "data", sym_name = "a_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.dma0, initial = 0, producer = @core0.dma1, role = "data", sym_name = "b_full"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@dram[0] : i8, dims(128 by 1)>,
      dst = #program.access<@spad[0] : i8, dims(128 by 1)>, signals = [#program.signal<@a_full at written>]} : () -> ()
    "dma.copy"() {layer = @l, src = #program.access<@spad[512] : i8, dims(128 by 1)>,
      dst = #program.access<@dram[1024] : i8, dims(128 by 1)>, waits = [#program.wait<@b_full>]} : () -> ()
  }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@dram[128] : i8, dims(128 by 1)>,
      dst = #program.access<@spad[512] : i8, dims(128 by 1)>, signals = [#program.signal<@b_full at written>]} : () -> ()
    "program.sync"() {layer = @l, waits = [#program.wait<@a_full>]} : () -> ()
    "dma.copy"() {layer = @l, src = #program.access<@spad[0] : i8, dims(128 by 1)>,
      dst = #program.access<@dram[2048] : i8, dims(128 by 1)>} : () -> ()
  }) {core = "core0", engine = "dma1", sym_name = "core0.dma1"} : () -> ()
}) {sym_name = "two-dmas-share-the-bus"} : () -> ()
