// c is pinned to the bottom; a and b follow each other above it.
// expect: status optimal
// expect: height 64
"problem.packing"() ({
  "problem.buffer"() {name = "a", start = 0 : i64, end = 2 : i64, size = 40 : i64, alignment = 8 : i64} : () -> ()
  "problem.buffer"() {name = "b", start = 2 : i64, end = 4 : i64, size = 24 : i64, alignment = 8 : i64} : () -> ()
  "problem.buffer"() {name = "c", start = 0 : i64, end = 4 : i64, size = 24 : i64, fixed_offset = 0 : i64} : () -> ()
}) {name = "three", capacity = 64 : i64} : () -> ()
"problem.packing_solution"() {bank_conflicts = 0 : i64, height = 64 : i64, lower_bound = 64 : i64, method = "hand", offsets = [24, 24, 0], status = "optimal"} : () -> ()
