import PantileProgram

/// A vector engine: `lanes` lanes, one instruction a cycle, loads and stores overlapped with it.
public struct VectorOptions: Hashable, Sendable {
  public var lanes: Int
  /// Cycles from the last instruction to the last write being visible.
  public var latency: Int

  public init(lanes: Int, latency: Int) {
    self.lanes = lanes
    self.latency = latency
  }

  /// Cycles of one command from issue to the last write being visible; the next command issues after it.
  ///
  /// `latency + ceil(points / lanes) · (reduced · prologue + epilogue)`; a product that is summed at once counts as one
  /// instruction, and a kernel without instructions costs one slot a point for its move.
  public func duration(of kernel: Kernel, points: Int, reduced: Int) -> Int {
    latency + (points + lanes - 1) / lanes * kernel.slots(reduced: reduced)
  }
}

extension Kernel {
  /// Instruction slots for one result point.
  public func slots(reduced: Int) -> Int {
    var each = prologue.count
    if reduction != .none {
      let fused = prologue.last.map { $0.operation == .mulI32 || $0.operation == .mulF32 } ?? false
      if !fused { each += 1 }
    }
    return max(1, reduced * each + epilogue.count)
  }

  /// Whether any instruction works on Float lanes; decides which energy entry its operations use.
  public var usesFloat: Bool {
    (prologue + epilogue).contains {
      switch $0.operation {
      case .addF32, .subF32, .mulF32, .divF32, .maxF32, .minF32, .powF32, .addImmediateF32, .mulImmediateF32,
        .divImmediateF32, .clampF32, .expF32, .logF32, .sqrtF32, .negF32, .absF32, .erfF32, .tanhF32, .sigmoidF32,
        .leakyF32, .roundToI32, .equalF32, .lessF32, .lessOrEqualF32:
        return true
      case .addI32, .subI32, .mulI32, .maxI32, .minI32, .addImmediateI32, .clampI32, .requantize, .requantizeImmediate,
        .addScaled, .toF32, .copy, .select, .equalI32, .lessI32, .lessOrEqualI32:
        return false
      }
    }
  }
}
