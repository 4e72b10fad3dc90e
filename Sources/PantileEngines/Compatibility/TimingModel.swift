import PantileSupport

/// How cycles of one matrix product on a bare array are counted: Pantile's own way, or as another tool counts them.
///
/// A model of another tool reproduces that tool's figures, its mistakes included, so that results can be compared; what it
/// knows to be different from hardware stands in `differences`. Nothing in the compiler or the simulator uses it.
public struct TimingModel: Sendable {
  public typealias Evaluate = @Sendable (Question) throws(DiagnosticError) -> Int

  /// As on the command line: `scalesim`.
  public var name: String
  /// One line for lists.
  public var summary: String
  /// Tool, version and what the model was taken from.
  public var source: String
  /// What was compared, and the outcome.
  public var evidence: String
  /// Where its figures differ from a register-transfer model, one sentence each; empty for our own.
  public var differences: [String]
  /// Cycles of one product.
  /// - Throws: `not-modelled` for a question that the tool has no answer to; `out-of-range`.
  public var evaluate: Evaluate

  public init(
    name: String, summary: String, source: String, evidence: String, differences: [String] = [],
    evaluate: @escaping Evaluate
  ) {
    self.name = name
    self.summary = summary
    self.source = source
    self.evidence = evidence
    self.differences = differences
    self.evaluate = evaluate
  }

  /// All models; one line each.
  public static let all: [TimingModel] = [
    .native,
    .scaleSim,
    .stonne,
  ]

  /// The model of that name.
  /// - Throws: `unknown-timing-model` with the nearest name.
  public static func named(_ name: String) throws(DiagnosticError) -> TimingModel {
    guard let model = all.first(where: { $0.name == name }) else {
      let names = all.map(\.name)
      throw DiagnosticError(
        "unknown-timing-model", "there is no timing model '\(name)', known are \(names.joined(separator: ", "))",
        hint: nearestName(to: name, among: names).map { "did you mean '\($0)'?" })
    }
    return model
  }

  /// Whether this is Pantile's own way of counting.
  public var isNative: Bool { name == TimingModel.native.name }
}

extension TimingModel {
  /// What stays in the array.
  public enum Dataflow: String, Hashable, Sendable, CaseIterable {
    case weightStationary = "ws"
    case outputStationary = "os"
    case inputStationary = "is"

    /// - Throws: `unknown-dataflow`.
    public init(_ text: String) throws(DiagnosticError) {
      guard let dataflow = Dataflow(rawValue: text) else {
        throw DiagnosticError(
          "unknown-dataflow", "'\(text)' is no dataflow, known are \(Dataflow.names)",
          hint: nearestName(to: text, among: Dataflow.allCases.map(\.rawValue)).map { "did you mean '\($0)'?" })
      }
      self = dataflow
    }

    static var names: String { allCases.map(\.rawValue).joined(separator: ", ") }
  }

  /// C[m][n] = Σ_k A[m][k]·B[k][n] on an array of R rows and C columns.
  public struct Question: Hashable, Sendable {
    public var rows: Int
    public var columns: Int
    /// Nil: the model's own default.
    public var dataflow: Dataflow?
    /// Whether folds overlap, as the command line spells it; nil when nothing was said.
    public var variant: String?
    public var m: Int
    public var k: Int
    public var n: Int
    /// **Units** words a cycle, of the reading and of the writing side. Nil: never the limit.
    public var bandwidth: Int?
    /// Sparse filters as SCALE-Sim knows them; nil: dense.
    public var sparsity: ScaleSimSparsity?

    public init(
      rows: Int, columns: Int, dataflow: Dataflow? = nil, variant: String? = nil, m: Int, k: Int, n: Int,
      bandwidth: Int? = nil, sparsity: ScaleSimSparsity? = nil
    ) {
      self.rows = rows
      self.columns = columns
      self.dataflow = dataflow
      self.variant = variant
      self.m = m
      self.k = k
      self.n = n
      self.bandwidth = bandwidth
      self.sparsity = sparsity
    }

    /// Largest extent of an array; a square one of this size is far beyond any that is built.
    public static let largestSide = 1 << 16
    /// Largest dimension of a product.
    public static let largestDimension = 1 << 30
    /// Most multiply-accumulates: each count of a model stays below eight times this, and so within 64 bits.
    public static let largestProduct = 1 << 59

    /// Multiply-accumulates of the product.
    /// **Precondition** `problems()` is empty.
    public var macs: Int { m * k * n }

    /// What is wrong with the sizes; empty when nothing is. `location` is where they were written.
    public func problems(at location: SourceLocation = .unknown) -> [Diagnostic] {
      var found: [Diagnostic] = []
      for (name, value) in [("array rows", rows), ("array columns", columns)]
      where !(1...Question.largestSide).contains(value) {
        found.append(
          Diagnostic("out-of-range", "\(name) is \(value), it must be in 1...\(Question.largestSide)", at: location))
      }
      for (name, value) in [("m", m), ("k", k), ("n", n)] where !(1...Question.largestDimension).contains(value) {
        found.append(
          Diagnostic(
            "out-of-range", "\(name) is \(value), it must be in 1...\(Question.largestDimension)", at: location))
      }
      if found.isEmpty {
        let (area, _) = m.multipliedReportingOverflow(by: k)
        let (product, overflow) = area.multipliedReportingOverflow(by: n)
        if overflow || product > Question.largestProduct {
          found.append(
            Diagnostic(
              "out-of-range", "\(m) x \(k) x \(n) multiply-accumulates are more than \(Question.largestProduct)",
              at: location))
        }
      }
      return found
    }
  }

  /// Refuses a variant that a tool without overlapping folds does not model.
  /// - Throws: `not-modelled`.
  static func requireSerial(_ question: Question, _ tool: String) throws(DiagnosticError) {
    guard let variant = question.variant, variant != FoldVariant.serial.rawValue else { return }
    throw DiagnosticError(
      "not-modelled", "\(tool) runs one fold after another (serial), the variant asked for is '\(variant)'",
      hint: "leave --variant out, or take --timing-model native")
  }
}
