// Copies only: two 5x7 planes are transposed and padded by one element of value 9 on each side on the way in, and the planes are
// interleaved by rows on the way out; a second pair of copies reverses 32-bit elements by a negative stride.
//
// MACHINE: array=ws:4x4:overlapped drain=4:3 vector=4:5 dma=16:4 dram=8/1:20:32
// OUTPUT y: 9x2x7xi8
// OUTPUT reversed: 6xi32
"program.module"() ({
  "program.memory"() {bytes = 65536, kind = "dram", sym_name = "dram"} : () -> ()
  "program.memory"() {banks = 16, bytes = 8192, kind = "scratchpad", sym_name = "spad"} : () -> ()
  "program.memory"() {bytes = 2048, kind = "accumulator", sym_name = "acc"} : () -> ()
  "program.region"() {base = 0, bytes = 70, element = "i8", kind = "input", memory = @dram,
    shape = [2, 5, 7], sym_name = "x"} : () -> ()
  "program.region"() {base = 128, bytes = 24, element = "i32", kind = "input", memory = @dram,
    shape = [6], sym_name = "v"} : () -> ()
  "program.region"() {base = 1024, bytes = 126, element = "i8", kind = "output", memory = @dram,
    shape = [9, 2, 7], sym_name = "y"} : () -> ()
  "program.region"() {base = 1280, bytes = 24, element = "i32", kind = "output", memory = @dram,
    shape = [6], sym_name = "reversed"} : () -> ()
  "program.layer"() {kind = "transpose", sym_name = "l"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.dma1, initial = 0, producer = @core0.dma0, role = "data", sym_name = "x_full"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.dma1, initial = 0, producer = @core0.dma0, role = "data", sym_name = "v_full"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l,
      src = #program.access<@dram[-8] : i8, dims(2 by 35, 9 by 1, 7 by 7), bounds(-1 + d1 below 7, -1 + d2 below 5), pad(9)>,
      dst = #program.access<@spad[0] : i8, dims(126 by 1)>, signals = [#program.signal<@x_full at written>]} : () -> ()
    "dma.copy"() {layer = @l, src = #program.access<@dram[148] : i32, dims(6 by -4)>,
      dst = #program.access<@spad[512] : i32, dims(6 by 4)>, signals = [#program.signal<@v_full at written>]} : () -> ()
  }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@spad[0] : i8, dims(9 by 7, 2 by 63, 7 by 1)>,
      dst = #program.access<@dram[1024] : i8, dims(126 by 1)>, waits = [#program.wait<@x_full>]} : () -> ()
    "dma.copy"() {layer = @l, src = #program.access<@spad[512] : i32, dims(6 by 4)>,
      dst = #program.access<@dram[1280] : i32, dims(6 by 4)>, waits = [#program.wait<@v_full>]} : () -> ()
  }) {core = "core0", engine = "dma1", sym_name = "core0.dma1"} : () -> ()
}) {sym_name = "strides-transpose-and-padding"} : () -> ()
