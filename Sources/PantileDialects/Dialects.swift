import PantileIR
import PantileSupport
import PantileText

/// The dialects of graphs.
public enum Dialects {
  /// Every dialect, in the order of the reference pages.
  public static let all: [Dialect] = [BuiltinDialect.dialect, FunctionDialect.dialect, DNN.dialect]

  /// All of them for parsing, verifying and rewriting.
  public static let registry = DialectRegistry(all)
}

extension Module {
  /// Reads a module of the shipped dialects from text and verifies it; diagnostics quote their lines.
  /// - Throws: parser and verifier codes, all of a phase at once.
  public init(verifying text: String, path: String) throws(DiagnosticError) {
    let source = SourceText(text, path: path)
    self = try Module(TextFile(parsing: source), registry: Dialects.registry, source: source)
    do throws(DiagnosticError) {
      try verify(Dialects.registry)
    } catch {
      throw DiagnosticError(error.diagnostics.map { source.quoting($0) })
    }
  }

  /// Names of a function's inputs: `dnn.name` of the argument, else its name in text, else `argN`.
  public func inputNames(of function: OpID) -> [String] {
    guard let body = body(of: function) else { return [] }
    return arguments(of: body).enumerated().map { index, value in
      modelName(of: function, "arg_attrs", index) ?? name(of: value) ?? "arg\(index)"
    }
  }

  /// Names of a function's outputs: `dnn.name` of the result, else the returned value's name in text, else `outN`.
  public func outputNames(of function: OpID) -> [String] {
    outputs(of: function).enumerated().map { index, value in
      modelName(of: function, "res_attrs", index) ?? name(of: value) ?? "out\(index)"
    }
  }

  /// The values that a function returns, in order.
  public func outputs(of function: OpID) -> [ValueID] {
    guard let body = body(of: function), let last = lastOp(in: body), name(of: last) == "func.return" else { return [] }
    return operands(of: last)
  }

  /// The function's inputs, in order.
  public func inputs(of function: OpID) -> [ValueID] { body(of: function).map { arguments(of: $0) } ?? [] }

  private func modelName(of function: OpID, _ key: String, _ index: Int) -> String? {
    guard let entries = attributes(of: function)[key]?.asArray, entries.indices.contains(index) else { return nil }
    return entries[index].asDictionary?["dnn.name"]?.asString
  }
}
