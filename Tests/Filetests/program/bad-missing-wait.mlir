// The double-buffered matmul whose array does not wait for its activations.
//
// MACHINE: array=ws:4x4:overlapped drain=4:3 vector=4:5 dma=16:4 dram=8/1:20:32
// ERROR: race
// ERROR: channel-overflow
"program.module"() ({
  "program.memory"() {bytes = 65536, kind = "dram", sym_name = "dram"} : () -> ()
  "program.memory"() {banks = 16, bytes = 8192, kind = "scratchpad", sym_name = "spad"} : () -> ()
  "program.memory"() {bytes = 2048, kind = "accumulator", sym_name = "acc"} : () -> ()
  "program.region"() {base = 0, bytes = 64, element = "i8", kind = "input", memory = @dram,
    shape = [8, 8], sym_name = "w"} : () -> ()
  "program.region"() {base = 64, bytes = 256, element = "i8", kind = "input", memory = @dram,
    shape = [32, 8], sym_name = "x"} : () -> ()
  "program.region"() {base = 1024, bytes = 256, element = "i8", kind = "output", memory = @dram,
    shape = [32, 8], sym_name = "y"} : () -> ()
  "program.layer"() {kind = "conv2d", sym_name = "l"} : () -> ()
  "program.kernel"() {inputs = ["r0: i32 point"],
    epilogue = ["r0 = requantizeImmediate(r0, 1342177280, 36)", "r0 = clampI32(r0, 0, 127)"],
    output = "r0: i8",
    sym_name = "requant_relu"} : () -> ()
  "program.channel"() {capacity = 1, consumer = @core0.array0, initial = 0, producer = @core0.dma0, role = "data", sym_name = "w_full"} : () -> ()
  "program.channel"() {capacity = 4, consumer = @core0.array0, initial = 0, producer = @core0.dma0, role = "data", sym_name = "a_full"} : () -> ()
  "program.channel"() {capacity = 2, consumer = @core0.dma0, initial = 2, producer = @core0.array0, role = "space", sym_name = "a_free"} : () -> ()
  "program.channel"() {capacity = 2, consumer = @core0.drain0, initial = 0, producer = @core0.array0, role = "data", sym_name = "acc_full"} : () -> ()
  "program.channel"() {capacity = 2, consumer = @core0.array0, initial = 2, producer = @core0.drain0, role = "space", sym_name = "acc_free"} : () -> ()
  "program.channel"() {capacity = 2, consumer = @core0.dma1, initial = 0, producer = @core0.drain0, role = "data", sym_name = "o_full"} : () -> ()
  "program.channel"() {capacity = 2, consumer = @core0.drain0, initial = 2, producer = @core0.dma1, role = "space", sym_name = "o_free"} : () -> ()
  "program.queue"() ({
    "dma.copy"() {layer = @l, src = #program.access<@dram[0] : i8, dims(64 by 1)>,
      dst = #program.access<@spad[2048] : i8, dims(64 by 1)>, signals = [#program.signal<@w_full at written>]} : () -> ()
    "program.repeat"() ({
      "dma.copy"() {layer = @l, src = #program.access<@dram[64 + 64*i0] : i8, dims(64 by 1)>,
        dst = #program.access<@spad[0] : i8, dims(64 by 1), rotate(i0 mod 2 by 512)>,
        waits = [#program.wait<@a_free>], signals = [#program.signal<@a_full at written>]} : () -> ()
    }) {count = 4} : () -> ()
  }) {core = "core0", engine = "dma0", sym_name = "core0.dma0"} : () -> ()
  "program.queue"() ({
    "program.sync"() {layer = @l, waits = [#program.wait<@w_full>]} : () -> ()
    "program.repeat"() ({
      "array.tile"() {layer = @l, a = #program.access<@spad[0] : i8, dims(8 by 8, 8 by 1), rotate(i0 mod 2 by 512)>,
        b = #program.access<@spad[2048] : i8, dims(8 by 8, 8 by 1)>,
        acc = #program.access<@acc[0] : i32, dims(8 by 32, 8 by 4), rotate(i0 mod 2 by 256)>, m = 8, n = 8,
        k = 8, init = "zero", waits = [#program.wait<@acc_free>],
        signals = [#program.signal<@a_free at read(a)>, #program.signal<@acc_full at written>]} : () -> ()
    }) {count = 4} : () -> ()
  }) {core = "core0", engine = "array0", sym_name = "core0.array0"} : () -> ()
  "program.queue"() ({
    "program.repeat"() ({
      "array.drain"() {layer = @l, kernel = @requant_relu,
        ins = [#program.access<@acc[0] : i32, dims(64 by 4), rotate(i0 mod 2 by 256)>],
        out = #program.access<@spad[1024] : i8, dims(64 by 1), rotate(i0 mod 2 by 512)>,
        waits = [#program.wait<@acc_full>, #program.wait<@o_free>],
        signals = [#program.signal<@acc_free at read(0)>, #program.signal<@o_full at written>]} : () -> ()
    }) {count = 4} : () -> ()
  }) {core = "core0", engine = "drain0", sym_name = "core0.drain0"} : () -> ()
  "program.queue"() ({
    "program.repeat"() ({
      "dma.copy"() {layer = @l, src = #program.access<@spad[1024] : i8, dims(64 by 1), rotate(i0 mod 2 by 512)>,
        dst = #program.access<@dram[1024 + 64*i0] : i8, dims(64 by 1)>, waits = [#program.wait<@o_full>],
        signals = [#program.signal<@o_free at read(src)>]} : () -> ()
    }) {count = 4} : () -> ()
  }) {core = "core0", engine = "dma1", sym_name = "core0.dma1"} : () -> ()
}) {sym_name = "bad-missing-wait"} : () -> ()
