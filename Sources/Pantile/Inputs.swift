import PantileSupport
import PantileTensor

/// Tensors for the inputs of a model, for one run or for a batch of them.
///
/// A model with batch 1 takes tensors `[n, …]` as n runs.
public struct Inputs: Sendable {
  /// What one input gets.
  public struct Entry: Sendable {
    /// Nil: by position.
    public var name: String?
    public var tensor: HostTensor
    /// The file, or where else the values come from; for messages.
    public var origin: String

    public init(name: String? = nil, tensor: HostTensor, origin: String) {
      self.name = name
      self.tensor = tensor
      self.origin = origin
    }
  }

  public var entries: [Entry]

  public init(_ entries: [Entry]) { self.entries = entries }

  /// Reads `.npy` files; each argument is `FILE` (by position) or `NAME=FILE`.
  /// - Throws: `npy-format`, `npy-type`, `cannot-read`; all at once.
  public static func files(_ arguments: [String]) throws(DiagnosticError) -> Inputs {
    var entries: [Entry] = []
    var problems: [Diagnostic] = []
    for argument in arguments {
      // Names of ONNX values may hold slashes, paths may hold equal signs: the last one in front of a file separates.
      let separator = argument.lastIndex(of: "=")
      let name = separator.map { String(argument[..<$0]) }
      let path = separator.map { String(argument[argument.index(after: $0)...]) } ?? argument
      do throws(DiagnosticError) {
        entries.append(Entry(name: name, tensor: try NPY.read(path), origin: path))
      } catch {
        problems += error.diagnostics
      }
    }
    if !problems.isEmpty { throw DiagnosticError(problems) }
    return Inputs(entries)
  }

  /// Values that follow from the names of the ports and a seed: floats in -1 ... 1, whole numbers over their type.
  public static func seeded(_ ports: [Model.Port], seed: UInt64) -> Inputs {
    Inputs(
      ports.map { port in
        let range = port.elementType.integerRange
        let low = range.map { max(-128, Double($0.lowerBound)) } ?? -1
        let high = range.map { min(127, Double($0.upperBound)) } ?? 1
        return Entry(
          name: port.name,
          tensor: SeededValues.tensor(
            name: "\(seed):input:\(port.name)", shape: port.shape, elementType: port.elementType, low: low, high: high),
          origin: "seed \(seed)")
      })
  }

  /// The tensors of each run, in the order of the ports.
  /// - Throws: `unknown-input`, `missing-input`, `input-twice`, `input-shape`, `input-type`, `batch-mismatch`; all at once.
  public func runs(for ports: [Model.Port]) throws(DiagnosticError) -> [[HostTensor]] {
    var problems: [Diagnostic] = []
    let chosen = assign(ports, &problems)
    var batch: (count: Int, name: String)?
    for (port, entry) in zip(ports, chosen) {
      guard let entry else { continue }
      let tensor = entry.tensor
      if tensor.elementType != port.elementType {
        problems.append(
          Diagnostic(
            "input-type",
            "input '\(port.name)' takes \(port.elementType) but '\(entry.origin)' has \(tensor.elementType)",
            hint: "convert it with numpy's astype"))
      }
      let isBatch = Inputs.isBatch(tensor.shape, of: port.shape)
      guard tensor.shape == port.shape || isBatch else {
        problems.append(
          Diagnostic(
            "input-shape",
            "input '\(port.name)' takes \(Inputs.text(port.shape)) but '\(entry.origin)' has \(Inputs.text(tensor.shape))",
            hint: port.shape.first == 1
              ? "a batch of them is n\(port.shape.dropFirst().map { "x\($0)" }.joined())" : nil))
        continue
      }
      let count = isBatch ? tensor.shape[0] : 1
      if let other = batch, other.count != count {
        problems.append(
          Diagnostic(
            "batch-mismatch",
            "input '\(port.name)' has \(count) samples but input '\(other.name)' has \(other.count)"))
      } else if batch == nil {
        batch = (count, port.name)
      }
    }
    if !problems.isEmpty { throw DiagnosticError(problems) }
    let count = batch?.count ?? 1
    let tensors = chosen.compactMap(\.self).map(\.tensor)
    return (0..<count).map { sample in
      zip(tensors, ports).map { $0.shape == $1.shape ? $0 : Inputs.sample(sample, of: $0) }
    }
  }

  /// Which entry each port gets; named ones first, then the others by position.
  private func assign(_ ports: [Model.Port], _ problems: inout [Diagnostic]) -> [Entry?] {
    var chosen = [Entry?](repeating: nil, count: ports.count)
    for entry in entries {
      guard let name = entry.name else { continue }
      guard let index = ports.firstIndex(where: { $0.name == name }) else {
        let names = ports.map(\.name)
        let nearest = nearestName(to: name, among: names).map { "did you mean '\($0)'? " } ?? ""
        problems.append(
          Diagnostic(
            "unknown-input", "the model has no input '\(name)'",
            hint: "\(nearest)its inputs are \(names.joined(separator: ", "))"))
        continue
      }
      if chosen[index] != nil {
        problems.append(Diagnostic("input-twice", "input '\(name)' is given twice"))
      }
      chosen[index] = entry
    }
    for entry in entries where entry.name == nil {
      guard let index = chosen.firstIndex(where: { $0 == nil }) else {
        problems.append(
          Diagnostic(
            "unknown-input", "'\(entry.origin)' is one input too many: the model has \(ports.count)"))
        continue
      }
      chosen[index] = entry
    }
    for (port, entry) in zip(ports, chosen) where entry == nil {
      if problems.isEmpty {
        problems.append(
          Diagnostic(
            "missing-input", "nothing is given for input '\(port.name)'", hint: "add --input \(port.name)=FILE.npy"))
      }
    }
    return chosen
  }

  /// Whether a tensor holds n samples for a port with batch 1.
  private static func isBatch(_ shape: [Int], of port: [Int]) -> Bool {
    shape != port && port.first == 1 && shape.count == port.count && shape[0] >= 1
      && shape.dropFirst() == port.dropFirst()
  }

  private static func sample(_ index: Int, of tensor: HostTensor) -> HostTensor {
    let shape = [1] + tensor.shape.dropFirst()
    let size = tensor.byteCount / tensor.shape[0]
    return tensor.withUnsafeBytes { bytes in
      HostTensor(
        shape: shape, elementType: tensor.elementType,
        bytes: UnsafeRawBufferPointer(rebasing: bytes[(index * size)..<((index + 1) * size)]))
    }
  }

  static func text(_ shape: [Int]) -> String {
    shape.isEmpty ? "a scalar" : shape.map(String.init).joined(separator: "x")
  }
}

extension Inputs {
  /// Adds to `options` the shapes of inputs that the model's file leaves open and that these tensors settle.
  ///
  /// A dimension that is fixed at 1 takes batches, so only open dimensions are bound.
  /// - Throws: what reading the model's file throws.
  public func bind(_ options: inout Model.Options, modelPath: String) throws(DiagnosticError) {
    guard modelPath.hasSuffix(".onnx") else { return }
    let declared = try ONNXImport.inputs(of: modelPath)
    var free = declared.map(\.name).filter { name in !entries.contains { $0.name == name } }[...]
    for entry in entries {
      guard let name = entry.name ?? free.popFirst(), options.shapes[name] == nil,
        let dims = declared.first(where: { $0.name == name })?.dims, dims.contains(where: { $0 == nil }),
        dims.count == entry.tensor.shape.count,
        zip(dims, entry.tensor.shape).allSatisfy({ $0 == nil || $0 == $1 })
      else { continue }
      options.shapes[name] = entry.tensor.shape
    }
  }
}
