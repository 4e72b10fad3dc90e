// wrong: wrong-packing
"problem.packing"() ({
  "problem.buffer"() {name = "a", start = 0 : i64, end = 2 : i64, size = 40 : i64} : () -> ()
  "problem.buffer"() {name = "b", start = 1 : i64, end = 4 : i64, size = 24 : i64} : () -> ()
}) {name = "overlap", capacity = 64 : i64} : () -> ()
"problem.packing_solution"() {bank_conflicts = 0 : i64, height = 63 : i64, lower_bound = 63 : i64, method = "hand", offsets = [0, 39], status = "optimal"} : () -> ()
