/// Register moves of the results of one column that shift down and out: row r passes R-1-r registers, in every fold of R rows.
func drainHops(rows r: Int, m: Int) -> Int {
  func hops(_ used: Int) -> Int { used * (r - 1) - used * (used - 1) / 2 }
  return m / r * hops(r) + hops(m % r)
}
