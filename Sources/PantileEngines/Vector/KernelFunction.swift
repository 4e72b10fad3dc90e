import Foundation
import PantileProgram
import PantileSupport

/// Runs a kernel on values; shared by the vector engine and the drain unit.
///
/// Registers are arrays of lanes, one lane a result point, so that every instruction is one flat loop. Reductions fold
/// in reduced-domain order for each result point, which fixes the rounding of Float sums.
public struct KernelRunner: ~Copyable {
  private var lanes: UnsafeMutablePointer<Int32>
  private var laneCapacity: Int

  public init() {
    laneCapacity = 1024
    lanes = .allocate(capacity: laneCapacity * (Kernel.maximumRegisters + 1))
    lanes.initialize(repeating: 0, count: laneCapacity * (Kernel.maximumRegisters + 1))
  }

  deinit { lanes.deallocate() }

  private mutating func reserve(_ count: Int) {
    guard count > laneCapacity else { return }
    lanes.deallocate()
    laneCapacity = count
    lanes = .allocate(capacity: laneCapacity * (Kernel.maximumRegisters + 1))
    lanes.initialize(repeating: 0, count: laneCapacity * (Kernel.maximumRegisters + 1))
  }

  private func register(_ index: Int) -> UnsafeMutablePointer<Int32> { lanes + index * laneCapacity }

  /// Runs the kernel over all points.
  ///
  /// - Parameters:
  ///   - inputs: one access per kernel input, resolved with `reduced` points for inputs of scope `.point`.
  ///   - images: the memories by memory id.
  public mutating func run(
    _ kernel: Kernel, inputs: [ResolvedAccess], output: ResolvedAccess, reduced: Int, images: [MemoryImage]
  ) {
    let points = output.elementCount
    reserve(points)
    let folded = register(Kernel.maximumRegisters)
    for index in 0..<reduced {
      for (input, access) in zip(kernel.inputs, inputs) where input.scope == .point {
        let slice = reduced == 1 ? access : access.slice(reducedIndex: index)
        images[Int(access.memory)].gather(slice, lanes: register(input.register), as: input.format)
      }
      for instruction in kernel.prologue { execute(instruction, points) }
      guard kernel.reduction != .none else { continue }
      let value = register(kernel.reduced)
      if index == 0, kernel.reduction == .addF32 {
        // A sum starts from +0, so that a lone -0 becomes +0 as it does in the reference.
        for i in 0..<points {
          let sum = 0 + Float(bitPattern: UInt32(bitPattern: value[i]))
          folded[i] = Int32(bitPattern: sum.bitPattern)
        }
      } else if index == 0 {
        folded.update(from: value, count: points)
      } else {
        Self.fold(kernel.reduction, folded, value, points)
      }
    }
    if kernel.reduction != .none { register(kernel.reduced).update(from: folded, count: points) }
    for (input, access) in zip(kernel.inputs, inputs) where input.scope == .result {
      images[Int(access.memory)].gather(access, lanes: register(input.register), as: input.format)
    }
    for instruction in kernel.epilogue { execute(instruction, points) }
    images[Int(output.memory)].scatter(output, lanes: register(kernel.output), as: kernel.outputFormat)
  }

  private static func fold(
    _ reduction: Kernel.Reduction, _ folded: UnsafeMutablePointer<Int32>, _ value: UnsafeMutablePointer<Int32>,
    _ count: Int
  ) {
    switch reduction {
    case .none: break
    case .addI32: for i in 0..<count { folded[i] = folded[i] &+ value[i] }
    case .maxI32: for i in 0..<count { folded[i] = max(folded[i], value[i]) }
    case .minI32: for i in 0..<count { folded[i] = min(folded[i], value[i]) }
    case .addF32: float(folded, value, folded, count) { $0 + $1 }
    case .maxF32: float(folded, value, folded, count) { maximum($0, $1) }
    case .minF32: float(folded, value, folded, count) { minimum($0, $1) }
    }
  }

  private func execute(_ instruction: Kernel.Instruction, _ count: Int) {
    let d = register(instruction.destination)
    let a = register(instruction.a)
    let b = register(instruction.b)
    let immediates = instruction.immediates
    func immediate(_ index: Int) -> Float { Float(bitPattern: UInt32(truncatingIfNeeded: immediates[index])) }
    switch instruction.operation {
    case .addI32: for i in 0..<count { d[i] = a[i] &+ b[i] }
    case .subI32: for i in 0..<count { d[i] = a[i] &- b[i] }
    case .mulI32: for i in 0..<count { d[i] = a[i] &* b[i] }
    case .maxI32: for i in 0..<count { d[i] = max(a[i], b[i]) }
    case .minI32: for i in 0..<count { d[i] = min(a[i], b[i]) }
    case .addImmediateI32:
      let c = Int32(truncatingIfNeeded: immediates[0])
      for i in 0..<count { d[i] = a[i] &+ c }
    case .clampI32:
      let low = Int32(truncatingIfNeeded: immediates[0])
      let high = Int32(truncatingIfNeeded: immediates[1])
      for i in 0..<count { d[i] = min(max(a[i], low), high) }
    case .requantize:
      let s = register(immediates[0])
      for i in 0..<count {
        let shift = Int64(s[i])
        let rounded = Int64(a[i]) &* Int64(b[i]) &+ (1 &<< (shift &- 1))
        d[i] = Self.saturated(rounded &>> shift)
      }
    case .requantizeImmediate:
      let m = Int64(immediates[0])
      let shift = Int64(immediates[1])
      let half: Int64 = 1 &<< (shift &- 1)
      for i in 0..<count { d[i] = Self.saturated((Int64(a[i]) &* m &+ half) &>> shift) }
    case .addScaled:
      let ma = Int64(immediates[0])
      let mb = Int64(immediates[1])
      let shift = Int64(immediates[2])
      let half: Int64 = 1 &<< (shift &- 1)
      for i in 0..<count {
        d[i] = Self.saturated((Int64(a[i]) &* ma &+ Int64(b[i]) &* mb &+ half) &>> shift)
      }
    case .addF32: Self.float(a, b, d, count) { $0 + $1 }
    case .subF32: Self.float(a, b, d, count) { $0 - $1 }
    case .mulF32: Self.float(a, b, d, count) { $0 * $1 }
    case .divF32: Self.float(a, b, d, count) { $0 / $1 }
    case .maxF32: Self.float(a, b, d, count) { Self.maximum($0, $1) }
    case .minF32: Self.float(a, b, d, count) { Self.minimum($0, $1) }
    case .powF32: Self.float(a, b, d, count) { powf($0, $1) }
    case .addImmediateF32:
      let c = immediate(0)
      Self.float(a, d, count) { $0 + c }
    case .mulImmediateF32:
      let c = immediate(0)
      Self.float(a, d, count) { $0 * c }
    case .divImmediateF32:
      let c = immediate(0)
      Self.float(a, d, count) { $0 / c }
    case .clampF32:
      let low = immediate(0)
      let high = immediate(1)
      Self.float(a, d, count) { Self.minimum(Self.maximum($0, low), high) }
    case .expF32: Self.float(a, d, count) { expf($0) }
    case .logF32: Self.float(a, d, count) { logf($0) }
    case .sqrtF32: Self.float(a, d, count) { $0.squareRoot() }
    case .negF32: Self.float(a, d, count) { -$0 }
    case .absF32: Self.float(a, d, count) { abs($0) }
    case .erfF32: Self.float(a, d, count) { erff($0) }
    case .tanhF32: Self.float(a, d, count) { tanhf($0) }
    case .sigmoidF32: Self.float(a, d, count) { 1 / (1 + expf(-$0)) }
    case .leakyF32:
      let slope = immediate(0)
      Self.float(a, d, count) { $0 < 0 ? $0 * slope : $0 }
    case .toF32: for i in 0..<count { d[i] = Int32(bitPattern: Float(a[i]).bitPattern) }
    case .roundToI32:
      let low = Float(immediates[0])
      let high = Float(immediates[1])
      for i in 0..<count {
        let value = Float(bitPattern: UInt32(bitPattern: a[i])).rounded(.toNearestOrEven)
        // Int64 first: a bound such as 2^31 - 1 is not a Float and rounds up.
        d[i] = value >= low ? Int32(clamping: Int64(min(value, high))) : Int32(clamping: Int64(low))
      }
    case .copy: if d != a { d.update(from: a, count: count) }
    case .select:
      let c = register(immediates[0])
      for i in 0..<count { d[i] = a[i] != 0 ? b[i] : c[i] }
    case .equalI32: for i in 0..<count { d[i] = a[i] == b[i] ? 1 : 0 }
    case .lessI32: for i in 0..<count { d[i] = a[i] < b[i] ? 1 : 0 }
    case .lessOrEqualI32: for i in 0..<count { d[i] = a[i] <= b[i] ? 1 : 0 }
    case .equalF32: Self.compare(a, b, d, count) { $0 == $1 }
    case .lessF32: Self.compare(a, b, d, count) { $0 < $1 }
    case .lessOrEqualF32: Self.compare(a, b, d, count) { $0 <= $1 }
    }
  }

  /// Held at ±2^30, so that a zero point can be added without wrapping before the clamp.
  @inline(__always) private static func saturated(_ value: Int64) -> Int32 {
    Int32(truncatingIfNeeded: min(max(value, -(1 << 30)), 1 << 30))
  }

  /// The larger; NaN if either is NaN, as ONNX has it.
  @inline(__always) private static func maximum(_ a: Float, _ b: Float) -> Float {
    a > b || a.isNaN ? a : b
  }

  @inline(__always) private static func minimum(_ a: Float, _ b: Float) -> Float {
    a < b || a.isNaN ? a : b
  }

  @inline(__always) private static func compare(
    _ a: UnsafeMutablePointer<Int32>, _ b: UnsafeMutablePointer<Int32>, _ d: UnsafeMutablePointer<Int32>, _ count: Int,
    _ holds: (Float, Float) -> Bool
  ) {
    for i in 0..<count {
      d[i] = holds(Float(bitPattern: UInt32(bitPattern: a[i])), Float(bitPattern: UInt32(bitPattern: b[i]))) ? 1 : 0
    }
  }

  @inline(__always) private static func float(
    _ a: UnsafeMutablePointer<Int32>, _ d: UnsafeMutablePointer<Int32>, _ count: Int, _ operation: (Float) -> Float
  ) {
    for i in 0..<count {
      d[i] = Int32(bitPattern: operation(Float(bitPattern: UInt32(bitPattern: a[i]))).bitPattern)
    }
  }

  @inline(__always) private static func float(
    _ a: UnsafeMutablePointer<Int32>, _ b: UnsafeMutablePointer<Int32>, _ d: UnsafeMutablePointer<Int32>, _ count: Int,
    _ operation: (Float, Float) -> Float
  ) {
    for i in 0..<count {
      let value = operation(Float(bitPattern: UInt32(bitPattern: a[i])), Float(bitPattern: UInt32(bitPattern: b[i])))
      d[i] = Int32(bitPattern: value.bitPattern)
    }
  }
}
