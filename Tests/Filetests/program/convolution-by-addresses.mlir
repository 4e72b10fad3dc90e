// A 3x3 convolution, stride 2, padding 1, by address generation alone: NHWC input 6x7x4, eight filters, output 3x4x8.
// Padding yields the value 5 (an input zero point) and touches no memory.
//
// MACHINE: array=ws:4x4:overlapped drain=4:3 vector=4:5 dma=16:4 dram=8/1:20:32
// By hand: x has 6 bursts, w 9, on 4 credits: each waits for the answer of the fourth before it; the last of w leaves at 84 and is
// there at 104. Folds 9*2, streams of M = 12: the last at 104+4+17*12, the last write 12+4+4-2 later, at 330. The drain takes
// 3 + 96/4, until 357; the store has 12 bursts in three groups of 4, 24 cycles apart: left at 357+48+16 = 421, answered at 441.
// CYCLES: 441
// OUTPUT y: 3x4x8xi32
"program.module"() ({
  "program.memory"() {bytes = 65536, kind = "dram", sym_name = "dram"} : () -> ()
  "program.memory"() {banks = 16, bytes = 8192, kind = "scratchpad", sym_name = "spad"} : () -> ()
  "program.memory"() {bytes = 2048, kind = "accumulator", sym_name = "acc"} : () -> ()
  "program.region"() {base = 0, bytes = 168, element = "i8", kind = "input", memory = @dram,
    shape = [6, 7, 4], sym_name = "x"} : () -> ()
  "program.region"() {base = 256, bytes = 288, element = "i8", kind = "input", memory = @dram,
    shape = [36, 8], sym_name = "w"} : () -> ()
  "program.region"() {base = 1024, bytes = 384, element = "i32", kind = "output", memory = @dram,
    shape = [3, 4, 8], sym_name = "y"} : () -> ()
  "program.layer"() {kind = "conv2d", sym_name = "l"} : () -> ()
  "program.kernel"() {inputs = ["r0: i32 point"],
    output = "r0: i32",
    sym_name = "wide"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.array0, initial = 0, producer = @core0.dma0, role = "data", sym_name = "x_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.array0, initial = 0, producer = @core0.dma0, role = "data", sym_name = "w_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.drain0, initial = 0, producer = @core0.array0, role = "data", sym_name = "acc_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.dma1, initial = 0, producer = @core0.drain0, role = "data", sym_name = "y_full"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@dram[0] : i8, dims(168 by 1)>,
      dst = #program.access<@spad[0] : i8, dims(168 by 1)>, signals = [#program.signal<@x_full at written>]} : () -> ()
    "dma.copy"() {layer = @l, src = #program.access<@dram[256] : i8, dims(288 by 1)>,
      dst = #program.access<@spad[512] : i8, dims(288 by 1)>, signals = [#program.signal<@w_full at written>]} : () -> ()
  }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
  "program.queue"() ({
    "array.tile"() {layer = @l,
      a = #program.access<@spad[-32] : i8, dims(3 by 56, 4 by 8, 3 by 28, 3 by 4, 4 by 1), bounds(-1 + 2*d0 + d2 below 6, -1 + 2*d1 + d3 below 7), pad(5)>,
      b = #program.access<@spad[512] : i8, dims(36 by 8, 8 by 1)>,
      acc = #program.access<@acc[0] : i32, dims(12 by 32, 8 by 4)>, m = 12, n = 8, k = 36, init = "zero",
      waits = [#program.wait<@x_full>, #program.wait<@w_full>],
      signals = [#program.signal<@acc_full at written>]} : () -> ()
  }) {core = "core0", engine = "array0", sym_name = "core0.array0"} : () -> ()
  "program.queue"() ({
    "array.drain"() {layer = @l, kernel = @wide, ins = [#program.access<@acc[0] : i32, dims(96 by 4)>],
      out = #program.access<@spad[1024] : i32, dims(96 by 4)>, waits = [#program.wait<@acc_full>],
      signals = [#program.signal<@y_full at written>]} : () -> ()
  }) {core = "core0", engine = "drain0", sym_name = "core0.drain0"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@spad[1024] : i32, dims(96 by 4)>,
      dst = #program.access<@dram[1024] : i32, dims(96 by 4)>, waits = [#program.wait<@y_full>]} : () -> ()
  }) {core = "core0", engine = "dma1", sym_name = "core0.dma1"} : () -> ()
}) {sym_name = "convolution-by-addresses"} : () -> ()
