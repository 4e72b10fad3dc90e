import PantileTensor

/// What a reader may be told about a model: sizes that the file leaves open, and what must be there.
public struct ImportOptions: Equatable, Sendable {
  /// Extents of named dimensions: `--dim batch=1`.
  public var dims: [String: Int]
  /// Whole shapes of inputs, from `--shape x=1x3x224x224` or from tensors that the user gives as inputs.
  public var shapes: [String: [Int]]
  /// Inputs that always have one value: they become constants and are no inputs of the module.
  public var constants: [String: HostTensor]
  /// Absent weights are an error instead of a warning, for callers that need values.
  public var requiresWeights: Bool

  public init(
    dims: [String: Int] = [:], shapes: [String: [Int]] = [:], constants: [String: HostTensor] = [:],
    requiresWeights: Bool = false
  ) {
    self.dims = dims
    self.shapes = shapes
    self.constants = constants
    self.requiresWeights = requiresWeights
  }
}

/// An input as a model file declares it.
public struct ModelInput: Hashable, Sendable {
  /// One extent of a declared shape.
  public enum Dimension: Hashable, Sendable {
    case fixed(Int)
    /// Open, with a name that `--dim` binds.
    case named(String)
    case open
  }

  public var name: String
  /// Nil for a type that tensors here do not have.
  public var elementType: ElementType?
  /// Nil when the model does not even say the rank.
  public var dimensions: [Dimension]?
}
