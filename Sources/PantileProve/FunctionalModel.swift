import PantileSupport

/// What a datapath computes of given numbers: the model by which counterexamples are replayed. It knows nothing of proofs.
public struct FunctionalModel: Sendable {
  /// A free value with all it may be; elements of arrays are called `name[index]`.
  public struct Input: Sendable {
    public var name: String
    public var range: ClosedRange<Int>
  }

  private let elaborated: ElaboratedDatapath
  public let inputs: [Input]
  /// In the order of the file.
  public let claimNames: [String]

  /// - Parameter expressions: of the file's language, with the names of the datapath, to be seen by `values(at:)`.
  /// - Throws: what elaboration finds wrong in the file: `wrong-expression`, `unknown-name`, `out-of-range`.
  public init(_ datapath: Datapath, observing expressions: [String] = []) throws(DiagnosticError) {
    elaborated = try ElaboratedDatapath(datapath, observing: expressions)
    inputs = elaborated.circuit.inputs.map { Input(name: $0.name, range: $0.range) }
    claimNames = elaborated.claims.map(\.name)
  }

  /// Whether each claim holds at a point, which gives all inputs in their order.
  /// - Throws: `out-of-range` when numbers leave 64 bits.
  public func holds(at point: [Int]) throws(DiagnosticError) -> [Bool] {
    precondition(point.count == inputs.count, "\(point.count) values for \(inputs.count) inputs")
    do throws(CircuitError) {
      let values = try elaborated.circuit.evaluate(inputs: point)
      return elaborated.claims.map { $0.parts.allSatisfy { !Prover.fails($0, values) } }
    } catch {
      throw DiagnosticError("out-of-range", "the numbers at \(point) leave 64 bits")
    }
  }

  /// The values of the observed expressions at a point.
  /// - Throws: `out-of-range` when numbers leave 64 bits.
  public func values(at point: [Int]) throws(DiagnosticError) -> [Int] {
    precondition(point.count == inputs.count, "\(point.count) values for \(inputs.count) inputs")
    do throws(CircuitError) {
      let values = try elaborated.circuit.evaluate(inputs: point)
      return elaborated.observed.map { values[$0] }
    } catch {
      throw DiagnosticError("out-of-range", "the numbers at \(point) leave 64 bits")
    }
  }

  /// Whether a claim fails at a counterexample; inputs that it does not name are the nearest to 0.
  public func fails(_ claim: String, at example: Proof.Counterexample) throws(DiagnosticError) -> Bool {
    let point = inputs.map { input in
      example.values.first { $0.name == input.name }?.value
        ?? min(max(0, input.range.lowerBound), input.range.upperBound)
    }
    return try !zip(claimNames, holds(at: point)).allSatisfy { $0 != claim || $1 }
  }
}
