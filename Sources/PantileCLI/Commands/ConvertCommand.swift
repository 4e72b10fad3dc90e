import ArgumentParser
import Pantile

/// `pantile convert`: values to codes of a number format and back, one by one.
struct ConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Converts values to codes of a number format, or codes to values, without scales.",
    discussion: """
      Values are rounded as 'pantile doc FORMAT' says; codes come out as ui8, or ui16 where the format has more than 8 bits. --decode
      goes the other way: integers in, f64 out. Formats: 'pantile list formats', and fixed point as q7.8, q7.8-floor, q7.8-floor-wrap.
      """)

  @Option(help: ArgumentHelp("The number format, or e8m0 for shared scales.", valueName: "name")) var format: String
  @Option(name: .customLong("in"), help: ArgumentHelp("The values, or codes.", valueName: "x.npy")) var input: String
  @Option(help: ArgumentHelp("Where the result goes.", valueName: "y.npy")) var out: String
  @Option(help: ArgumentHelp("What becomes of values beyond the largest.", valueName: "saturate|special"))
  var overflow = ElementCode.Overflow.saturate.rawValue
  @Option(help: ArgumentHelp("How codes are read, where there is a choice: +ER, -ER, +EA, -EA.", valueName: "name"))
  var selector: String?
  @Flag(help: "Codes to values.") var decode = false

  func run() throws {
    try OutputFiles.check(out)
    guard out != "-" else {
      throw DiagnosticError("cannot-write", "an array cannot go to stdout", hint: "name a file with --out")
    }
    guard let overflow = ElementCode.Overflow(rawValue: overflow) else {
      throw DiagnosticError("unknown-value", "--overflow is '\(overflow)'", hint: "valid values: saturate, special")
    }
    let converter = try Converter(format, selector: selector, overflow: overflow)
    let tensor = try NPY.read(input)
    var files = OutputFiles()
    files.add(NPY.data(of: try decode ? converter.decoded(tensor) : converter.encoded(tensor)), to: out)
    try files.write()
  }
}

/// Both directions of one format.
private struct Converter {
  let name: String
  /// Nil for E8M0, which is no element format.
  let code: ElementCode?
  let selector: Int
  let overflow: ElementCode.Overflow

  init(_ name: String, selector: String?, overflow: ElementCode.Overflow) throws(DiagnosticError) {
    self.name = name
    self.overflow = overflow
    code = name == "e8m0" ? nil : try NumberFormat.named(name).code
    let names = code?.selectors ?? [""]
    guard let selector else {
      guard names.count == 1 else {
        throw DiagnosticError(
          "missing-selector", "codes of \(name) can be read in \(names.count) ways",
          hint: "add --selector, one of \(names.joined(separator: ", "))")
      }
      self.selector = 0
      return
    }
    guard let index = names.firstIndex(of: selector), names.count > 1 else {
      throw DiagnosticError(
        "unknown-selector", "'\(selector)' is no way to read \(name)",
        hint: names.count > 1 ? "valid: \(names.joined(separator: ", "))" : "leave --selector out")
    }
    self.selector = index
  }

  func encoded(_ tensor: HostTensor) throws(DiagnosticError) -> HostTensor {
    var codes: [Int] = []
    codes.reserveCapacity(tensor.count)
    for position in 0..<tensor.count {
      let value = tensor.double(at: position)
      codes.append(
        try located(position) { () throws(DiagnosticError) in
          if let code { return try code.code(of: value, selector: selector, overflow: overflow) }
          return try SharedExponent.code(of: value, overflow: overflow)
        })
    }
    return (code?.bits ?? 8) <= 8
      ? HostTensor(shape: tensor.shape, values: codes.map { UInt8($0) })
      : HostTensor(shape: tensor.shape, values: codes.map { UInt16($0) })
  }

  func decoded(_ tensor: HostTensor) throws(DiagnosticError) -> HostTensor {
    guard !tensor.elementType.isFloat else {
      throw DiagnosticError("code-type", "codes are integers, but the array holds \(tensor.elementType)")
    }
    var values: [Double] = []
    values.reserveCapacity(tensor.count)
    for position in 0..<tensor.count {
      let number = tensor.integer(at: position)
      values.append(
        try located(position) { () throws(DiagnosticError) in
          if let code { return try code.value(of: number, selector: selector) }
          guard (0...255).contains(number) else {
            throw DiagnosticError("code-range", "code \(number) of e8m0 is outside 0 ... 255")
          }
          return SharedExponent.value(of: number)
        })
    }
    return HostTensor(shape: tensor.shape, values: values)
  }

  private func located<R>(_ position: Int, _ body: () throws(DiagnosticError) -> R) throws(DiagnosticError) -> R {
    do throws(DiagnosticError) {
      return try body()
    } catch {
      throw DiagnosticError(
        error.diagnostics.map { diagnostic in
          var diagnostic = diagnostic
          diagnostic.message = "element \(position): \(diagnostic.message)"
          return diagnostic
        })
    }
  }
}
