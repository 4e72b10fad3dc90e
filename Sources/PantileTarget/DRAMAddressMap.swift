/// Which bits of an address choose the row, bank, channel and column: `rochrababgco`, most significant first.
public struct DRAMAddressMap: Hashable, Sendable {
  /// A part of a DRAM address; the raw value is its two letters in the text.
  public enum Field: String, Hashable, Sendable, CaseIterable {
    case row = "ro"
    case channel = "ch"
    case rank = "ra"
    case bank = "ba"
    case group = "bg"
    case column = "co"
  }

  /// Most significant first; each field once.
  public let order: [Field]

  /// Nil unless `text` holds each of `ro ch ra ba bg co` once.
  public init?(_ text: String) {
    let letters = Array(text)
    guard letters.count == 2 * Field.allCases.count else { return nil }
    let fields = stride(from: 0, to: letters.count, by: 2).compactMap {
      Field(rawValue: String(letters[$0...($0 + 1)]))
    }
    guard Set(fields).count == Field.allCases.count else { return nil }
    order = fields
  }

  private init(order: [Field]) { self.order = order }

  /// The map with `field` as its least significant part: neighbouring bursts differ in it first.
  public func withLowest(_ field: Field) -> DRAMAddressMap {
    DRAMAddressMap(order: order.filter { $0 != field } + [field])
  }

  /// The text form.
  public var text: String { order.map(\.rawValue).joined() }

  /// Where `field` lies in an address counted in bursts: its lowest bit, and its width in bits.
  ///
  /// - Precondition: all counts of `organization` are powers of two.
  public func bits(of field: Field, in organization: DRAMDevice.Organization) -> (shift: Int, width: Int) {
    var shift = 0
    for next in order.reversed() {
      let width = DRAMAddressMap.count(of: next, in: organization).trailingZeroBitCount
      if next == field { return (shift, width) }
      shift += width
    }
    preconditionFailure("every field is in the order")
  }

  /// Bursts of neighbouring addresses, from a multiple of their number on, that lie in one row of each channel that they go to.
  ///
  /// - Precondition: as of `bits`.
  public func stripe(in organization: DRAMDevice.Organization) -> Int {
    let fields: [Field] = [.row, .rank, .group, .bank]
    return fields.reduce(Int.max) { least, field in
      let (shift, width) = bits(of: field, in: organization)
      return width > 0 ? min(least, 1 << shift) : least
    }
  }

  private static func count(of field: Field, in organization: DRAMDevice.Organization) -> Int {
    switch field {
    case .row: return organization.rows
    case .channel: return organization.channels
    case .rank: return organization.ranks
    case .bank: return organization.banksPerGroup
    case .group: return organization.bankGroups
    case .column: return organization.burstsPerRow
    }
  }
}
