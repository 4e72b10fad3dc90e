import Foundation
import Pantile
import Testing

/// `pantile prune --encoding`: the bytes that the JSON has, read again by definitions written out here.
struct PruneEncodingTests {
  /// The bits of a row, low first.
  private func bits(_ row: [Int]) -> [Int] { row.flatMap { byte in (0..<8).map { byte >> $0 & 1 } } }

  private func number(_ bits: ArraySlice<Int>) -> Int { bits.reversed().reduce(0) { $0 * 2 + $1 } }

  /// Sets of `kept` of `group` places in the order of their masks: the combinatorial number is the place in this list.
  private func sets(_ kept: Int, _ group: Int) -> [[Int]] {
    (0..<1 << group).filter { $0.nonzeroBitCount == kept }.map { mask in (0..<group).filter { mask >> $0 & 1 == 1 } }
  }

  @Test(arguments: [(1, 2), (2, 4), (1, 4), (2, 8), (4, 8), (3, 8), (4, 4)], ["index", "bitmap", "combinatorial"])
  func metadataHoldsTheIndices(_ pattern: (Int, Int), _ encoding: String) throws {
    let (kept, group) = pattern
    try TemporaryFolder.with { folder in
      let weights = SeededValues.tensor(
        name: "w \(kept) \(group)", shape: [5, 11, 3, 2], elementType: .f32, low: -1, high: 1)
      try NPY.data(of: weights).write(to: URL(fileURLWithPath: "\(folder)/w.npy"))
      let result = try Tool.run([
        "prune", "--pattern", "\(kept):\(group)", "--in", "\(folder)/w.npy", "--encoding", encoding, "--json", "-",
      ])
      #expect(result.code == 0, "\(result.errors)")
      let json = try jsonObject(result.output)
      let indices = try #require(json["indices"] as? [[Int]])
      let metadata = try #require(json["metadata"] as? [[Int]])
      #expect(json["encoding"] as? String == encoding)
      let known = sets(kept, group)
      // As few bits as tell so many things apart.
      func width(_ count: Int) -> Int { (0...16).first { 1 << $0 >= count } ?? 0 }
      let field = encoding == "bitmap" ? group : encoding == "index" ? kept * width(group) : width(known.count)
      #expect(json["bits_of_a_group"] as? Int == field)
      for (row, places) in zip(metadata, indices) {
        #expect(row.count % 4 == 0 && row.count * 8 - places.count / kept * field < 32)
        let bits = bits(row)
        for first in stride(from: 0, to: places.count, by: kept) {
          let own = bits[first / kept * field..<(first / kept + 1) * field]
          let found: [Int]
          switch encoding {
          case "bitmap": found = (0..<group).filter { own[own.startIndex + $0] == 1 }
          case "index":
            let step = field / kept
            found = (0..<kept).map { slot in
              let start = own.startIndex + slot * step
              return number(own[start..<start + step])
            }
          default: found = known[number(own)]
          }
          #expect(found == Array(places[first..<first + kept]))
        }
        #expect(bits[(places.count / kept * field)...].allSatisfy { $0 == 0 })
      }
      let bytes = metadata.reduce(0) { $0 + $1.count }
      #expect(json["metadata_bytes"] as? Int == bytes)
      let values = try #require(json["value_bytes"] as? Int)
      #expect(json["footprint_bytes"] as? Int == values + bytes)
      // Others read the bytes of the index encoding by this key.
      if encoding == "index" { #expect(json["index_bytes"] as? Int == bytes) }
    }
  }

  @Test func otherEncodingsAreRefused() throws {
    let result = try Tool.run(["prune", "--pattern", "2:4", "--in", "w.npy", "--encoding", "csr"])
    #expect(result.code == 2 && result.output.isEmpty)
  }
}
