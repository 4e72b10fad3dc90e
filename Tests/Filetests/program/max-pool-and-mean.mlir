// A 3x3 max-pool with stride 2 and padding 1, then the mean of each channel as a sum and a requantisation: two layers on the
// vector engine, which finishes a command before the next one.
//
// MACHINE: array=ws:4x4:overlapped drain=4:3 vector=4:5 dma=16:4 dram=8/1:20:32
// By hand: x (168 bytes, 6 bursts on 4 credits: 0 ... 16, then 24, 28) leaves at 32 and is there at 52. The pool has 3*4*4 = 48
// points on 4 lanes, 9 taps of one slot each: 5 + 12*9 = 113. The mean has 4 points, 12 adds and 2 instructions: 5 + 14 = 19.
// Both the mean and the store of the pool read bank 1 from 165 on; the vector engine stands first, so the store (2 bursts)
// waits for the port until 184 and leaves at 192; the store of the mean, one burst, leaves at 196 and is answered at 216.
// CYCLES: 216
// STALL core0.dma1 bank: 19
// STALL core0.dma1 data core0.vector0: 165
// BUSY core0.vector0: 132
// STALL core0.vector0 data core0.dma0: 52
// OUTPUT pooled: 3x4x4xi8
// OUTPUT mean: 4xi8
"program.module"() ({
  "program.memory"() {bytes = 65536, kind = "dram", sym_name = "dram"} : () -> ()
  "program.memory"() {banks = 16, bytes = 8192, kind = "scratchpad", sym_name = "spad"} : () -> ()
  "program.memory"() {bytes = 2048, kind = "accumulator", sym_name = "acc"} : () -> ()
  "program.region"() {base = 0, bytes = 168, element = "i8", kind = "input", memory = @dram,
    shape = [6, 7, 4], sym_name = "x"} : () -> ()
  "program.region"() {base = 1024, bytes = 48, element = "i8", kind = "output", memory = @dram,
    shape = [3, 4, 4], sym_name = "pooled"} : () -> ()
  "program.region"() {base = 1152, bytes = 4, element = "i8", kind = "output", memory = @dram,
    shape = [4], sym_name = "mean"} : () -> ()
  "program.layer"() {kind = "max_pool2d", sym_name = "pool"} : () -> ()
  "program.layer"() {kind = "mean", sym_name = "mean"} : () -> ()
  "program.kernel"() {inputs = ["r0: i8 point"],
    reduce = "r0: maxI32",
    output = "r0: i8",
    sym_name = "max"} : () -> ()
  "program.kernel"() {inputs = ["r0: i8 point"],
    reduce = "r0: addI32",
    epilogue = ["r0 = requantizeImmediate(r0, 1431655765, 34)", "r0 = clampI32(r0, -128, 127)"],
    output = "r0: i8",
    sym_name = "mean"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.vector0, initial = 0, producer = @core0.dma0, role = "data", sym_name = "x_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.dma1, initial = 0, producer = @core0.vector0, role = "data", sym_name = "p_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.dma1, initial = 0, producer = @core0.vector0, role = "data", sym_name = "m_full"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @pool, src = #program.access<@dram[0] : i8, dims(168 by 1)>,
      dst = #program.access<@spad[0] : i8, dims(168 by 1)>, signals = [#program.signal<@x_full at written>]} : () -> ()
  }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
  "program.queue"() ({
    "vector.run"() {layer = @pool, kernel = @max, reduced = 9,
      ins = [#program.access<@spad[-32] : i8, dims(3 by 56, 4 by 8, 4 by 1, 3 by 28, 3 by 4), bounds(-1 + 2*d0 + d3 below 6, -1 + 2*d1 + d4 below 7), pad(-128)>],
      out = #program.access<@spad[512] : i8, dims(48 by 1)>, waits = [#program.wait<@x_full>],
      signals = [#program.signal<@p_full at written>]} : () -> ()
    "vector.run"() {layer = @mean, kernel = @mean, reduced = 12,
      ins = [#program.access<@spad[512] : i8, dims(4 by 1, 12 by 4)>],
      out = #program.access<@spad[1024] : i8, dims(4 by 1)>, signals = [#program.signal<@m_full at written>]} : () -> ()
  }) {core = "core0", engine = "vector0", sym_name = "core0.vector0"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @pool, src = #program.access<@spad[512] : i8, dims(48 by 1)>,
      dst = #program.access<@dram[1024] : i8, dims(48 by 1)>, waits = [#program.wait<@p_full>]} : () -> ()
    "dma.copy"() {layer = @mean, src = #program.access<@spad[1024] : i8, dims(4 by 1)>,
      dst = #program.access<@dram[1152] : i8, dims(4 by 1)>, waits = [#program.wait<@m_full>]} : () -> ()
  }) {core = "core0", engine = "dma1", sym_name = "core0.dma1"} : () -> ()
}) {sym_name = "max-pool-and-mean"} : () -> ()
