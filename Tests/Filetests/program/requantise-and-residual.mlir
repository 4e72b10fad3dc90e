// A drain that requantises per channel with loaded multipliers and shifts, adds a residual scaled by constants and clamps.
//
// MACHINE: array=ws:4x4:overlapped drain=4:3 vector=4:5 dma=16:4 dram=8/1:20:32
// RANGE multiplier: 1073741824 2147483647
// RANGE shift: 34 40
// RANGE bias: -20000 20000
// OUTPUT y: 5x6xi8
"program.module"() ({
  "program.memory"() {bytes = 65536, kind = "dram", sym_name = "dram"} : () -> ()
  "program.memory"() {banks = 16, bytes = 8192, kind = "scratchpad", sym_name = "spad"} : () -> ()
  "program.memory"() {bytes = 2048, kind = "accumulator", sym_name = "acc"} : () -> ()
  "program.region"() {base = 0, bytes = 60, element = "i8", kind = "input", memory = @dram,
    shape = [5, 12], sym_name = "x"} : () -> ()
  "program.region"() {base = 64, bytes = 72, element = "i8", kind = "input", memory = @dram,
    shape = [12, 6], sym_name = "w"} : () -> ()
  "program.region"() {base = 256, bytes = 24, element = "i32", kind = "input", memory = @dram,
    shape = [6], sym_name = "bias"} : () -> ()
  "program.region"() {base = 288, bytes = 24, element = "i32", kind = "input", memory = @dram,
    shape = [6], sym_name = "multiplier"} : () -> ()
  "program.region"() {base = 320, bytes = 24, element = "i32", kind = "input", memory = @dram,
    shape = [6], sym_name = "shift"} : () -> ()
  "program.region"() {base = 352, bytes = 30, element = "i8", kind = "input", memory = @dram,
    shape = [5, 6], sym_name = "r"} : () -> ()
  "program.region"() {base = 1024, bytes = 30, element = "i8", kind = "output", memory = @dram,
    shape = [5, 6], sym_name = "y"} : () -> ()
  "program.layer"() {kind = "conv2d", sym_name = "l"} : () -> ()
  "program.kernel"() {inputs = ["r0: i32 point", "r1: i32 result", "r2: i32 result", "r3: i32 result", "r4: i8 result"],
    epilogue = ["r0 = addI32(r0, r1)", "r0 = requantize(r0, r2, r3)", "r0 = addImmediateI32(r0, -3)", "r0 = clampI32(r0, -128, 127)", "r0 = addScaled(r0, r4, 1431655765, -715827882, 31)", "r0 = clampI32(r0, -128, 127)"],
    output = "r0: i8",
    sym_name = "residual"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.array0, initial = 0, producer = @core0.dma0, role = "data", sym_name = "ops_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.drain0, initial = 0, producer = @core0.dma0, role = "data", sym_name = "side_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.drain0, initial = 0, producer = @core0.array0, role = "data", sym_name = "acc_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.dma1, initial = 0, producer = @core0.drain0, role = "data", sym_name = "y_full"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@dram[0] : i8, dims(60 by 1)>,
      dst = #program.access<@spad[0] : i8, dims(60 by 1)>} : () -> ()
    "dma.copy"() {layer = @l, src = #program.access<@dram[64] : i8, dims(72 by 1)>,
      dst = #program.access<@spad[512] : i8, dims(72 by 1)>, signals = [#program.signal<@ops_full at written>]} : () -> ()
    "dma.copy"() {layer = @l, src = #program.access<@dram[256] : i32, dims(30 by 4)>,
      dst = #program.access<@spad[1024] : i32, dims(30 by 4)>} : () -> ()
    "dma.copy"() {layer = @l, src = #program.access<@dram[352] : i8, dims(30 by 1)>,
      dst = #program.access<@spad[1536] : i8, dims(30 by 1)>,
      signals = [#program.signal<@side_full at written>]} : () -> ()
  }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
  "program.queue"() ({
    "array.tile"() {layer = @l, a = #program.access<@spad[0] : i8, dims(5 by 12, 12 by 1)>,
      b = #program.access<@spad[512] : i8, dims(12 by 6, 6 by 1)>,
      acc = #program.access<@acc[64] : i32, dims(5 by 32, 6 by 4)>, m = 5, n = 6, k = 12, init = "zero",
      waits = [#program.wait<@ops_full>], signals = [#program.signal<@acc_full at written>]} : () -> ()
  }) {core = "core0", engine = "array0", sym_name = "core0.array0"} : () -> ()
  "program.queue"() ({
    "array.drain"() {layer = @l, kernel = @residual,
      ins = [#program.access<@acc[64] : i32, dims(5 by 32, 6 by 4)>,
        #program.access<@spad[1024] : i32, dims(5 by 0, 6 by 4)>,
        #program.access<@spad[1056] : i32, dims(5 by 0, 6 by 4)>,
        #program.access<@spad[1088] : i32, dims(5 by 0, 6 by 4)>,
        #program.access<@spad[1536] : i8, dims(5 by 6, 6 by 1)>],
      out = #program.access<@spad[2048] : i8, dims(5 by 6, 6 by 1)>,
      waits = [#program.wait<@side_full>, #program.wait<@acc_full>],
      signals = [#program.signal<@y_full at written>]} : () -> ()
  }) {core = "core0", engine = "drain0", sym_name = "core0.drain0"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@spad[2048] : i8, dims(30 by 1)>,
      dst = #program.access<@dram[1024] : i8, dims(30 by 1)>, waits = [#program.wait<@y_full>]} : () -> ()
  }) {core = "core0", engine = "dma1", sym_name = "core0.dma1"} : () -> ()
}) {sym_name = "requantise-and-residual"} : () -> ()
