// One weight-stationary 8x8x8 tile: load both operands, multiply, drain 32-bit sums, store.
//
// MACHINE: array=ws:4x4:overlapped drain=4:3 vector=4:5 dma=16:4 dram=8/1:20:32
// By hand: x (2 bursts of 4 cycles) leaves the bus at 8 and is there at 28; w at 16 and 36. The array needs
// F = 2*2 folds, streams of max(M, 2R+C-2) = 10: last stream at 36+4+3*10 = 70, last write visible at
// 70 + M+R+C-2 = 84. The drain takes 3 + 64/4 = 19, until 103. The store has 8 bursts but 4 credits: bursts at
// 103 ... 119, the fifth when the first is answered (127), the last ends at 143 and is answered at 163.
// CYCLES: 163
// BUSY core0.array0: 48
// STALL core0.array0 data core0.dma0: 36
// STALL core0.array0 no-work: 79
// BUSY core0.dma0: 16
// BUSY core0.dma1: 32
// STALL core0.dma1 credit: 8
// STALL core0.dma1 data core0.drain0: 103
// OUTPUT y: 8x8xi32
"program.module"() ({
  "program.memory"() {bytes = 65536, kind = "dram", sym_name = "dram"} : () -> ()
  "program.memory"() {banks = 16, bytes = 8192, kind = "scratchpad", sym_name = "spad"} : () -> ()
  "program.memory"() {bytes = 2048, kind = "accumulator", sym_name = "acc"} : () -> ()
  "program.region"() {base = 0, bytes = 64, element = "i8", kind = "input", memory = @dram,
    shape = [8, 8], sym_name = "x"} : () -> ()
  "program.region"() {base = 64, bytes = 64, element = "i8", kind = "input", memory = @dram,
    shape = [8, 8], sym_name = "w"} : () -> ()
  "program.region"() {base = 1024, bytes = 256, element = "i32", kind = "output", memory = @dram,
    shape = [8, 8], sym_name = "y"} : () -> ()
  "program.layer"() {kind = "conv2d", sym_name = "l"} : () -> ()
  "program.kernel"() {inputs = ["r0: i32 point"],
    output = "r0: i32",
    sym_name = "wide"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.array0, initial = 0, producer = @core0.dma0, role = "data", sym_name = "x_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.array0, initial = 0, producer = @core0.dma0, role = "data", sym_name = "w_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.drain0, initial = 0, producer = @core0.array0, role = "data", sym_name = "acc_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.dma1, initial = 0, producer = @core0.drain0, role = "data", sym_name = "y_full"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@dram[0] : i8, dims(64 by 1)>,
      dst = #program.access<@spad[0] : i8, dims(64 by 1)>, signals = [#program.signal<@x_full at written>]} : () -> ()
    "dma.copy"() {layer = @l, src = #program.access<@dram[64] : i8, dims(64 by 1)>,
      dst = #program.access<@spad[512] : i8, dims(64 by 1)>, signals = [#program.signal<@w_full at written>]} : () -> ()
  }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
  "program.queue"() ({
    "array.tile"() {layer = @l, a = #program.access<@spad[0] : i8, dims(8 by 8, 8 by 1)>,
      b = #program.access<@spad[512] : i8, dims(8 by 8, 8 by 1)>,
      acc = #program.access<@acc[0] : i32, dims(8 by 32, 8 by 4)>, m = 8, n = 8, k = 8, init = "zero",
      waits = [#program.wait<@x_full>, #program.wait<@w_full>],
      signals = [#program.signal<@acc_full at written>]} : () -> ()
  }) {core = "core0", engine = "array0", sym_name = "core0.array0"} : () -> ()
  "program.queue"() ({
    "array.drain"() {layer = @l, kernel = @wide, ins = [#program.access<@acc[0] : i32, dims(64 by 4)>],
      out = #program.access<@spad[1024] : i32, dims(64 by 4)>, waits = [#program.wait<@acc_full>],
      signals = [#program.signal<@y_full at written>]} : () -> ()
  }) {core = "core0", engine = "drain0", sym_name = "core0.drain0"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@spad[1024] : i32, dims(64 by 4)>,
      dst = #program.access<@dram[1024] : i32, dims(64 by 4)>, waits = [#program.wait<@y_full>]} : () -> ()
  }) {core = "core0", engine = "dma1", sym_name = "core0.dma1"} : () -> ()
}) {sym_name = "weight-stationary-tile"} : () -> ()
