import PantileProblem
import PantileSupport
import Testing

/// A random expression over the given dimensions.
func randomExpression(_ random: inout SplitMix64, dims: [String], depth: Int) -> CostExpr {
  if depth == 0 || random.next(below: 5) == 0 {
    let d = dims[random.next(below: dims.count)]
    switch random.next(below: 5) {
    case 0: return .constant(random.next(below: 40) - 12)
    case 1: return .extent(d)
    case 2: return .tile(d)
    case 3: return .trips(d)
    default: return .last(d)
    }
  }
  func part() -> CostExpr { randomExpression(&random, dims: dims, depth: depth - 1) }
  switch random.next(below: 6) {
  case 0: return .add(part(), part())
  case 1: return .multiply(part(), part())
  case 2: return .maximum(part(), part())
  case 3: return .minimum(part(), part())
  case 4: return .ceilDivide(part(), part())
  default: return .select(part(), part(), part(), part())
  }
}

struct CostExprTests {
  let dims = ["m", "n", "k"]

  @Test func compiledFormEqualsRecursion() throws {
    var random = SplitMix64(seed: 11)
    for _ in 0..<2_000 {
      let expression = randomExpression(&random, dims: dims, depth: 4)
      let program = try CostProgram(expression, dimensions: dims)
      let tiles = dims.map { _ in
        let extent = 1 + random.next(below: 60)
        return TileExtent(extent: extent, tile: 1 + random.next(below: extent))
      }
      let point = Dictionary(uniqueKeysWithValues: zip(dims, tiles))
      #expect(program.evaluate(at: tiles) == expression.evaluate(at: point), "\(expression) at \(point)")
    }
  }

  @Test func intervalHoldsEveryPointOfTheBox() {
    var random = SplitMix64(seed: 12)
    for _ in 0..<600 {
      let expression = randomExpression(&random, dims: dims, depth: 3)
      var box: [String: TileRange] = [:]
      for d in dims {
        let extent = 1 + random.next(below: 9)
        let low = 1 + random.next(below: extent)
        box[d] = TileRange(extent: extent, tile: CostInterval(low, low + random.next(below: extent - low + 1)))
      }
      let bounds = expression.bounds(over: box)
      for m in box["m"]!.tile.lower...box["m"]!.tile.upper {
        for n in box["n"]!.tile.lower...box["n"]!.tile.upper {
          for k in box["k"]!.tile.lower...box["k"]!.tile.upper {
            let point = [
              "m": TileExtent(extent: box["m"]!.extent, tile: m), "n": TileExtent(extent: box["n"]!.extent, tile: n),
              "k": TileExtent(extent: box["k"]!.extent, tile: k),
            ]
            let value = expression.evaluate(at: point)
            #expect(bounds.contains(value), "\(expression) = \(value) at \(point), bounds \(bounds)")
          }
        }
      }
    }
  }

  @Test func textComesBackEqual() throws {
    var random = SplitMix64(seed: 13)
    for _ in 0..<1_000 {
      let expression = randomExpression(&random, dims: dims, depth: 5)
      #expect(try CostExpr(parsing: expression.description) == expression)
    }
    #expect("\(CostExpr.ceilDiv(.tile("m"), 16) * .trips("n") + 3)" == "ceildiv(tile(m), 16) * trips(n) + 3")
  }

  @Test(arguments: ["", "1 +", "tile(m", "tile()", "foo(m)", "1 2", "99999999999999999999", "select(1, 2, 3)"])
  func refusesMalformedText(_ text: String) {
    #expect { try CostExpr(parsing: text) } throws: { ($0 as? DiagnosticError)?.codes == ["cost-syntax"] }
  }

  @Test func refusesDeepNesting() {
    let text = String(repeating: "(", count: 100_000) + "1" + String(repeating: ")", count: 100_000)
    #expect { try CostExpr(parsing: text) } throws: { ($0 as? DiagnosticError)?.codes == ["cost-syntax"] }
  }

  @Test func refusesEndlessChains() {
    let text = Array(repeating: "tile(m)", count: 1_000_000).joined(separator: "+")
    #expect { try CostExpr(parsing: text) } throws: { ($0 as? DiagnosticError)?.codes == ["cost-syntax"] }
  }

  @Test func saturatesInsteadOfTrapping() {
    let huge = CostExpr.multiply(.extent("m"), .multiply(.extent("m"), .extent("m")))
    let point = ["m": TileExtent(extent: Int.max / 2, tile: 1)]
    #expect(huge.evaluate(at: point) == Int.max)
    #expect(CostExpr.ceilDiv(.constant(-7), 2).evaluate(at: [:]) == -3)
    #expect(CostExpr.ceilDivide(.constant(7), .constant(0)).evaluate(at: [:]) == 7)
  }

  @Test func sumsOverRaggedTiles() {
    let folds = CostExpr.overTiles(of: "m") { .ceilDiv($0, 16) }
    #expect(folds.evaluate(at: ["m": TileExtent(extent: 100, tile: 64)]) == 4 + 3)
  }

  @Test func namesUnknownDimensions() {
    #expect { try CostProgram(.tile("mm"), dimensions: ["m", "n"]) } throws: {
      ($0 as? DiagnosticError)?.codes == ["unknown-dimension"]
    }
  }
}
