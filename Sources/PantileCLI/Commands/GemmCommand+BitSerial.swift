import ArgumentParser
import Foundation
import Pantile

extension GemmCommand {
  /// One product on a bit-serial machine with broadcast operands, whose cycles may depend on values.
  func runBitSerialMachine() throws {
    let foreign: [(String, Bool)] = [
      ("--dataflow", dataflow != nil), ("--pe-latency", peLatency != nil), ("--pattern", pattern != nil),
      ("--interleave", interleave != nil), ("--adder-latency", adderLatency != nil),
      ("--multiplier-latency", multiplierLatency != nil), ("--activation-port", activationPort != nil),
      ("--weight-port", weightPort != nil), ("--metadata-port", metadataPort != nil), ("--chip", chip.chip != nil),
    ].filter(\.1)
    guard engine == .bitserial, foreign.isEmpty else {
      let other = engine == .bitserial ? foreign[0].0 : "--engine \((engine ?? .systolic).rawValue)"
      throw DiagnosticError(
        "option-conflict", "\(machine.given[0]) describes a bit-serial machine, \(other) another array",
        hint: "write --engine bitserial, and only options that its help names")
    }
    let product = try BitSerialOperands(self)
    let result = BitSerialGemmResult(product, check: check)
    var files = OutputFiles()
    if let json { files.add(result.json.text, to: json) }
    if json != "-" { files.add(result.text, to: "-") }
    try files.write()
    if result.isWrong { throw ExitCode.answerIsNo }
  }
}

/// The machine and the operands of `gemm --engine bitserial`.
struct BitSerialOperands {
  var machine: BitSerialMachine
  var product: BitSerialProduct
  /// The same with activations in floating point, where they are.
  var float: BitSerialFloatProduct?
  /// Where the weights come from.
  var weights: String
  /// Signal to quantisation noise, when they were quantised here.
  var quantised: (format: String, meanSquaredError: Double, signalToNoise: Double?)?
  var fractionBits: Int

  init(_ command: GemmCommand) throws(DiagnosticError) {
    let options = command.machine
    let array = try command.array.map { _ throws(DiagnosticError) in try command.size() }
    // Sizes first: seeded weights need them.
    let source = options.weights ?? "gaussian"
    let (values, n, k) = try BitSerialOperands.weights(source, command)
    var numbers: SerialNumbers
    let bits: Int
    var stored: Int?
    var defaultEncoding = TermEncoding.booth
    if let name = options.format ?? (options.weights == nil || source == "gaussian" ? "int8" : nil) {
      var format = try NumberFormat.named(name)
      if let group = options.group, group > 0, case .group = format.scheme.granularity, !format.groupIsFixed {
        format = try format.withGroup(group)
      }
      let matrix = try QuantisedMatrix(values, rows: n, columns: k, format: format)
      numbers = try SerialNumbers(matrix)
      bits = try SerialNumbers.numberRange(of: format).bits
      stored = format.code.bits
      let power = values.reduce(0) { $0 + $1 * $1 } / Double(values.count)
      quantised = (
        format.name, matrix.meanSquaredError,
        matrix.meanSquaredError > 0 && power > 0 ? 10 * log10(power / matrix.meanSquaredError) : nil
      )
      if let asked = command.weightBits, asked != bits {
        throw DiagnosticError(
          "option-conflict", "--weight-bits is \(asked), numbers of \(format.name) have \(bits)",
          hint: "leave --weight-bits out")
      }
      defaultEncoding = try TermEncoding.cheapest(for: format)
    } else {
      numbers = try SerialNumbers(values, lines: n, k: k, name: source)
      bits = command.weightBits ?? (numbers.fractionBits > 0 ? numbers.bits : 8)
    }
    guard (1...16).contains(bits) else {
      throw DiagnosticError("out-of-range", "--weight-bits is \(bits), it must be in 1...16")
    }
    machine = try options.machine(
      array: array, dotWidth: command.dotWidth, variant: command.variant, defaultEncoding: defaultEncoding)
    fractionBits = numbers.fractionBits
    weights = source
    let skips = machine.isDataDependent
    if machine.serialOperand != .activation {
      try numbers.check(machine.encoding, bits: bits, allowsLowest: skips, name: source)
    } else {
      try numbers.check(.plain, bits: bits, allowsLowest: true, name: source)
    }
    if options.activationFormat == .float16 {
      let operands = try BitSerialOperands.floatProduct(command, machine, numbers, bits: bits, stored: stored)
      float = operands
      product = operands.timed
      return
    }
    let activationBits = options.activationBits ?? 8
    guard (1...16).contains(activationBits) else {
      throw DiagnosticError("out-of-range", "--activation-bits is \(activationBits), it must be in 1...16")
    }
    let (activations, m) = try BitSerialOperands.activations(command, machine, k: k, bits: activationBits)
    product = BitSerialProduct(
      m: m, k: k, n: n, activations: activations, activationBits: activationBits, weights: numbers.values,
      weightBits: bits, storedWeightBits: stored)
  }

  /// Weights as [n][k].
  private static func weights(
    _ source: String, _ command: GemmCommand
  ) throws(DiagnosticError) -> (values: [Double], n: Int, k: Int) {
    if source == "gaussian" {
      let (k, n) = (try command.size(command.k, "-k"), try command.size(command.n, "-n"))
      try limit("weights", k, n)
      return (GaussianWeights.values(count: n * k, seed: command.seed), n, k)
    }
    let tensor = try NPY.read(source)
    guard tensor.shape.count == 2, tensor.count > 0, tensor.elementType.isFloat || tensor.elementType.isInteger else {
      throw DiagnosticError(
        "input-shape", "'\(source)' holds \(tensor.elementType) of shape \(tensor.shape)",
        hint: "give weights as a matrix of [K, N]")
    }
    let (first, second) = (tensor.shape[0], tensor.shape[1])
    try limit("weights", first, second)
    func fits(_ k: Int, _ n: Int) -> Bool {
      (command.k == nil || command.k == k) && (command.n == nil || command.n == n)
    }
    let isTransposed = !fits(first, second) && fits(second, first)
    guard fits(first, second) || isTransposed else {
      throw DiagnosticError(
        "input-shape",
        "'\(source)' has shape \(tensor.shape), -k and -n say [\(command.k ?? first), \(command.n ?? second)]",
        hint: "leave -k and -n out: the file says them")
    }
    let (k, n) = isTransposed ? (second, first) : (first, second)
    var values = [Double](repeating: 0, count: n * k)
    for line in 0..<n {
      for position in 0..<k {
        values[line * k + position] = tensor.double(at: isTransposed ? line * k + position : position * n + line)
      }
    }
    return (values, n, k)
  }

  private static func activations(
    _ command: GemmCommand, _ machine: BitSerialMachine, k: Int, bits: Int
  ) throws(DiagnosticError) -> (values: [Int16], m: Int) {
    guard let file = command.machine.activations else {
      let m = command.m ?? 1
      guard (1...GemmRun.largestDimension).contains(m) else {
        throw DiagnosticError("out-of-range", "-m is \(m), it must be in 1...\(GemmRun.largestDimension)")
      }
      try limit("activations", m, k)
      // Values matter when they are serial or checked; else an empty operand does.
      guard machine.serialOperand != .weight || command.check else { return ([], m) }
      var random = SplitMix64(seed: ~command.seed)
      let encoding = machine.serialOperand == .weight ? TermEncoding.plain : machine.encoding
      return (
        (0..<m * k).map { _ in
          var value = Int(Int64(bitPattern: random.next()) >> Int64(64 - bits))
          // A number without a code gives way to a smaller one.
          while encoding.refusal(of: value, bits: bits, allowsLowest: machine.isDataDependent) != nil { value /= 2 }
          return Int16(value)
        }, m
      )
    }
    let tensor = try matrix(file, m: command.m, k: k)
    let numbers = try SerialNumbers(
      (0..<tensor.count).map { tensor.double(at: $0) }, lines: tensor.shape[0], k: k, name: file)
    try numbers.check(
      machine.serialOperand == .weight ? .plain : machine.encoding, bits: bits, allowsLowest: machine.isDataDependent,
      name: file)
    return (numbers.values, tensor.shape[0])
  }

  /// The product with float16 activations: those of a file, to the nearest, or seeded normal ones.
  private static func floatProduct(
    _ command: GemmCommand, _ machine: BitSerialMachine, _ weights: SerialNumbers, bits: Int, stored: Int?
  ) throws(DiagnosticError) -> BitSerialFloatProduct {
    let faults = machine.floatFaults
    guard faults.isEmpty else { throw DiagnosticError(faults.map { Diagnostic("wrong-machine", $0) }) }
    if let given = command.machine.activationBits {
      throw DiagnosticError(
        "option-conflict", "--activation-bits is \(given), float16 activations have 16 bits", hint: "leave it out")
    }
    let k = weights.k
    var m = command.m ?? 1
    let values: [Float16]
    if let file = command.machine.activations {
      let tensor = try matrix(file, m: command.m, k: k)
      m = tensor.shape[0]
      values = (0..<tensor.count).map { Float16(tensor.double(at: $0)) }
      if let place = values.firstIndex(where: { !$0.isFinite }) {
        throw DiagnosticError(
          "not-finite",
          "'\(file)': value [\(place / k), \(place % k)] is \(tensor.double(at: place)), which float16 does not hold",
          hint: "float16 holds up to 65504; scale the activations")
      }
    } else {
      guard (1...GemmRun.largestDimension).contains(m) else {
        throw DiagnosticError("out-of-range", "-m is \(m), it must be in 1...\(GemmRun.largestDimension)")
      }
      try limit("activations", m, k)
      values = command.check ? GaussianWeights.values(count: m * k, seed: ~command.seed).map { Float16($0) } : []
    }
    return BitSerialFloatProduct(
      m: m, k: k, n: weights.lines, activations: values, weights: weights.values, weightBits: bits,
      storedWeightBits: stored)
  }

  /// A file's activations, [M, K].
  private static func matrix(_ file: String, m: Int?, k: Int) throws(DiagnosticError) -> HostTensor {
    let tensor = try NPY.read(file)
    guard tensor.shape.count == 2, tensor.count > 0, tensor.shape[1] == k, m ?? tensor.shape[0] == tensor.shape[0]
    else {
      throw DiagnosticError(
        "input-shape", "'\(file)' has shape \(tensor.shape), the product takes [\(m.map { "\($0)" } ?? "M"), \(k)]",
        hint: "give activations as a matrix of [M, K]")
    }
    return tensor
  }

  private static func limit(_ name: String, _ a: Int, _ b: Int) throws(DiagnosticError) {
    guard (1...GemmRun.largestDimension).contains(a), (1...GemmRun.largestDimension).contains(b),
      a * b <= 1 << 28
    else {
      throw DiagnosticError(
        "out-of-range", "\(name) have \(a) x \(b) elements, at most 2^28 and 2^20 a side are taken",
        hint: "split the product")
    }
  }
}

/// What `gemm --engine bitserial` says about a machine with broadcast operands.
struct BitSerialGemmResult {
  var operands: BitSerialOperands
  var run: BitSerialRun
  /// Of the register-transfer model, when asked for.
  var steppedCycles: Int?
  var mismatches: Int?
  /// With float16 activations, when asked for: what the aligned sums are off by, and what they may be.
  var alignment: (largestError: Double, itsBound: Double, signalToNoise: Double?)?

  var isWrong: Bool { mismatches.map { $0 > 0 } ?? false || steppedCycles.map { $0 != run.cycles } ?? false }

  init(_ operands: BitSerialOperands, check: Bool) {
    self.operands = operands
    run = operands.machine.run(operands.product)
    guard check else { return }
    if let float = operands.float {
      checkAlignment(float)
      return
    }
    let stepped = operands.machine.stepped(operands.product)
    steppedCycles = stepped.cycles
    let expected = operands.product.reference(group: operands.machine.group)
    mismatches = zip(stepped.values, expected).filter { $0 != $1 }.count
  }

  /// Steps the machine for its cycles, and holds each sum against the exact one.
  private mutating func checkAlignment(_ product: BitSerialFloatProduct) {
    // Cycles do not depend on activations: the stepper may have any.
    var stepped = operands.product
    stepped.activations = [Int16](repeating: 1, count: product.m * product.k)
    steppedCycles = operands.machine.stepped(stepped).cycles
    let values = operands.machine.values(product)
    let exact = product.exact()
    let scale = Double(sign: .plus, exponent: -operands.fractionBits, significand: 1)
    var (power, noise) = (0.0, 0.0)
    var worst = (error: 0.0, bound: 0.0)
    var outside = 0
    for (index, sum) in exact.enumerated() {
      let error = abs(Double(Int128(Double(values.values[index]) * 0x1p24) - sum)) * 0x1p-24
      if error > values.bounds[index] { outside += 1 }
      if error >= worst.error { worst = (error, values.bounds[index]) }
      power += Double(sum) * 0x1p-24 * (Double(sum) * 0x1p-24)
      noise += error * error
    }
    mismatches = outside
    alignment = (worst.error * scale, worst.bound * scale, noise > 0 && power > 0 ? 10 * log10(power / noise) : nil)
  }

  private var stalls: [(String, Int)] {
    let parts = run.parts
    return [
      ("work", parts.work), ("sync", parts.sync), ("feed", parts.feed), ("dequantisation", parts.dequantisation),
      ("drain", parts.drain), ("fold_end", parts.foldEnd), ("fill", parts.fill), ("tail", parts.tail),
    ]
  }

  var json: OrderedJSON {
    let (machine, product) = (operands.machine, operands.product)
    var entries: [OrderedJSON.Entry] = [
      .init("schema", .string("pantile.gemm-bitserial/1")), .init("version", .string(pantileVersion)),
      .init("array", .string("\(machine.rows)x\(machine.columns)")), .init("dot_width", .integer(machine.dotWidth)),
      .init("encoding", .string(machine.encoding.rawValue)), .init("term_policy", .string(machine.termPolicy.rawValue)),
      .init("serial_operand", .string(machine.serialOperand.rawValue)),
      .init("sync", .string("\(machine.syncScope)")), .init("run_ahead", .integer(machine.runAhead)),
      .init("weights", .string(operands.weights)), .init("weight_bits", .integer(product.weightBits)),
      .init("fraction_bits", .integer(operands.fractionBits)),
      .init("activation_bits", .integer(product.activationBits)),
      .init("activation_format", .string(operands.float == nil ? "integer" : "float16")),
      .init("m", .integer(product.m)), .init("k", .integer(product.k)), .init("n", .integer(product.n)),
      .init("cycles", .integer(run.cycles)), .init("fixed_cycles", .integer(run.fixedCycles)),
      .init("macs", .integer(product.m * product.k * product.n)),
      .init("folds", .integer(run.folds)), .init("steps", .integer(run.steps)),
      .init("mean_step_cycles", .number(run.meanStepCycles)), .init("mean_terms", .number(run.meanTerms)),
      .init("nonzero_terms", .integer(run.nonzeroTerms)),
      .init("unit_cycles", .object(stalls.map { .init($0.0, .integer($0.1)) })),
      .init("added_terms", .integer(run.addedTerms)), .init("accumulations", .integer(run.accumulations)),
      .init("scaled_sums", .integer(run.scaledSums)), .init("weight_bits_read", .integer(run.weightBitsRead)),
      .init("activation_bits_read", .integer(run.activationBitsRead)),
    ]
    if let quantised = operands.quantised {
      entries += [
        .init("format", .string(quantised.format)), .init("mse", .number(quantised.meanSquaredError)),
        .init("sqnr_db", quantised.signalToNoise.map { .number($0) } ?? .null),
      ]
    }
    if let alignment {
      entries += [
        .init("largest_error", .number(alignment.largestError)), .init("its_bound", .number(alignment.itsBound)),
        .init("alignment_sqnr_db", alignment.signalToNoise.map { .number($0) } ?? .null),
      ]
    }
    entries += [
      .init("mismatches", .optional(mismatches)), .init("stepped_cycles", .optional(steppedCycles)),
    ]
    return .object(entries)
  }

  /// For a terminal.
  var text: String {
    let (machine, product) = (operands.machine, operands.product)
    let array = "bit-serial \(machine.rows)x\(machine.columns) dot \(machine.dotWidth)"
    let terms = "\(machine.encoding.rawValue) \(machine.termPolicy.rawValue)"
    let ahead = machine.runAhead > 0 ? " with run-ahead \(machine.runAhead)" : ""
    var lines = [
      "\(array), \(terms), in step by \(machine.syncScope)\(ahead); m=\(product.m) k=\(product.k) n=\(product.n)"
    ]
    lines.append("  cycles        \(Table.grouped(run.cycles)) of \(Table.grouped(run.fixedCycles)) without skipping")
    let (step, number) = (Format.fixed(run.meanStepCycles, 3), Format.fixed(run.meanTerms, 3))
    lines.append("  a step        \(step) cycles, \(number) terms a number")
    if let quantised = operands.quantised {
      lines.append(
        "  weights       \(quantised.format), "
          + (quantised.signalToNoise.map { "\(Format.fixed($0, 2)) dB over their error" } ?? "exact"))
    }
    if let alignment {
      lines.append(
        "  alignment     off by at most \(alignment.largestError), at most \(alignment.itsBound) allowed there"
          + (alignment.signalToNoise.map { ", \(Format.fixed($0, 1)) dB" } ?? ""))
    }
    let total = Double(run.parts.total)
    let shares = stalls.filter { $0.1 > 0 }.map { name, cycles -> String in
      "\(name.replacing("_", with: " ")) \(Table.percent(Double(cycles) / total))"
    }
    lines.append("  units         \(shares.joined(separator: ", "))")
    if let mismatches, let steppedCycles {
      lines.append(
        "  check         \(mismatches) mismatches, \(Table.grouped(steppedCycles)) cycles stepped: "
          + (isWrong ? "DIFFERENT" : "equal"))
    }
    return lines.joined(separator: "\n") + "\n"
  }
}
