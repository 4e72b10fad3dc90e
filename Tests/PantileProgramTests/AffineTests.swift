import PantileProgram
import PantileSupport
import Testing

@Suite struct AffineTests {
  @Test func equalFunctionsAreEqual() {
    let a = Affine(1, [.init(depth: 1, coefficient: 2), .init(depth: 0, coefficient: 3)])
    let b = Affine.index(0, times: 3) + Affine.index(1) + Affine.index(1) + 1
    #expect(a == b)
    #expect(a + Affine.index(1, times: -2) == Affine.index(0, times: 3) + 1)
    #expect((a * 2).constant == 2)
    #expect(a.deepest == 1)
    #expect(Affine(7).deepest == -1)
  }

  @Test func loopsCountOut() {
    var loops = LoopState()
    loops.enter(count: 2)
    loops.enter(count: 3)
    var seen: [Int] = []
    repeat {
      seen.append(Affine.index(1, times: 10).value(at: loops) + loops.index(0))
    } while loops.advance()
    #expect(seen == [0, 10, 20])
    #expect(loops.depth == 1)
    let goesOn = loops.advance()
    #expect(goesOn)
    #expect(loops.isLast(0) && !loops.isFirst(0))
  }

  @Test func extentsAreRaggedInTheLastTripOnly() {
    var loops = LoopState()
    loops.enter(count: 2)
    let extent = Extent(full: 8, last: 3, depth: 0)
    #expect(extent.value(at: loops) == 8)
    _ = loops.advance()
    #expect(extent.value(at: loops) == 3)
    #expect(extent.scaled(by: 2, plus: 1) == Extent(full: 17, last: 7, depth: 0))
    #expect(Extent(full: 8, last: 8, depth: 0) == Extent(8))
    #expect(extent.largest == 8)
  }

  /// The expansion of a random nest = the same nest unrolled by recursion.
  @Test(arguments: 0..<30)
  func cursorsWalkLikeNestedLoops(_ seed: Int) {
    var random = SplitMix64(seed: UInt64(seed))
    var next = 0
    func nodes(_ depth: Int) -> [Program.Node] {
      (0..<1 + random.next(below: 3)).map { _ in
        if depth < 3, random.next(below: 2) == 0 {
          return .loop(count: random.next(below: 4), nodes(depth + 1))
        }
        next += 1
        let guards = (0..<depth).filter { _ in random.next(below: 3) == 0 }.map {
          Guard(Guard.Position.allCases[random.next(below: 4)], $0)
        }
        return .command(Command(.sync, layer: LayerID(next), when: guards))
      }
    }
    let queue = Program.Queue(core: "core0", engine: "e", body: nodes(0))
    var expected: [[Int]] = []
    func walk(_ nodes: [Program.Node], _ indices: [Int], _ counts: [Int]) {
      for node in nodes {
        switch node {
        case .loop(let count, let body): for i in 0..<count { walk(body, indices + [i], counts + [count]) }
        case .command(let command):
          let takesPlace = command.guards.allSatisfy { condition in
            let i = indices[condition.depth]
            let last = counts[condition.depth] - 1
            switch condition.position {
            case .first: return i == 0
            case .last: return i == last
            case .notFirst: return i != 0
            case .notLast: return i != last
            }
          }
          if takesPlace { expected.append([command.layer.offset] + indices) }
        }
      }
    }
    walk(queue.body, [], [])
    var found: [[Int]] = []
    var cursor = QueueCursor(FlatQueue(queue))
    while cursor.current != nil {
      found.append([cursor.command.layer.offset] + (0..<cursor.loops.depth).map { cursor.loops.index($0) })
      cursor.advance()
    }
    #expect(found == expected)
    #expect(cursor.passed == expected.count)
  }
}
