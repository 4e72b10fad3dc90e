// error: wrong-op
"problem.choice"() ({
  "problem.buffer"() {name = "b", start = 0 : i64, end = 1 : i64, size = 4 : i64} : () -> ()
}) {name = "parts", resources = []} : () -> ()
