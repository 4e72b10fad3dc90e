import PantileProblem
import PantileSupport

/// Plans without the master program: one buffer after the other, and better ones from those.
extension ItineraryChoice {
  /// Room that is taken: `memory * slotCount + slot`.
  typealias Load = [Int]

  /// Puts one buffer after the other where there is room; nil where one finds none.
  ///
  /// - Parameter prices: What room costs, so that early buffers leave some where it is wanted.
  func greedy(_ sequence: [Int], _ prices: SlotPrices) -> [Itinerary]? {
    var plan = [Itinerary?](repeating: nil, count: problem.buffers.count)
    var load = Load(repeating: 0, count: problem.memories.count * problem.slotCount)
    for buffer in sequence {
      guard let found = cheapest(buffer, load, prices) else { return nil }
      plan[buffer] = found
      change(&load, found, of: buffer, by: 1)
    }
    return plan.compactMap { $0 }
  }

  /// Moves one buffer after the other to the cheapest itinerary that the others leave, until none gets cheaper or takes less room.
  func improved(_ plan: [Itinerary], passes: Int = 12) -> [Itinerary] {
    var plan = plan
    var load = load(of: plan)
    for _ in 0..<passes {
      var isBetter = false
      for buffer in plan.indices {
        change(&load, plan[buffer], of: buffer, by: -1)
        if let found = cheapest(buffer, load, noPrices),
          (searches[buffer].cost(of: found), searches[buffer].occupancy(of: found))
            < (searches[buffer].cost(of: plan[buffer]), searches[buffer].occupancy(of: plan[buffer]))
        {
          plan[buffer] = found
          isBetter = true
        }
        change(&load, plan[buffer], of: buffer, by: 1)
      }
      if !isBetter { break }
    }
    return plan
  }

  /// Large neighbourhoods: takes some buffers that live together out and puts them back in another sequence, again and again; goes on from
  /// what is hardly dearer, ever less so. Itineraries of cheaper plans become known ones.
  ///
  /// - Returns: the cheapest plan on the way.
  /// **Source** Shaw, "Using constraint programming and local search methods to solve vehicle routing problems", CP 1998; Dueck and
  /// Scheuer, "Threshold accepting", Journal of Computational Physics 90(1), 1990.
  mutating func searched(_ plan: [Itinerary], rounds: Int, seed: UInt64) -> [Itinerary] {
    guard plan.count > 1 else { return plan }
    var random = SplitMix64(seed: seed)
    var plan = plan
    var load = load(of: plan)
    var costs = plan.indices.map { searches[$0].cost(of: plan[$0]) }
    var total = costs.reduce(0, saturatingAdd)
    var best = (plan: plan, total: total)
    // Prices of none, a part and all of the relaxation.
    let scarcity = [noPrices, prices.scaled(percent: 30), prices]
    for round in 0..<rounds {
      if best.total <= bound { break }
      let slot = random.next(below: problem.slotCount)
      var alive = plan.indices.filter { plan[$0].mask(at: slot) != 0 }
      if alive.isEmpty { continue }
      for index in stride(from: alive.count - 1, to: 0, by: -1) { alive.swapAt(index, random.next(below: index + 1)) }
      let chosen = Array(alive.prefix(2 + random.next(below: 7)))
      let price = scarcity[random.next(below: scarcity.count)]
      for buffer in chosen { change(&load, plan[buffer], of: buffer, by: -1) }
      var found: [Itinerary] = []
      for buffer in chosen {
        guard let itinerary = cheapest(buffer, load, price) else { break }
        found.append(itinerary)
        change(&load, itinerary, of: buffer, by: 1)
      }
      let old = chosen.reduce(0) { saturatingAdd($0, costs[$1]) }
      let new = zip(chosen, found).reduce(0) { saturatingAdd($0, searches[$1.0].cost(of: $1.1)) }
      // At first a five-hundredth of the cost may be lost in a round, at last nothing.
      let loss = best.total / 500 * (rounds - round) / rounds
      guard found.count == chosen.count, total - old + new <= best.total + loss else {
        for (buffer, itinerary) in zip(chosen, found) { change(&load, itinerary, of: buffer, by: -1) }
        for buffer in chosen { change(&load, plan[buffer], of: buffer, by: 1) }
        continue
      }
      total += new - old
      for (buffer, itinerary) in zip(chosen, found) {
        plan[buffer] = itinerary
        costs[buffer] = searches[buffer].cost(of: itinerary)
      }
      if total < best.total {
        best = (plan, total)
        for (buffer, itinerary) in zip(chosen, found) { add(itinerary, of: buffer) }
      }
    }
    return best.plan
  }

  /// Prices for greedy plans: nothing; so much that buffers stay out of small memories; and those of the relaxation.
  func greedyPrices() -> [SlotPrices] {
    let all = problem.buffers.reduce(0) { saturatingAdd($0, $1.bytes) }
    var scarce = noPrices
    let high = Int(min(startingPenalty * Double(SlotPrices.scale), Double(dearestPrice)))
    for (memory, it) in problem.memories.enumerated() where it.capacity < all {
      for slot in 0..<problem.slotCount { scarce[memory, slot] = high }
    }
    return [noPrices, scarce.scaled(percent: 1), scarce] + [50, 100, 200, 400].map { prices.scaled(percent: $0) }
  }

  private var noPrices: SlotPrices {
    SlotPrices(memories: problem.memories.count, slotCount: problem.slotCount)
  }

  private func cheapest(_ buffer: Int, _ load: Load, _ prices: SlotPrices) -> Itinerary? {
    var prices = prices
    let search = searches[buffer]
    for memory in problem.memories.indices {
      let free = capacities[memory] - search.room[memory]
      for slot in search.first...search.last where load[memory * problem.slotCount + slot] > free {
        prices[memory, slot] = SlotPrices.blocked
      }
    }
    return search.cheapest(prices)?.itinerary
  }

  private func change(_ load: inout Load, _ itinerary: Itinerary, of buffer: Int, by sign: Int) {
    let room = searches[buffer].room
    for (place, mask) in itinerary.masks.enumerated() where mask != 0 {
      for memory in room.indices where Int(mask) >> memory & 1 == 1 {
        load[memory * problem.slotCount + itinerary.first + place] += sign * room[memory]
      }
    }
  }
}
