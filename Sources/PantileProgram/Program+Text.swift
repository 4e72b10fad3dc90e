import PantileSupport
import PantileText

/// The text form of a Program: one `program.module` op in MLIR's generic form, without the bytes of its images.
///
/// Every MLIR parser that allows unregistered dialects reads it. Addresses, waits and signals are attributes of the
/// `program` dialect with a small syntax of their own:
/// ```
/// access = ["bits"] @memory "[" affine "]" ":" "i"width {"," clause}
/// clause = "dims(" extent "by" stride {"," …} ")"               outermost first
///        | "rotate(" affine "mod" slots "by" slot ")"
///        | "bounds(" affine-in-i-and-d "below" limit {"," …} ")"    0 <= coordinate < limit, else padding
///        | "pad(" value ")"
/// affine = sum of constants and constant*loop; loops are i0 (outermost), i1, …; dims are d0, d1, …
/// extent = full ["last(" loop ")" length]
/// wait   = @channel ["*" count] ["when" guard {"," guard}]      guard = first|last|notFirst|notLast "(" loop ")"
/// signal = @channel ["*" count] "at" ("written" | "read(" operand ")") ["when" …]
/// ```
/// Addresses and strides are in bytes, or in bits after the word `bits`.
///
/// **Example**
/// ```
/// "dma.copy"() {dst = #program.access<@spad[0] : i8, dims(16384 by 1), rotate(i0 mod 2 by 16384)>, layer = @fc,
///   signals = [#program.signal<@a_full at written>], src = #program.access<@dram[16384*i0] : i8, dims(16384 by 1)>,
///   waits = [#program.wait<@a_free>]} : () -> ()
/// ```
public struct ProgramText: Sendable {
  /// Bytes that a region holds before the run, as the text names them: by size and hash.
  public struct ImageReference: Hashable, Sendable {
    public var region: RegionID
    public var byteCount: Int
    /// Sixteen hexadecimal digits of the `StableHash` of the bytes.
    public var hash: String
    public var location: SourceLocation
  }

  /// The version that is written and read.
  public static let version = 1

  /// The Program with no images; a reference and an image of `program(images:)` belong together by their order.
  public var skeleton: Program
  public var imageReferences: [ImageReference]

  init(skeleton: Program, imageReferences: [ImageReference]) {
    self.skeleton = skeleton
    self.imageReferences = imageReferences
  }

  /// Reads generic or short form; a `builtin.module` around the Program is allowed, as `mlir-opt` puts it there.
  ///
  /// - Throws: all problems found, each with its place: the codes of the MLIR parser, `program-syntax`,
  ///   `unknown-symbol`, `duplicate-symbol`, `unknown-attribute`, `unknown-operation`, `missing-attribute`,
  ///   `attribute-kind`, `attribute-choice`, `number-range`, `program-version`.
  public init(parsing text: String, path: String) throws(DiagnosticError) {
    let file = try TextFile(parsing: text, path: path)
    var reader = ProgramReader(TextPlaces(text, path: path))
    self = try reader.read(file.ops)
  }

  /// The Program with its images, given in the order of `imageReferences`.
  /// - Throws: `image-count`, `image-size`, `image-hash`.
  public func program(images: [[UInt8]]) throws(DiagnosticError) -> Program {
    guard images.count == imageReferences.count else {
      throw DiagnosticError(
        "image-count", "the program wants \(imageReferences.count) images but \(images.count) are given")
    }
    var program = skeleton
    for (reference, bytes) in zip(imageReferences, images) {
      let name = skeleton.regions[reference.region.offset].name
      guard bytes.count == reference.byteCount else {
        throw DiagnosticError(
          "image-size", "the image of '\(name)' has \(bytes.count) bytes, the program says \(reference.byteCount)",
          at: reference.location)
      }
      let hash = ProgramText.hash(of: bytes)
      guard hash == reference.hash else {
        throw DiagnosticError(
          "image-hash", "the image of '\(name)' has hash \(hash), the program says \(reference.hash)",
          at: reference.location)
      }
      program.images.append(Program.Image(region: reference.region, bytes: bytes))
    }
    return program
  }

  /// What `ImageReference.hash` holds for these bytes.
  public static func hash(of bytes: [UInt8]) -> String {
    var hash = StableHash()
    bytes.withUnsafeBytes { hash.combine(buffer: $0) }
    return hash.hexadecimal
  }
}

extension Program {
  /// The Program as MLIR text. `ProgramText(parsing:)` with the same images gives an equal Program, if the structure
  /// is sound (`structureProblems()` is empty).
  public var text: String { Printer.print(ProgramWriter(self).op()) }

  /// Parses a Program without images.
  /// - Throws: as `ProgramText.init`; `image-count` when the text refers to images.
  public init(parsing text: String, path: String = "-") throws(DiagnosticError) {
    self = try ProgramText(parsing: text, path: path).program(images: [])
  }
}
