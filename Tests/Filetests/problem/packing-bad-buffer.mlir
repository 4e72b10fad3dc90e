// error: bad-packing-problem
"problem.packing"() ({
  "problem.buffer"() {name = "a", start = 2 : i64, end = 1 : i64, size = 40 : i64} : () -> ()
}) {name = "bad", capacity = 64 : i64} : () -> ()
