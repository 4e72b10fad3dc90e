/// One use of one port of a systolic array.
public struct EdgeEvent: Hashable, Sendable, BitwiseCopyable {
  /// From the first cycle of the run.
  public var cycle: Int
  /// As numbered by `SystolicPorts`.
  public var port: Int
  /// What passed: an element, a sum, or for ports to memories an address in elements.
  public var value: Int32

  public init(cycle: Int, port: Int, value: Int32) {
    self.cycle = cycle
    self.port = port
    self.value = value
  }
}

extension EdgeEvent {
  /// FNV-1a with 64 bits over the events' cycle, port and value, each as 32 bits in little-endian bytes. The RTL harness in
  /// `Targets/rtl/harness` has the same function.
  public static func hash(_ events: [EdgeEvent]) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for event in events {
      for word in [UInt32(truncatingIfNeeded: event.cycle), UInt32(event.port), UInt32(bitPattern: event.value)] {
        for shift in stride(from: UInt32(0), to: 32, by: 8) {
          hash = (hash ^ UInt64((word >> shift) & 0xFF)) &* 0x0000_0100_0000_01B3
        }
      }
    }
    return hash
  }
}

/// The ports of a systolic array of `rows` x `columns`, numbered in the order in which events of one cycle are listed.
///
/// Two ports read operand memories, a whole vector a beat: the value is the address of lane 0 in its operand. Rows and columns are
/// the array's edges, behind the skew registers. Padding lanes bring zeros to the edges, but touch no memory.
public struct SystolicPorts: Hashable, Sendable, BitwiseCopyable {
  public var rows: Int
  public var columns: Int

  public init(rows: Int, columns: Int) {
    self.rows = rows
    self.columns = columns
  }

  /// The memory port of the operand that enters at the rows.
  public var rowMemory: Int { 0 }
  /// The memory port of the operand that enters at the columns.
  public var columnMemory: Int { 1 }
  /// Row r of the left edge: the element that PE (r, 0) sees.
  public func row(_ r: Int) -> Int { 2 + r }
  /// Column c of the upper edge: the element that PE (0, c) takes.
  public func column(_ c: Int) -> Int { 2 + rows + c }
  /// Column c of the lower edge: the sum that leaves.
  public func result(_ c: Int) -> Int { 2 + rows + columns + c }
  /// The accumulator written by column c: the value is the word m·N + n.
  public func write(_ c: Int) -> Int { 2 + rows + 2 * columns + c }
  /// The accumulator read by column c, in the cycle in which it is written.
  public func read(_ c: Int) -> Int { 2 + rows + 3 * columns + c }

  public var count: Int { 2 + rows + 4 * columns }

  /// As in `row 3` or `write 0`.
  public func name(_ port: Int) -> String {
    switch port {
    case 0: return "row memory"
    case 1: return "column memory"
    case ..<(2 + rows): return "row \(port - 2)"
    default:
      let kind = (port - 2 - rows) / columns
      return "\(["column", "result", "write", "read"][min(kind, 3)]) \((port - 2 - rows) % columns)"
    }
  }
}
