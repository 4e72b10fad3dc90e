// error: unknown-dimension
"problem.tiling"() ({
  "problem.dim"() {name = "n", extent = 64 : i64} : () -> ()
  "problem.order"() {loops = ["n"]} : () -> ()
  "problem.resource"() {name = "array", busy = "trips(N)"} : () -> ()
}) {name = "misspelt"} : () -> ()
