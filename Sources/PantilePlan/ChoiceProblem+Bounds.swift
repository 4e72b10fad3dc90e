import PantileProblem
import PantileSupport

extension ChoiceProblem {
  /// Cycles below which no plan of this problem can run, each with its name:
  /// - `compute`: each step's least busy alternative, its busiest resource alone.
  /// - `compulsory bytes of LINK`: the least bytes of each step over the link, all steps together.
  /// - `fastest alternatives`: each step's fastest alternative, whatever it needs on chip.
  /// - `linear relaxation`: of the gap ILP, capacities included; missing when its budget ends.
  ///
  /// - Throws: what `check()` throws; `solver-fault`.
  public func bounds() throws(DiagnosticError) -> [NamedBound] {
    try check()
    let index = ChoiceIndex(self)
    var result = [
      NamedBound(
        "compute",
        cycles: steps.reduce(0) { saturatingAdd($0, $1.alternatives.map { $0.busy.max() ?? 0 }.min() ?? 0) })
    ]
    for (number, link) in links.enumerated() {
      let bytes = steps.reduce(0) { saturatingAdd($0, $1.alternatives.map { $0.bytes[number] }.min() ?? 0) }
      result.append(NamedBound("compulsory bytes of \(link.name)", cycles: link.rate.cycles(forBytes: bytes)))
    }
    result.append(NamedBound("fastest alternatives", cycles: index.independentBound))
    if let linear = try index.linearBound() { result.append(NamedBound("linear relaxation", cycles: linear)) }
    return result
  }

  /// How far a plan is from what is possible, cause by cause:
  /// - `tiling`: the plan's steps against the named bound of each step's own tiling problem, summed.
  /// - `residency`: the plan against the bound that its search proved.
  /// - `packing`: the address height against the most bytes alive, over all memories.
  /// - `network`: the plan against the largest bound that holds for every residency: compute and compulsory bytes.
  ///
  /// - Parameter tilingBounds: for each step the cycles below which its operation cannot run under the chosen residency.
  /// - Parameter packings: the packed memories.
  public func gaps(
    of solution: ChoiceSolution, tilingBounds: [Int], packings: [(problem: PackingProblem, solution: PackingSolution)]
  ) -> [Gap] {
    var network = NamedBound(
      "compute", cycles: steps.reduce(0) { saturatingAdd($0, $1.alternatives.map { $0.busy.max() ?? 0 }.min() ?? 0) })
    for (number, link) in links.enumerated() {
      let bytes = steps.reduce(0) { saturatingAdd($0, $1.alternatives.map { $0.bytes[number] }.min() ?? 0) }
      let cycles = link.rate.cycles(forBytes: bytes)
      if cycles > network.cycles { network = NamedBound("compulsory bytes of \(link.name)", cycles: cycles) }
    }
    return [
      Gap(
        "tiling", bound: "compute and compulsory bytes", value: solution.cycles,
        lowerBound: tilingBounds.reduce(0, saturatingAdd)),
      Gap("residency", bound: solution.boundName, value: solution.cycles, lowerBound: solution.lowerBound),
      Gap(
        "packing", bound: "most bytes alive", value: packings.reduce(0) { saturatingAdd($0, $1.solution.height) },
        lowerBound: packings.reduce(0) { saturatingAdd($0, $1.solution.lowerBound) }),
      Gap("network", bound: network.name, value: solution.cycles, lowerBound: network.cycles),
    ]
  }
}
