// error: unknown-attribute
"problem.choice"() ({
  "problem.memory"() {name = "spad", capacities = 100 : i64} : () -> ()
}) {name = "typo", resources = []} : () -> ()
