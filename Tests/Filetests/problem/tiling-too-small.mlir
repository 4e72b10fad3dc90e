// The smallest tile is one granule of 16 by 16, twice 256 bytes.
// expect: status infeasible
// expect: binding memory 'spad' needs 512 bytes for the smallest tiles and has 511
"problem.tiling"() ({
  "problem.dim"() {name = "n", extent = 64 : i64, granule = 16 : i64} : () -> ()
  "problem.dim"() {name = "k", extent = 64 : i64, granule = 16 : i64} : () -> ()
  "problem.order"() {loops = ["n", "k"]} : () -> ()
  "problem.memory"() {name = "spad", capacity = 511 : i64} : () -> ()
  "problem.link"() {name = "load", bytes = 8 : i64} : () -> ()
  "problem.operand"() ({
    "problem.footprint"() {memory = "spad", bytes = "tile(k) * tile(n)"} : () -> ()
  }) {name = "b", kind = "read", relevant = ["k", "n"], slots = [2], bytes_per_load = "tile(k) * tile(n)", link = "load"} : () -> ()
}) {name = "small"} : () -> ()
