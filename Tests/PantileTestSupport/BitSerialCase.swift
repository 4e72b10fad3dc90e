import PantileEngines
import PantileSupport

/// Random machines and products of the bit-serial family.
package struct BitSerialCase: Sendable, CustomStringConvertible {
  package var machine: BitSerialMachine
  package var product: BitSerialProduct

  package var description: String {
    "\(machine) m \(product.m) k \(product.k) n \(product.n) weight bits \(product.weightBits) activation bits "
      + "\(product.activationBits)"
  }

  /// A machine without faults: small, any encoding, policy, scope, run-ahead, group, scaling, way out, streams.
  ///
  /// - Parameter serial: nil is any.
  package static func machine(
    _ random: inout SplitMix64, serial: BitSerialMachine.SerialOperand? = nil
  ) -> BitSerialMachine {
    while true {
      let scopes: [BitSerialMachine.SyncScope] = [.element, .rows(1 + random.next(below: 4)), .tile, .array]
      let policy = pick(BitSerialMachine.TermPolicy.allCases, &random)
      var machine = BitSerialMachine(
        rows: 1 + random.next(below: 6), columns: 1 + random.next(below: 4), dotWidth: 1 + random.next(below: 5),
        encoding: pick(TermEncoding.allCases, &random),
        serialOperand: serial ?? pick(BitSerialMachine.SerialOperand.allCases, &random), termPolicy: policy,
        syncScope: pick(scopes, &random), runAhead: random.next(below: 2) * random.next(below: 4),
        shiftReach: policy == .skipTerms && random.next(below: 3) == 0 ? random.next(below: 4) : nil,
        variant: random.next(below: 3) == 0 ? .serial : .overlapped)
      machine.tileRows = 1 + random.next(below: machine.rows)
      machine.tileColumns = 1 + random.next(below: machine.columns)
      machine.group = machine.stepWidth * random.next(below: 5)
      machine.dequantCycles = random.next(below: 2) * random.next(below: 12)
      machine.drainPorts = random.next(below: 2) * (1 + random.next(below: 3))
      machine.pipelineDepth = random.next(below: 4)
      machine.weightStreamBits = random.next(below: 3) == 0 ? 8 << random.next(below: 6) : 0
      machine.activationStreamBits = random.next(below: 4) == 0 ? 8 << random.next(below: 6) : 0
      machine.operandSlots = 2 + random.next(below: 2) * random.next(below: 4)
      if machine.faults.isEmpty { return machine }
    }
  }

  /// A product for the machine: numbers that its encoding has, scales that its scaling holds.
  package static func product(
    _ machine: BitSerialMachine, _ random: inout SplitMix64, weightBits: Int? = nil, activationBits: Int? = nil
  ) -> BitSerialProduct {
    let (m, k, n) = (
      1 + random.next(below: 2 * machine.columns + 1), 1 + random.next(below: 40),
      1 + random.next(below: 2 * machine.rows + 1)
    )
    let (w, a) = (weightBits ?? 2 + random.next(below: 7), activationBits ?? 2 + random.next(below: 7))
    // Small and zero numbers now and then, so that steps differ.
    let calm = random.next(below: 3)
    func numbers(_ count: Int, bits: Int, isSerial: Bool) -> [Int16] {
      (0..<count).map { _ in
        var value = Int(Int64(bitPattern: random.next()) >> Int64(64 - bits))
        if calm > 0 && random.next(below: 3) > 0 { value >>= 2 * calm }
        while isSerial
          && machine.encoding.refusal(of: value, bits: bits, allowsLowest: machine.isDataDependent) != nil
        {
          value /= 2
        }
        return Int16(value)
      }
    }
    let groups = machine.group == 0 ? 1 : (k + machine.group - 1) / machine.group
    let limit = machine.dequantCycles == 0 ? 256 : 1 << min(8, machine.dequantCycles)
    return BitSerialProduct(
      m: m, k: k, n: n, activations: numbers(m * k, bits: a, isSerial: machine.serialOperand != .weight),
      activationBits: a, weights: numbers(n * k, bits: w, isSerial: machine.serialOperand != .activation),
      weightBits: w,
      scales: (0..<n * groups).map { _ in Int32(random.next(below: limit)) })
  }

  private static func pick<T>(_ list: [T], _ random: inout SplitMix64) -> T { list[random.next(below: list.count)] }

  package init(machine: BitSerialMachine, product: BitSerialProduct) {
    self.machine = machine
    self.product = product
  }
}
