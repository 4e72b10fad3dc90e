// The second step has no way to run without the tensor on chip, and there it does not fit.
// expect: status infeasible
"problem.choice"() ({
  "problem.memory"() {name = "spad", capacity = 60 : i64} : () -> ()
  "problem.link"() {name = "store", bytes = 2 : i64} : () -> ()
  "problem.tensor"() {name = "t0", bytes = 60 : i64, kind = "intermediate", producer = 0 : i64, consumers = [1], memory = "spad", store_link = "store"} : () -> ()
  "problem.step"() ({
    "problem.alternative"() {working_set = [10], busy = [40], bytes = [60]} : () -> ()
    "problem.alternative"() {writes = [0], working_set = [0], busy = [40], bytes = [0]} : () -> ()
  }) {name = "first"} : () -> ()
  "problem.step"() ({
    "problem.alternative"() {reads = [0], working_set = [1], busy = [40], bytes = [0]} : () -> ()
  }) {name = "second"} : () -> ()
}) {name = "stuck", resources = ["array"]} : () -> ()
