// A matmul of 64x64x64 on a 16x16 array. Columns are cut into four tiles: the array is busy for 4 * 4 * (64 + 46) = 1760 cycles, the
// first fill is 40 + (4096 + 1024) / 8 = 680, the last drain 20 + 1024 / 8 = 148; each operand moves once.
// expect: status optimal
// expect: cycles 2588
// expect: bytes 12288
"problem.tiling"() ({
  "problem.dim"() {name = "m", extent = 64 : i64} : () -> ()
  "problem.dim"() {name = "n", extent = 64 : i64, granule = 16 : i64} : () -> ()
  "problem.dim"() {name = "k", extent = 64 : i64, granule = 16 : i64} : () -> ()
  "problem.order"() {loops = ["m", "n", "k"]} : () -> ()
  "problem.order"() {loops = ["n", "m", "k"]} : () -> ()
  "problem.memory"() {name = "spad", capacity = 65536 : i64} : () -> ()
  "problem.memory"() {name = "acc", capacity = 16384 : i64, is_private} : () -> ()
  "problem.link"() {name = "load", bytes = 8 : i64, latency = 40 : i64} : () -> ()
  "problem.link"() {name = "store", bytes = 8 : i64, latency = 20 : i64} : () -> ()
  "problem.resource"() {name = "array", busy = "ceildiv(extent(n), 16) * ceildiv(extent(k), 16) * (extent(m) + 46 * trips(m))"} : () -> ()
  "problem.operand"() ({
    "problem.footprint"() {memory = "spad", bytes = "tile(m) * tile(k)"} : () -> ()
  }) {name = "a", kind = "read", relevant = ["m", "k"], slots = [2, 1], bytes_per_load = "tile(m) * tile(k)", sweep_bytes = "extent(m) * extent(k)", link = "load"} : () -> ()
  "problem.operand"() ({
    "problem.footprint"() {memory = "spad", bytes = "tile(k) * tile(n)"} : () -> ()
  }) {name = "b", kind = "read", relevant = ["k", "n"], slots = [2, 1], bytes_per_load = "tile(k) * tile(n)", sweep_bytes = "extent(k) * extent(n)", link = "load"} : () -> ()
  "problem.operand"() ({
    "problem.footprint"() {memory = "acc", bytes = "4 * (tile(m) * tile(n))"} : () -> ()
  }) {name = "c", kind = "accumulate", relevant = ["m", "n"], slots = [1], bytes_per_load = "tile(m) * tile(n)", sweep_bytes = "extent(m) * extent(n)", link = "store", reload_link = "load"} : () -> ()
}) {name = "matmul"} : () -> ()
