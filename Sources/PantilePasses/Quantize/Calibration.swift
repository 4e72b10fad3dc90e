import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor

/// Inputs on which activation ranges are measured; travels as an artifact beside the module.
public struct Calibration: Sendable {
  /// Each sample has one tensor for each input of the function, in order.
  public var samples: [[HostTensor]]
  /// Made up, not given: whatever is measured on it says so.
  public var isSynthetic: Bool

  public init(samples: [[HostTensor]], isSynthetic: Bool = false) {
    self.samples = samples
    self.isSynthetic = isSynthetic
  }

  /// Samples whose tensors are named as the function's inputs.
  /// - Throws: `unknown-input` with the nearest name, `missing-input`.
  public init(named samples: [[String: HostTensor]], for module: Module) throws(DiagnosticError) {
    let function = try module.mainFunction()
    let names = module.inputNames(of: function)
    var ordered: [[HostTensor]] = []
    for (index, sample) in samples.enumerated() {
      for name in sample.keys.sorted() where !names.contains(name) {
        throw DiagnosticError(
          "unknown-input", "calibration sample \(index) has '\(name)', which is no input",
          at: module.location(of: function),
          hint: nearestName(to: name, among: names).map { "did you mean '\($0)'?" })
      }
      var tensors: [HostTensor] = []
      for name in names {
        guard let tensor = sample[name] else {
          throw DiagnosticError(
            "missing-input", "calibration sample \(index) has no '\(name)'", at: module.location(of: function))
        }
        tensors.append(tensor)
      }
      ordered.append(tensors)
    }
    self.init(samples: ordered)
  }

  /// Seeded uniform inputs: floats in [-1, 1), integers 0 and 1.
  /// - Throws: what input types throw.
  public static func synthetic(
    for module: Module, function: OpID, count: Int, seed: Int
  ) throws(DiagnosticError) -> Calibration {
    let names = module.inputNames(of: function)
    var samples: [[HostTensor]] = []
    for sample in 0..<count {
      var tensors: [HostTensor] = []
      for (name, value) in zip(names, module.inputs(of: function)) {
        let type = try module.tensor(of: value)
        let element = try ElementType(type.element, at: module.location(of: function))
        tensors.append(
          SeededValues.tensor(
            name: "calibration \(seed) \(sample) \(name)", shape: type.shape, elementType: element,
            low: element.isFloat ? -1 : 0, high: 1))
      }
      samples.append(tensors)
    }
    return Calibration(samples: samples, isSynthetic: true)
  }
}
