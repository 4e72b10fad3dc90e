// The solution keeps the tensor and reads it by DMA.
// wrong: wrong-choice
"problem.choice"() ({
  "problem.memory"() {name = "spad", capacity = 100 : i64} : () -> ()
  "problem.link"() {name = "dma", bytes = 2 : i64} : () -> ()
  "problem.tensor"() {name = "t0", bytes = 60 : i64, kind = "intermediate", producer = 0 : i64, consumers = [1], memory = "spad", store_link = "dma"} : () -> ()
  "problem.step"() ({
    "problem.alternative"() {working_set = [10], busy = [40], bytes = [60]} : () -> ()
    "problem.alternative"() {writes = [0], working_set = [0], busy = [40], bytes = [0]} : () -> ()
  }) {name = "first"} : () -> ()
  "problem.step"() ({
    "problem.alternative"() {working_set = [1], busy = [40], bytes = [60]} : () -> ()
    "problem.alternative"() {reads = [0], working_set = [1], busy = [40], bytes = [0]} : () -> ()
  }) {name = "second"} : () -> ()
}) {name = "pair", resources = ["array"]} : () -> ()
"problem.choice_solution"() {bound = "hand", bytes = 60 : i64, choice = [1, 0], cycles = 80 : i64, kept = [1], lower_bound = 80 : i64, method = "hand", status = "optimal", step_cycles = [40, 40]} : () -> ()
