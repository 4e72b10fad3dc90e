// error: unknown-attribute
"problem.schedule"() ({
  "problem.memory"() {name = "spad", capacities = 100 : i64} : () -> ()
}) {name = "typo", resources = []} : () -> ()
