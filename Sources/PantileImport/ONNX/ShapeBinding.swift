import PantileSupport
import PantileTensor

/// The extents of the graph inputs after the user's `--dim` and `--shape` have been applied to what the file leaves open.
struct ShapeBinding {
  private let options: ImportOptions
  /// Named dimensions that are known: given by `--dim`, or learnt from a `--shape`.
  private var bound: [String: Int]
  private var errors: [Diagnostic] = []

  /// The inputs' shapes in order.
  private(set) var shapes: [[Int]] = []

  /// - Throws: `dynamic-shape`, `shape-conflict`, `unknown-dim`, `unknown-input`, `dim-range`; all at once.
  init(inputs: [ONNXValueInfo], options: ImportOptions) throws(DiagnosticError) {
    var options = options
    for (name, tensor) in options.constants { options.shapes[name] = tensor.shape }
    self.options = options
    bound = options.dims
    checkNames(inputs)
    for input in inputs { learn(input) }
    for input in inputs {
      let shape = resolve(input)
      if Extents.count(shape) == nil {
        report("dim-range", "input '\(input.name)' cannot have the shape \(Self.text(shape))")
      }
      shapes.append(shape)
    }
    if !errors.isEmpty { throw DiagnosticError(errors) }
  }

  private mutating func checkNames(_ inputs: [ONNXValueInfo]) {
    let dims = inputs.flatMap { $0.type.tensorType.shape.dim }.filter(\.hasDimParam).map(\.dimParam)
    for name in options.dims.keys.sorted() where !dims.contains(name) {
      report(
        "unknown-dim", "no input has a dimension named '\(name)'",
        hint: Self.suggestion(name, dims, none: "the inputs have no named dimensions"))
    }
    for (name, extent) in options.dims.sorted(by: { $0.key < $1.key }) where extent < 1 {
      report("dim-range", "dimension '\(name)' cannot have the extent \(extent)")
    }
    for name in options.shapes.keys.sorted() where !inputs.contains(where: { $0.name == name }) {
      report(
        "unknown-input", "the model has no input named '\(name)'",
        hint: Self.suggestion(name, inputs.map(\.name), none: ""))
    }
    for input in inputs {
      guard let shape = options.shapes[input.name], options.constants[input.name] == nil else { continue }
      let dims = input.type.tensorType.shape.dim
      for (axis, extent) in shape.enumerated() {
        // An extent of 0 is possible where the model itself says 0.
        let isEmpty = extent == 0 && dims.indices.contains(axis) && dims[axis].hasDimValue && dims[axis].dimValue == 0
        guard extent < 1 || extent > 1 << 32, !isEmpty else { continue }
        report("dim-range", "input '\(input.name)' cannot have the shape \(Self.text(shape))")
        break
      }
    }
  }

  private static func suggestion(_ name: String, _ names: [String], none: String) -> String {
    var distinct: [String] = []
    for name in names where !distinct.contains(name) { distinct.append(name) }
    if let nearest = nearestName(to: name, among: distinct) { return "did you mean '\(nearest)'?" }
    return distinct.isEmpty ? none : "there is " + distinct.map { "'\($0)'" }.joined(separator: ", ")
  }

  /// Takes over the named dimensions that a given shape settles.
  private mutating func learn(_ input: ONNXValueInfo) {
    guard let given = options.shapes[input.name], input.type.tensorType.hasShape else { return }
    let dims = input.type.tensorType.shape.dim
    guard dims.count == given.count else {
      report(
        "shape-conflict",
        "input '\(input.name)' has \(dims.count) dimensions in the model but the shape \(Self.text(given)) has \(given.count)"
      )
      return
    }
    for (axis, dim) in dims.enumerated() {
      if dim.hasDimValue, dim.dimValue > 0 {
        if Int(dim.dimValue) != given[axis] {
          report(
            "shape-conflict",
            "input '\(input.name)' has extent \(dim.dimValue) in dimension \(axis) but the shape \(Self.text(given)) says \(given[axis])",
            hint: "the model fixes this dimension; only open ones can be set")
        }
      } else if dim.hasDimParam, !dim.dimParam.isEmpty, dim.dimParam != "?" {
        if let other = bound[dim.dimParam], other != given[axis] {
          report(
            "shape-conflict",
            "dimension '\(dim.dimParam)' of input '\(input.name)' is \(given[axis]) by its shape but \(other) elsewhere"
          )
        }
        bound[dim.dimParam] = given[axis]
      }
    }
  }

  private mutating func resolve(_ input: ONNXValueInfo) -> [Int] {
    if let given = options.shapes[input.name] { return given }
    guard input.type.hasTensorType, input.type.tensorType.hasShape else {
      report(
        "dynamic-shape", "the model does not give the shape of input '\(input.name)'",
        hint: "set it with --shape \(input.name)=1x3x224x224")
      return []
    }
    let dims = input.type.tensorType.shape.dim
    var open: [String] = []
    var shape: [Int] = []
    for (axis, dim) in dims.enumerated() {
      if dim.hasDimValue, dim.dimValue > 0, dim.dimValue <= 1 << 32 {
        shape.append(Int(dim.dimValue))
      } else if dim.hasDimParam, let value = bound[dim.dimParam] {
        shape.append(value)
      } else {
        shape.append(1)
        open.append(dim.hasDimParam && !dim.dimParam.isEmpty ? "\(axis) ('\(dim.dimParam)')" : "\(axis)")
      }
    }
    if !open.isEmpty {
      let whole = dims.map { $0.hasDimValue && $0.dimValue > 0 ? String($0.dimValue) : "N" }.joined(separator: "x")
      report(
        "dynamic-shape",
        "nothing binds dimension\(open.count == 1 ? "" : "s") \(open.joined(separator: ", ")) of input '\(input.name)'",
        hint: "set it with --dim NAME=N or --shape \(input.name)=\(whole)")
    }
    return shape
  }

  private static func text(_ shape: [Int]) -> String { shape.map(String.init).joined(separator: "x") }

  private mutating func report(_ code: String, _ message: String, hint: String? = nil) {
    errors.append(Diagnostic(code, message, hint: hint?.isEmpty == true ? nil : hint))
  }
}
