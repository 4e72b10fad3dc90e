import PantileEngines
import PantileProblem
import PantileSupport
import PantileTensor

/// Seeded operands and the plain product that judges every array.
enum ArrayCases {
  /// Operands of one command; weights in the range of `bits`, indices ascending inside each group.
  static func input(
    _ extents: TileExtents, format: ContractionFormat = .int8, random: inout SplitMix64
  ) -> ArrayStepInput {
    let (m, k, n) = (extents.m, extents.k, extents.n)
    let stored = format.storedRows(k: k)
    let bits = format.weightBits
    let a = (0..<m * k).map { _ in Int8(random.next(below: 256) - 128) }
    let b = (0..<stored * n).map { _ in Int8(random.next(below: 1 << bits) - (1 << (bits - 1))) }
    var indices: [UInt8] = []
    if let pattern = format.pattern {
      indices = [UInt8](repeating: 0, count: stored * n)
      for group in 0..<k / pattern.group {
        for column in 0..<n {
          var positions = Array(0..<pattern.group)
          while positions.count > pattern.kept { positions.remove(at: random.next(below: positions.count)) }
          for (slot, position) in positions.enumerated() {
            indices[(group * pattern.kept + slot) * n + column] = UInt8(position)
          }
        }
      }
    }
    return ArrayStepInput(extents: extents, a: a, b: b, indices: indices)
  }

  /// The product by definition, on decompressed weights.
  static func product(_ input: ArrayStepInput, format: ContractionFormat = .int8) -> [Int32] {
    let (m, k, n) = (input.extents.m, input.extents.k, input.extents.n)
    var dense = [Int32](repeating: 0, count: k * n)
    for row in 0..<format.storedRows(k: k) {
      for column in 0..<n {
        let at = row * n + column
        let position = format.pattern.map { row / $0.kept * $0.group + Int(input.indices[at]) } ?? row
        dense[position * n + column] &+= Int32(input.b[at])
      }
    }
    var result = [Int32](repeating: 0, count: m * n)
    for i in 0..<m {
      for l in 0..<k {
        let value = Int32(input.a[i * k + l])
        for j in 0..<n { result[i * n + j] &+= value &* dense[l * n + j] }
      }
    }
    return result
  }

  /// The engine's function on the same operands, from zero or on top of `start`.
  static func function(
    _ engine: ArrayEngine, _ input: ArrayStepInput, format: ContractionFormat = .int8, start: [Int32]? = nil
  ) -> [Int32] {
    var result = start ?? [Int32](repeating: 77, count: input.extents.m * input.extents.n)
    result.withUnsafeMutableBufferPointer { accumulators in
      input.a.withUnsafeBufferPointer { a in
        input.b.withUnsafeBufferPointer { b in
          input.indices.withUnsafeBufferPointer { indices in
            engine.function(
              input.extents, format,
              ArrayOperands(
                a: a.baseAddress!, b: b.baseAddress!, indices: format.pattern == nil ? nil : indices.baseAddress,
                accumulators: accumulators.baseAddress!, accumulatorStride: input.extents.n),
              start != nil)
          }
        }
      }
    }
    return result
  }

  /// Everything about one engine and format on random commands: closed form = stepper, stepper = function = product, and the
  /// second of two commands of other sizes may issue exactly at `nextIssue`. Returns what disagreed.
  static func disagreements(
    _ engine: ArrayEngine, _ format: ContractionFormat, _ shapes: [TileExtents], random: inout SplitMix64
  ) -> [String] {
    var found: [String] = []
    let inputs = shapes.map { input($0, format: format, random: &random) }
    let stepped = engine.stepper(inputs, format)
    let edges = inputs.map { engine.traffic($0.extents, format) }
    if stepped.activationElements != edges.reduce(0, { $0 + $1.activationElements })
      || stepped.weightBeats != edges.reduce(0, { $0 + $1.weightBeats })
      || stepped.results != edges.reduce(0, { $0 + $1.results })
    {
      found.append("\(engine.summary) \(format) \(shapes): edge traffic differs from the closed form")
    }
    var issue = 0
    for (index, input) in inputs.enumerated() {
      let timing = engine.timing(input.extents, format)
      let command = stepped.commands[index]
      let label = "\(engine.summary) \(format) m=\(input.extents.m) k=\(input.extents.k) n=\(input.extents.n) #\(index)"
      if command.issue != issue { found.append("\(label): issue \(command.issue), closed form \(issue)") }
      if command.end - issue != timing.duration {
        found.append("\(label): duration \(command.end - issue), closed form \(timing.duration)")
      }
      if command.readA - issue != timing.readA {
        found.append("\(label): readA \(command.readA - issue), closed form \(timing.readA)")
      }
      if command.readB - issue != timing.readB {
        found.append("\(label): readB \(command.readB - issue), closed form \(timing.readB)")
      }
      let mapping = engine.mapping(format, .tile)
      let point = [
        "m": TileExtent(extent: input.extents.m, tile: input.extents.m),
        "k": TileExtent(extent: input.extents.k, tile: input.extents.k),
        "n": TileExtent(extent: input.extents.n, tile: input.extents.n),
      ]
      if mapping.cycles.evaluate(at: point) != timing.duration {
        found.append("\(label): mapping \(mapping.cycles.evaluate(at: point)), timing \(timing.duration)")
      }
      if mapping.interval.evaluate(at: point) != timing.nextIssue {
        found.append("\(label): mapped interval \(mapping.interval.evaluate(at: point)), timing \(timing.nextIssue)")
      }
      let expected = product(input, format: format)
      if command.accumulators != expected { found.append("\(label): stepper's values differ from the product") }
      if function(engine, input, format: format) != expected {
        found.append("\(label): function's values differ from the product")
      }
      let start = expected.map { $0 &* 3 &+ Int32(truncatingIfNeeded: index) }
      if function(engine, input, format: format, start: start) != zip(expected, start).map({ $0 &+ $1 }) {
        found.append("\(label): accumulating function's values differ")
      }
      issue += timing.nextIssue
    }
    return found
  }
}
