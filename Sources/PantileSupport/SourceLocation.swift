/// Where something came from: a place in a text file, a node of an imported model, or both fused by a rewrite.
public indirect enum SourceLocation: Hashable, Sendable {
  /// Nothing is known.
  case unknown
  /// A place in a text file; `line` and `column` count from 1, columns in UTF-8 bytes.
  case file(path: String, line: Int, column: Int)
  /// A named thing of a model (an ONNX node, a layer), perhaps with a place behind it.
  case name(String, SourceLocation)
  /// Several origins, in order, made by a rewrite that merged operations.
  case fused([SourceLocation])

  /// The location of a named thing without a place.
  public static func named(_ name: String) -> SourceLocation { .name(name, .unknown) }

  /// The first file position inside this location, if any.
  public var filePosition: (path: String, line: Int, column: Int)? {
    switch self {
    case .unknown: return nil
    case .file(let path, let line, let column): return (path, line, column)
    case .name(_, let inner): return inner.filePosition
    case .fused(let parts):
      for part in parts {
        if let position = part.filePosition { return position }
      }
      return nil
    }
  }

  /// All names inside this location, in order, without repeats.
  public var names: [String] {
    switch self {
    case .unknown, .file: return []
    case .name(let name, let inner): return [name] + inner.names.filter { $0 != name }
    case .fused(let parts):
      var result: [String] = []
      for part in parts {
        for name in part.names where !result.contains(name) { result.append(name) }
      }
      return result
    }
  }

  /// Both locations, fused; unknown parts and repeats vanish.
  public func fused(with other: SourceLocation) -> SourceLocation {
    var parts: [SourceLocation] = []
    for location in [self, other] {
      let members: [SourceLocation]
      if case .fused(let inner) = location { members = inner } else { members = [location] }
      for member in members where member != .unknown && !parts.contains(member) { parts.append(member) }
    }
    switch parts.count {
    case 0: return .unknown
    case 1: return parts[0]
    default: return .fused(parts)
    }
  }
}

extension SourceLocation: CustomStringConvertible {
  /// `path:line:column`, `'node'`, or the parts joined by ` + `.
  public var description: String {
    switch self {
    case .unknown: return "unknown location"
    case .file(let path, let line, let column): return "\(path):\(line):\(column)"
    case .name(let name, .unknown): return "'\(name)'"
    case .name(let name, let inner): return "'\(name)' (\(inner))"
    case .fused(let parts): return parts.map(\.description).joined(separator: " + ")
    }
  }
}
