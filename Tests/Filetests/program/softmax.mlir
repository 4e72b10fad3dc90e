// Softmax over rows of 5x12 floats as four vector runs: row maximum, exponential of the difference, row sum, quotient.
//
// MACHINE: array=ws:4x4:overlapped drain=4:3 vector=4:5 dma=16:4 dram=8/1:20:32
// By hand: x (240 bytes from an aligned base: 8 bursts, 4 credits) leaves at 40 and is there at 60. Slots a point: maximum 12, exponential
// 2, sum 12, quotient 1; points: 5, 60, 5, 60, on 4 lanes: (5 + 2*12) + (5 + 15*2) + (5 + 2*12) + (5 + 15) = 113. The store leaves at
// 173 + 40 and is answered at 233.
// CYCLES: 233
// BUSY core0.vector0: 113
// OUTPUT y: 5x12xf32
"program.module"() ({
  "program.memory"() {bytes = 65536, kind = "dram", sym_name = "dram"} : () -> ()
  "program.memory"() {banks = 16, bytes = 8192, kind = "scratchpad", sym_name = "spad"} : () -> ()
  "program.memory"() {bytes = 2048, kind = "accumulator", sym_name = "acc"} : () -> ()
  "program.region"() {base = 0, bytes = 240, element = "f32", kind = "input", memory = @dram,
    shape = [5, 12], sym_name = "x"} : () -> ()
  "program.region"() {base = 1024, bytes = 240, element = "f32", kind = "output", memory = @dram,
    shape = [5, 12], sym_name = "y"} : () -> ()
  "program.layer"() {kind = "softmax", sym_name = "l"} : () -> ()
  "program.kernel"() {inputs = ["r0: f32 point"],
    reduce = "r0: maxF32",
    output = "r0: f32",
    sym_name = "row_max"} : () -> ()
  "program.kernel"() {inputs = ["r0: f32 point", "r1: f32 point"],
    prologue = ["r0 = subF32(r0, r1)", "r0 = expF32(r0)"],
    output = "r0: f32",
    sym_name = "exp_difference"} : () -> ()
  "program.kernel"() {inputs = ["r0: f32 point"],
    reduce = "r0: addF32",
    output = "r0: f32",
    sym_name = "row_sum"} : () -> ()
  "program.kernel"() {inputs = ["r0: f32 result", "r1: f32 result"],
    epilogue = ["r0 = divF32(r0, r1)"],
    output = "r0: f32",
    sym_name = "quotient"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.vector0, initial = 0, producer = @core0.dma0, role = "data", sym_name = "x_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.dma1, initial = 0, producer = @core0.vector0, role = "data", sym_name = "y_full"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@dram[0] : i32, dims(60 by 4)>,
      dst = #program.access<@spad[0] : i32, dims(60 by 4)>, signals = [#program.signal<@x_full at written>]} : () -> ()
  }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
  "program.queue"() ({
    "vector.run"() {layer = @l, kernel = @row_max, reduced = 12,
      ins = [#program.access<@spad[0] : i32, dims(5 by 48, 12 by 4)>],
      out = #program.access<@spad[512] : i32, dims(5 by 4)>, waits = [#program.wait<@x_full>]} : () -> ()
    "vector.run"() {layer = @l, kernel = @exp_difference,
      ins = [#program.access<@spad[0] : i32, dims(5 by 48, 12 by 4)>,
        #program.access<@spad[512] : i32, dims(5 by 4, 12 by 0)>],
      out = #program.access<@spad[1024] : i32, dims(5 by 48, 12 by 4)>} : () -> ()
    "vector.run"() {layer = @l, kernel = @row_sum, reduced = 12,
      ins = [#program.access<@spad[1024] : i32, dims(5 by 48, 12 by 4)>],
      out = #program.access<@spad[512] : i32, dims(5 by 4)>} : () -> ()
    "vector.run"() {layer = @l, kernel = @quotient,
      ins = [#program.access<@spad[1024] : i32, dims(60 by 4)>,
        #program.access<@spad[512] : i32, dims(5 by 4, 12 by 0)>],
      out = #program.access<@spad[0] : i32, dims(60 by 4)>, signals = [#program.signal<@y_full at written>]} : () -> ()
  }) {core = "core0", engine = "vector0", sym_name = "core0.vector0"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@spad[0] : i32, dims(60 by 4)>,
      dst = #program.access<@dram[1024] : i32, dims(60 by 4)>, waits = [#program.wait<@y_full>]} : () -> ()
  }) {core = "core0", engine = "dma1", sym_name = "core0.dma1"} : () -> ()
}) {sym_name = "softmax"} : () -> ()
