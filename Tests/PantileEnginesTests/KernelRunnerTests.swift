import Foundation
import PantileEngines
import PantileProgram
import PantileSupport
import Testing

/// Every kernel operation against its formula on single numbers.
@Suite struct KernelRunnerTests {
  static let integers: [Int32] = [
    0, 1, -1, 2, -2, 127, -128, 1000, -12345, 46341, 1 << 30, -(1 << 30), .max, .min, .max - 1, .min + 1,
  ]
  static let floats: [Float] = [
    0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 3.25, 100, -1e-3, 1e10, -1e10, 3e38, .leastNonzeroMagnitude, .infinity,
    -.infinity, .nan,
  ]

  /// Runs a kernel of one instruction on all pairs; registers 0 = a, 1 = b, 2 = shift.
  static func run(
    _ operation: KernelOperation, _ immediates: [Int], _ a: [Int32], _ b: [Int32], _ shift: [Int32]
  ) -> [Int32] {
    let image = MemoryImage(byteCount: a.count * 16)
    let words = image.bytes.bindMemory(to: Int32.self)
    for i in a.indices {
      words[i] = a[i]
      words[a.count + i] = b[i]
      words[2 * a.count + i] = shift[i]
    }
    func access(_ part: Int) -> ResolvedAccess {
      AddressGenerator(
        memory: MemoryID(0), baseBits: Affine(part * a.count * 32), elementBits: 32,
        dims: [.init(a.count, strideBits: 32)]
      ).resolved(at: LoopState())
    }
    var runner = KernelRunner()
    let kernel = Kernel(
      name: "k",
      inputs: [
        Kernel.Input(.i32, .point, register: 0), Kernel.Input(.i32, .result, register: 1),
        Kernel.Input(.i32, .result, register: 2),
      ],
      epilogue: [Kernel.Instruction(operation, 3, 0, operation.isBinary ? 1 : 0, immediates)], output: 3,
      outputFormat: .i32)
    runner.run(
      kernel, inputs: [access(0), access(1), access(2)], output: access(3), reduced: 1, images: [image])
    return a.indices.map { words[3 * a.count + $0] }
  }

  @Test(arguments: [KernelOperation.addI32, .subI32, .mulI32, .maxI32, .minI32])
  func integersOfTwo(_ operation: KernelOperation) {
    let pairs = Self.integers.flatMap { a in Self.integers.map { (a, $0) } }
    let found = Self.run(operation, [], pairs.map(\.0), pairs.map(\.1), pairs.map { _ in 0 })
    for ((a, b), value) in zip(pairs, found) {
      let exact: Int =
        switch operation {
        case .addI32: Int(a) + Int(b)
        case .subI32: Int(a) - Int(b)
        case .mulI32: Int(a) * Int(b)
        case .maxI32: a > b ? Int(a) : Int(b)
        default: a < b ? Int(a) : Int(b)
        }
      #expect(value == Int32(truncatingIfNeeded: exact), "\(operation) \(a) \(b)")
    }
  }

  @Test func integersWithConstants() {
    let a = Self.integers
    let zero = a.map { _ in Int32(0) }
    for c in [0, 5, -7, Int(Int32.max), Int(Int32.min)] {
      #expect(
        Self.run(.addImmediateI32, [c], a, zero, zero) == a.map { Int32(truncatingIfNeeded: Int($0) + c) })
    }
    for (low, high) in [(-128, 127), (0, 6), (-5, -5), (Int(Int32.min), Int(Int32.max))] {
      let expected = a.map { $0 < low ? Int32(low) : $0 > high ? Int32(high) : $0 }
      #expect(Self.run(.clampI32, [low, high], a, zero, zero) == expected)
    }
    #expect(Self.run(.copy, [], a, zero, zero) == a)
  }

  /// floor((x·m + half) / 2^s) held at ±2^30, computed with a remainder instead of a shift.
  static func scaled(_ sum: Int, _ shift: Int) -> Int32 {
    let (total, overflow) = sum.addingReportingOverflow(1 << (shift - 1))
    precondition(!overflow, "test values stay inside 64 bits")
    let unit = 1 << shift
    let remainder = (total % unit + unit) % unit
    return Int32(min(max((total - remainder) / unit, -(1 << 30)), 1 << 30))
  }

  @Test func requantisation() {
    var random = SplitMix64(seed: 9)
    var a = Self.integers
    for _ in 0..<500 { a.append(Int32(truncatingIfNeeded: Int(bitPattern: UInt(random.next())))) }
    let m = a.map { _ in Int32(1 << 30 + random.next(below: 1 << 30)) }
    let s = a.map { _ in Int32(1 + random.next(below: 61)) }
    let found = Self.run(.requantize, [2], a, m, s)
    #expect(found == a.indices.map { Self.scaled(Int(a[$0]) * Int(m[$0]), Int(s[$0])) })
    for (multiplier, shift) in [(1 << 30, 30), (Int(Int32.max), 31), (1_518_500_250, 45), (0, 1), (1, 61)] {
      #expect(
        Self.run(.requantizeImmediate, [multiplier, shift], a, m, s)
          == a.map { Self.scaled(Int($0) * multiplier, shift) })
    }
    let b = a.reversed().map { $0 >> 1 }
    for (ma, mb, shift) in [(3, 5, 4), (1 << 29, -(1 << 29), 31), (12345, 0, 10), (-7, 1 << 28, 61)] {
      #expect(
        Self.run(.addScaled, [ma, mb, shift], a, b, s)
          == zip(a, b).map { Self.scaled(Int($0) * ma + Int($1) * mb, shift) })
    }
  }

  static func same(_ x: Float, _ y: Float) -> Bool { x.isNaN ? y.isNaN : x.bitPattern == y.bitPattern }

  static func lanes(_ values: [Float]) -> [Int32] { values.map { Int32(bitPattern: $0.bitPattern) } }

  @Test(arguments: [KernelOperation.addF32, .subF32, .mulF32, .divF32, .maxF32, .minF32, .powF32])
  func floatsOfTwo(_ operation: KernelOperation) {
    let pairs = Self.floats.flatMap { a in Self.floats.map { (a, $0) } }
    let found = Self.run(
      operation, [], Self.lanes(pairs.map(\.0)), Self.lanes(pairs.map(\.1)), pairs.map { _ in 0 })
    for ((a, b), lane) in zip(pairs, found) {
      let value = Float(bitPattern: UInt32(bitPattern: lane))
      let expected: Float =
        switch operation {
        case .addF32: a + b
        case .subF32: a - b
        case .mulF32: a * b
        case .divF32: a / b
        // NaN wins, as ONNX has it; of equal numbers either sign of zero may come.
        case .maxF32: a.isNaN || b.isNaN ? .nan : Float.maximum(a, b)
        case .minF32: a.isNaN || b.isNaN ? .nan : Float.minimum(a, b)
        default: powf(a, b)
        }
      let isZero = a == 0 && b == 0 && (operation == .maxF32 || operation == .minF32)
      #expect(isZero ? value == 0 : Self.same(value, expected), "\(operation) \(a) \(b)")
    }
  }

  @Test func floatsOfOne() {
    let table: [(KernelOperation, [Float], (Float) -> Float)] = [
      (.expF32, [], { expf($0) }), (.logF32, [], { logf($0) }), (.sqrtF32, [], { sqrtf($0) }),
      (.negF32, [], { -$0 }), (.absF32, [], { fabsf($0) }), (.erfF32, [], { erff($0) }), (.tanhF32, [], { tanhf($0) }),
      (.sigmoidF32, [], { 1 / (1 + expf(-$0)) }), (.leakyF32, [0.01], { $0 < 0 ? $0 * 0.01 : $0 }),
      (.addImmediateF32, [1.5], { $0 + 1.5 }), (.mulImmediateF32, [-0.3], { $0 * -0.3 }),
      (.divImmediateF32, [3], { $0 / 3 }),
      (.clampF32, [-1, 2.5], { $0.isNaN ? $0 : $0 < -1 ? -1 : $0 > 2.5 ? 2.5 : $0 }), (.copy, [], { $0 }),
    ]
    let zero = Self.floats.map { _ in Int32(0) }
    for (operation, immediates, formula) in table {
      let found = Self.run(
        operation, immediates.map { Int($0.bitPattern) }, Self.lanes(Self.floats), zero, zero)
      for (x, lane) in zip(Self.floats, found) {
        #expect(Self.same(Float(bitPattern: UInt32(bitPattern: lane)), formula(x)), "\(operation) \(x)")
      }
    }
  }

  @Test func conversions() {
    let zero = Self.integers.map { _ in Int32(0) }
    #expect(Self.run(.toF32, [], Self.integers, zero, zero) == Self.lanes(Self.integers.map { Float($0) }))
    for (low, high) in [(-128, 127), (0, 255), (Int(Int32.min), Int(Int32.max))] {
      let found = Self.run(
        .roundToI32, [low, high], Self.lanes(Self.floats), Self.floats.map { _ in 0 }, Self.floats.map { _ in 0 })
      for (x, value) in zip(Self.floats, found) {
        let expected: Int =
          x.isNaN || Double(x) <= Double(low)
          ? low : Double(x) >= Double(high) ? high : Int(Double(x).rounded(.toNearestOrEven))
        #expect(Int(value) == min(max(expected, low), high), "round \(x) to \(low)...\(high)")
      }
    }
  }

  /// Sums, maxima and minima over the reduced points, in their order, of inputs of each scope and format.
  @Test(arguments: Kernel.Reduction.allCases)
  func reductions(_ reduction: Kernel.Reduction) {
    var random = SplitMix64(seed: 21)
    let isFloat = reduction == .addF32 || reduction == .maxF32 || reduction == .minF32
    for (points, reduced) in [(1, 1), (3, 7), (16, 1), (5, 12)] {
      let image = MemoryImage(byteCount: 8192)
      let words = image.bytes.bindMemory(to: Int32.self)
      for i in 0..<points * reduced {
        words[i] =
          isFloat
          ? Int32(bitPattern: Float(random.nextUnit24() * 200 - 100).bitPattern)
          : Int32(truncatingIfNeeded: Int(bitPattern: UInt(random.next())))
      }
      for i in 0..<points { image.bytes[4096 + i] = UInt8(random.next(below: 256)) }
      func access(_ base: Int, _ bits: Int, _ dims: [AddressGenerator.Dim], _ reduced: Int) -> ResolvedAccess {
        AddressGenerator(memory: MemoryID(0), baseBits: Affine(base * 8), elementBits: bits, dims: dims)
          .resolved(at: LoopState(), reduced: reduced)
      }
      var runner = KernelRunner()
      runner.run(
        Kernel(
          name: "k", inputs: [Kernel.Input(.i32, .point, register: 1), Kernel.Input(.i8, .result, register: 2)],
          reduced: 1, reduction: reduction, epilogue: [Kernel.Instruction(.maxI32, 3, 1, 1)], output: 3,
          outputFormat: .i32),
        inputs: [
          access(0, 32, [.init(points, strideBits: 32 * reduced), .init(reduced, strideBits: 32)], reduced),
          access(4096, 8, [.init(points, strideBits: 8)], 1),
        ], output: access(6000 / 4 * 4, 32, [.init(points, strideBits: 32)], 1), reduced: reduced, images: [image])
      for point in 0..<points {
        let values = (0..<reduced).map { words[point * reduced + $0] }
        let numbers = values.map { Float(bitPattern: UInt32(bitPattern: $0)) }
        let expected: Int32 =
          switch reduction {
          case .none: values[reduced - 1]
          case .addI32: values.reduce(0, &+)
          case .maxI32: values.max()!
          case .minI32: values.min()!
          case .addF32: Int32(bitPattern: numbers.dropFirst().reduce(numbers[0], +).bitPattern)
          case .maxF32: Int32(bitPattern: numbers.max()!.bitPattern)
          case .minF32: Int32(bitPattern: numbers.min()!.bitPattern)
          }
        #expect(words[1500 + point] == expected, "\(reduction) point \(point) of \(points)x\(reduced)")
      }
    }
  }

  /// Slots: what timing and action counts are made of.
  @Test func slotsOfAKernel() {
    let add = Kernel.Instruction(.addI32, 0, 0, 1)
    let product = Kernel.Instruction(.mulF32, 0, 0, 1)
    func slots(_ prologue: [Kernel.Instruction], _ reduction: Kernel.Reduction, _ epilogue: Int, _ reduced: Int) -> Int
    {
      Kernel(
        name: "k", inputs: [], prologue: prologue, reduction: reduction,
        epilogue: Array(repeating: add, count: epilogue), output: 0, outputFormat: .i32
      ).slots(reduced: reduced)
    }
    #expect(slots([], .none, 0, 1) == 1)
    #expect(slots([], .none, 3, 1) == 3)
    #expect(slots([add, add], .addI32, 1, 10) == 31)
    #expect(slots([add, product], .addF32, 1, 10) == 21)
    #expect(
      VectorOptions(lanes: 4, latency: 5).duration(
        of: Kernel(name: "k", inputs: [], output: 0, outputFormat: .i8), points: 9, reduced: 1) == 8)
    #expect(DrainOptions(lanes: 4, latency: 5).duration(points: 9) == 8)
  }
}
