import PantileProgram
import PantileSupport
import PantileTensor

extension Emitter {
  /// Regions and images of a contraction's weight blocks: [g][n tile][c tile][r][s][stored c][n], rows padded to bytes.
  mutating func weightRegions(
    _ step: ContractStep, _ name: String, _ nest: TiledNest
  ) -> (weights: RegionID, indices: RegionID?) {
    typealias D = ContractStep.Dim
    let block = step.blockBytes(channels: nest.length(D.c).largest, columns: nest.length(D.n).largest)
    let count = step.extents[D.g] * nest.trips(D.n) * nest.trips(D.c)
    let weights = addRegion("\(name).weights", bytes: block.weights * count, kind: .weight)
    let indices = step.sparsity.map { _ in
      addRegion("\(name).indices", bytes: block.indices * count, kind: .weight)
    }
    if withImages, let images = WeightBlocks(step: step, nest: nest).images() {
      program.images.append(.init(region: weights, bytes: images.weights))
      if let indices { program.images.append(.init(region: indices, bytes: images.indices)) }
    }
    return (weights, indices)
  }

  /// Region and image of the drain's parameters: [g][n tile][bias, multiplier, shift][n] of 32 bits.
  mutating func parameterRegion(_ step: ContractStep, _ name: String, _ nest: TiledNest) -> RegionID {
    typealias D = ContractStep.Dim
    let columns = nest.length(D.n).largest
    let tiles = nest.trips(D.n)
    let bytes = ContractStep.parameterBytes(columns: columns) * step.extents[D.g] * tiles
    let region = addRegion("\(name).parameters", bytes: bytes, kind: .weight)
    guard withImages else { return region }
    var words = [Int32](repeating: 0, count: bytes / 4)
    for g in 0..<step.extents[D.g] {
      for n in 0..<step.extents[D.n] {
        let channel = g * step.extents[D.n] + n
        let base = (g * tiles + n / columns) * 3 * columns + n % columns
        words[base] = step.bias?[channel] ?? 0
        words[base + columns] = step.multiplier[channel]
        words[base + 2 * columns] = step.shift[channel]
      }
      // Lanes beyond the last channel are never stored, but a shift of zero is no shift.
      for n in step.extents[D.n]..<max(step.extents[D.n], tiles * columns) {
        words[(g * tiles + n / columns) * 3 * columns + 2 * columns + n % columns] = 1
      }
    }
    program.images.append(
      .init(region: region, bytes: words.flatMap { word in withUnsafeBytes(of: word.littleEndian) { Array($0) } }))
    return region
  }

  /// Region and image of a map step's constant, laid out as its tensor says.
  mutating func constantRegion(_ constant: StepGraph.Constant, step: String) -> RegionID {
    let region = addRegion("\(step).\(constant.name)", bytes: constant.tensor.byteCount, kind: .weight)
    if withImages, let bytes = constant.bytes { program.images.append(.init(region: region, bytes: bytes)) }
    return region
  }
}

/// Cuts a contraction's weights into the blocks that its tiles load.
private struct WeightBlocks {
  let step: ContractStep
  let nest: TiledNest

  /// Bytes of all blocks in block order; nil when the model has no weights.
  func images() -> (weights: [UInt8], indices: [UInt8])? {
    guard let values = step.weights else { return nil }
    typealias D = ContractStep.Dim
    let extents = step.extents
    let (channels, columns, taps) = (extents[D.c], extents[D.n], extents[D.r] * extents[D.s])
    let tileC = nest.length(D.c).largest
    let tileN = nest.length(D.n).largest
    let block = step.blockBytes(channels: tileC, columns: tileN)
    let count = extents[D.g] * nest.trips(D.n) * nest.trips(D.c)
    var weights = [UInt8](repeating: 0, count: block.weights * count)
    var indices = [UInt8](repeating: 0, count: block.indices * count)
    let rowBytes = step.weightRowBytes(tileN)
    let indexRowBytes = step.indexRowBytes(tileN)
    let storedTile = step.storedChannels(tileC)
    var number = 0
    for g in 0..<extents[D.g] {
      for nTile in 0..<nest.trips(D.n) {
        for cTile in 0..<nest.trips(D.c) {
          let cEnd = min(channels, (cTile + 1) * tileC)
          let nEnd = min(columns, (nTile + 1) * tileN)
          for n in (nTile * tileN)..<nEnd {
            let column = n - nTile * tileN
            for tap in 0..<taps {
              let source = { (c: Int) in values[((g * columns + n) * channels + c) * taps + tap] }
              let rowBase = tap * storedTile
              if let sparsity = step.sparsity {
                var row = rowBase
                for group in stride(from: cTile * tileC, to: cEnd, by: sparsity.group) {
                  for slot in keptSlots(group, sparsity, source) {
                    put(
                      &weights, number * block.weights + (row * rowBytes), column, step.weightBits, Int(slot.value))
                    put(
                      &indices, number * block.indices + (row * indexRowBytes), column, step.indexBits, slot.index)
                    row += 1
                  }
                }
              } else {
                for c in (cTile * tileC)..<cEnd {
                  put(
                    &weights, number * block.weights + (rowBase + c - cTile * tileC) * rowBytes, column,
                    step.weightBits, Int(source(c)))
                }
              }
            }
          }
          number += 1
        }
      }
    }
    return (weights, indices)
  }

  /// The kept weights of a group in ascending place: nonzeros first claim slots, zeros of lowest index fill the rest.
  private func keptSlots(
    _ group: Int, _ sparsity: Contract.Sparsity, _ value: (Int) -> Int8
  ) -> [(value: Int8, index: Int)] {
    var places = (0..<sparsity.group).filter { value(group + $0) != 0 }
    precondition(places.count <= sparsity.kept, "a group holds \(places.count) nonzeros, \(sparsity.kept) are kept")
    for place in 0..<sparsity.group where places.count < sparsity.kept && value(group + place) == 0 {
      places.append(place)
    }
    return places.sorted().map { (value(group + $0), $0) }
  }

  /// Writes a field of `bits` bits as element `element` of the row that starts at byte `row`.
  private func put(_ bytes: inout [UInt8], _ row: Int, _ element: Int, _ bits: Int, _ value: Int) {
    if bits == 8 {
      bytes[row + element] = UInt8(truncatingIfNeeded: value)
      return
    }
    let field = UInt16(truncatingIfNeeded: value & ((1 << bits) - 1))
    let position = element * bits
    let word = field << UInt16(position & 7)
    bytes[row + position >> 3] |= UInt8(truncatingIfNeeded: word)
    if (position & 7) + bits > 8 { bytes[row + position >> 3 + 1] |= UInt8(truncatingIfNeeded: word >> 8) }
  }
}
