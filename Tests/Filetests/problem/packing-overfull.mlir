// expect: status infeasible
// expect: binding at step 1 'a' (40), 'b' (25) need 65 bytes of 64
"problem.packing"() ({
  "problem.buffer"() {name = "a", start = 0 : i64, end = 2 : i64, size = 40 : i64} : () -> ()
  "problem.buffer"() {name = "b", start = 1 : i64, end = 4 : i64, size = 25 : i64} : () -> ()
}) {name = "overfull", capacity = 64 : i64} : () -> ()
