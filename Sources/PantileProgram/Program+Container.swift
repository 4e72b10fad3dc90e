import PantileSupport

/// A compiled Program as a file: its text, what the compiler wants to say about it, and the bytes of its images.
///
/// **Format** little-endian: `PANTILE` and a zero byte, version (4 bytes), number of sections (4), then the sections: kind (4), index
/// (4), length (8), hash (8), bytes. Kind 1 is the Program's text, kind 2 the metadata, both UTF-8 with index 0; kind 3
/// is one image, its index counts the image references of the text. The hash is the `StableHash` of kind, index,
/// length and bytes. Sections stand in this order, each once, and nothing follows the last. Equal values give equal bytes.
public struct ProgramContainer: Hashable, Sendable {
  public var program: Program
  /// JSON that this module does not look into.
  public var metadata: String

  public init(program: Program, metadata: String = "{}") {
    self.program = program
    self.metadata = metadata
  }

  /// The version that is written and read.
  public static let version: UInt32 = 1

  private static let magic = Array("PANTILE\0".utf8)
  private static let headerBytes = 16
  private static let sectionHeaderBytes = 24

  private enum Kind: UInt32 {
    case text = 1
    case metadata, image
  }

  // MARK: Writing

  /// The whole file.
  public var bytes: [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(program.images.reduce(1 << 16) { $0 + $1.bytes.count + Self.sectionHeaderBytes })
    output += Self.magic
    Self.append(UInt64(Self.version), byteCount: 4, to: &output)
    Self.append(UInt64(2 + program.images.count), byteCount: 4, to: &output)
    Self.append(.text, 0, Array(program.text.utf8), to: &output)
    Self.append(.metadata, 0, Array(metadata.utf8), to: &output)
    for (index, image) in program.images.enumerated() { Self.append(.image, index, image.bytes, to: &output) }
    return output
  }

  private static func append(_ kind: Kind, _ index: Int, _ bytes: [UInt8], to output: inout [UInt8]) {
    append(UInt64(kind.rawValue), byteCount: 4, to: &output)
    append(UInt64(index), byteCount: 4, to: &output)
    append(UInt64(bytes.count), byteCount: 8, to: &output)
    append(bytes.withUnsafeBytes { hash(kind.rawValue, index, $0) }, byteCount: 8, to: &output)
    output += bytes
  }

  private static func append(_ value: UInt64, byteCount: Int, to output: inout [UInt8]) {
    for shift in 0..<byteCount { output.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * shift))) }
  }

  private static func hash(_ kind: UInt32, _ index: Int, _ bytes: UnsafeRawBufferPointer) -> UInt64 {
    var hash = StableHash()
    hash.combine(Int(kind))
    hash.combine(index)
    hash.combine(bytes.count)
    hash.combine(buffer: bytes)
    return hash.value
  }

  // MARK: Reading

  /// Reads a whole file; `path` is what diagnostics call it.
  ///
  /// - Throws: `not-a-program`, `container-version`, `container-truncated`, `container-corrupt` (a hash disagrees),
  ///   `container-sections` (a section is missing, repeated, unknown or out of order, or bytes follow the last), and the
  ///   codes of `ProgramText` and `Program.structureProblems`.
  public init(bytes: [UInt8], path: String) throws(DiagnosticError) {
    guard bytes.count >= Self.headerBytes else {
      if bytes.starts(with: Self.magic) || (!bytes.isEmpty && Self.magic.starts(with: bytes)) {
        throw DiagnosticError(
          "container-truncated", "'\(path)' ends after \(bytes.count) bytes, inside its header",
          hint: "write it again with `pantile compile`")
      }
      throw Self.foreign(path)
    }
    guard bytes.starts(with: Self.magic) else { throw Self.foreign(path) }
    let version = Self.read(bytes, at: 8, byteCount: 4)
    guard version == UInt64(Self.version) else {
      throw DiagnosticError(
        "container-version", "'\(path)' has format version \(version), this build reads \(Self.version)",
        hint: "compile the model again")
    }
    let sectionCount = Self.read(bytes, at: 12, byteCount: 4)
    guard sectionCount >= 2 else {
      throw DiagnosticError("container-sections", "'\(path)' says it has \(sectionCount) sections, it needs at least 2")
    }
    var offset = Self.headerBytes
    var texts: [String] = []
    var images: [[UInt8]] = []
    for number in 0..<sectionCount {
      let section = try Self.section(bytes, number: Int(number), at: &offset, path)
      if number >= 2 {
        images.append(Array(section))
      } else {
        guard let text = String(validating: section, as: UTF8.self) else {
          throw DiagnosticError("not-utf8", "section \(number) of '\(path)' is not UTF-8 text")
        }
        texts.append(text)
      }
    }
    guard offset == bytes.count else {
      throw DiagnosticError(
        "container-sections", "'\(path)' has \(bytes.count - offset) bytes after its last section")
    }
    program = try ProgramText(parsing: texts[0], path: "\(path):program").program(images: images)
    metadata = texts[1]
    let problems = program.structureProblems()
    if !problems.isEmpty { throw DiagnosticError(problems) }
  }

  private static func foreign(_ path: String) -> DiagnosticError {
    DiagnosticError(
      "not-a-program", "'\(path)' is no compiled program: it does not start with the bytes 'PANTILE'",
      hint: "compiled programs are written by `pantile compile MODEL --chip CHIP -o net.pantile`")
  }

  private static func section(_ bytes: [UInt8], number: Int, at offset: inout Int, _ path: String)
    throws(DiagnosticError) -> ArraySlice<UInt8>
  {
    func truncated(_ wanted: UInt64) -> DiagnosticError {
      DiagnosticError(
        "container-truncated",
        "section \(number) of '\(path)' needs \(wanted) bytes at \(offset) but the file has \(bytes.count - offset) left",
        hint: "write it again with `pantile compile`")
    }
    guard bytes.count - offset >= sectionHeaderBytes else { throw truncated(UInt64(sectionHeaderBytes)) }
    let kind = UInt32(read(bytes, at: offset, byteCount: 4))
    let index = Int(read(bytes, at: offset + 4, byteCount: 4))
    let length = read(bytes, at: offset + 8, byteCount: 8)
    let hash = read(bytes, at: offset + 16, byteCount: 8)
    let expected: Kind = number == 0 ? .text : number == 1 ? .metadata : .image
    guard kind == expected.rawValue, index == max(0, number - 2) else {
      throw DiagnosticError(
        "container-sections",
        "section \(number) of '\(path)' is of kind \(kind) with index \(index), expected kind \(expected.rawValue) with index \(max(0, number - 2))"
      )
    }
    offset += sectionHeaderBytes
    guard length <= UInt64(bytes.count - offset) else { throw truncated(length) }
    let body = bytes[offset..<offset + Int(length)]
    let found = body.withUnsafeBytes { Self.hash(kind, index, $0) }
    guard found == hash else {
      throw DiagnosticError(
        "container-corrupt",
        "section \(number) of '\(path)' has hash \(String(found, radix: 16)) but \(String(hash, radix: 16)) was written",
        hint: "the file was damaged or edited; write it again with `pantile compile`")
    }
    offset += Int(length)
    return body
  }

  private static func read(_ bytes: [UInt8], at offset: Int, byteCount: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<byteCount { value |= UInt64(bytes[offset + index]) << UInt64(8 * index) }
    return value
  }
}
