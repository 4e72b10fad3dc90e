// A residual block: t0 feeds steps 1 and 2. With 100 bytes t0 or t1 can stay, not both. Keeping t0 for both its consumers costs
// 40 + 40 + 40 cycles and moves 0 + 60 + 120 bytes; t1 instead costs 40 + 40 + 50.
// expect: status optimal
// expect: cycles 120
// expect: bytes 180
"problem.choice"() ({
  "problem.memory"() {name = "spad", capacity = 100 : i64} : () -> ()
  "problem.link"() {name = "load", bytes = 2 : i64} : () -> ()
  "problem.link"() {name = "store", bytes = 2 : i64} : () -> ()
  "problem.tensor"() {name = "t0", bytes = 60 : i64, kind = "intermediate", producer = 0 : i64, consumers = [1, 2], memory = "spad", store_link = "store"} : () -> ()
  "problem.tensor"() {name = "t1", bytes = 60 : i64, kind = "intermediate", producer = 1 : i64, consumers = [2], memory = "spad", store_link = "store"} : () -> ()
  "problem.tensor"() {name = "t2", bytes = 60 : i64, kind = "output", producer = 2 : i64, memory = "spad", store_link = "store"} : () -> ()
  "problem.step"() ({
    "problem.alternative"() {working_set = [10], busy = [40], bytes = [0, 60]} : () -> ()
    "problem.alternative"() {writes = [0], working_set = [10], busy = [40], bytes = [0, 0]} : () -> ()
  }) {name = "conv0"} : () -> ()
  "problem.step"() ({
    "problem.alternative"() {working_set = [20], busy = [40], bytes = [60, 60]} : () -> ()
    "problem.alternative"() {reads = [0], working_set = [15], busy = [40], bytes = [0, 60]} : () -> ()
    "problem.alternative"() {writes = [1], working_set = [15], busy = [40], bytes = [60, 0]} : () -> ()
    "problem.alternative"() {reads = [0], writes = [1], working_set = [10], busy = [40], bytes = [0, 0]} : () -> ()
  }) {name = "conv1"} : () -> ()
  "problem.step"() ({
    "problem.alternative"() {working_set = [30], busy = [40], bytes = [120, 60]} : () -> ()
    "problem.alternative"() {reads = [0], working_set = [25], busy = [40], bytes = [60, 60]} : () -> ()
    "problem.alternative"() {reads = [1], working_set = [25], busy = [50], bytes = [60, 60]} : () -> ()
    "problem.alternative"() {reads = [0, 1], working_set = [20], busy = [40], bytes = [0, 60]} : () -> ()
  }) {name = "add"} : () -> ()
}) {name = "residual", resources = ["array"]} : () -> ()
