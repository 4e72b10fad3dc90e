import PantileSupport
import PantileTensor
import Testing

/// Matrices in formats: what codes and scales are worth, and that the choice among readings is the best one.
struct QuantisedMatrixTests {
  private static func weights(_ count: Int, seed: UInt64) -> [Double] {
    var random = SplitMix64(seed: seed)
    // Sums of uniforms: near to normal.
    return (0..<count).map { _ in (0..<6).reduce(-3.0) { sum, _ in sum + random.nextUnit24() } * 0.05 }
  }

  /// Codes, scales, selectors and zero points alone give the values back, and their error.
  @Test(arguments: NumberFormat.all.map(\.name), [false, true])
  func valuesFollowFromWhatIsStored(_ name: String, _ stores: Bool) throws {
    let format = try NumberFormat.named(name)
    var options = QuantisedMatrix.Options()
    options.storesScales = stores
    let input = Self.weights(3 * 300, seed: 5)
    let result = try QuantisedMatrix(input, rows: 3, columns: 300, format: format, options: options)
    let groupsPerRow = (300 + result.groupSize - 1) / result.groupSize
    var error = 0.0
    for row in 0..<3 {
      for column in 0..<300 {
        let position = row * 300 + column
        let group = row * groupsPerRow + column / result.groupSize
        let scale = result.scales.count == 1 ? result.scales[0] : result.scales[group]
        var worth = 0.0
        if let pairs = format.pairs {
          let first = position - column % 2
          let pair = try pairs.values(result.codes[first], result.codes[first + 1])
          worth = column % 2 == 0 ? pair.0 : pair.1
        } else {
          worth = try format.code.value(
            of: result.codes[position], selector: result.selector(ofGroup: group))
          if !result.zeroPoints.isEmpty { worth -= Double(result.zeroPoints[group]) }
        }
        #expect(result.values[position] == worth * scale, "\(name) [\(row), \(column)]")
        error += (result.values[position] - input[position]) * (result.values[position] - input[position])
      }
    }
    #expect(abs(result.meanSquaredError - error / 900) < 1e-12)
    // Not worse than throwing the weights away, except for fixed point, whose steps are coarse for these weights.
    let energy = input.reduce(0) { $0 + $1 * $1 } / 900
    #expect(result.meanSquaredError < energy, "\(name)")
  }

  /// A second search, over values instead of codes.
  @Test(arguments: ["bitmod-fp4", "bitmod-fp3"])
  func bestSpecialValueWins(_ name: String) throws {
    let isFour = name == "bitmod-fp4"
    let basic: [Double] = isFour ? [0, 0.5, 1, 1.5, 2, 3, 4, 6] : [0, 1, 2, 4]
    let specials: [Double] = isFour ? [5, -5, 8, -8] : [3, -3, 6, -6]
    let input = Self.weights(4 * 256, seed: 9)
    let result = try QuantisedMatrix(input, rows: 4, columns: 256, format: try NumberFormat.named(name))
    #expect(result.selectors.count == 8 && result.groupSize == 128)
    for group in 0..<8 {
      let values = input[group * 128..<(group + 1) * 128]
      let top = values.map { abs($0) }.max() ?? 0
      var errors: [Double] = []
      for special in specials {
        let levels = (basic + basic.map { -$0 } + [special]).sorted()
        let scale = top / max(basic[basic.count - 1], abs(special))
        errors.append(
          values.reduce(0) { sum, value in
            let nearest = levels.min { abs($0 - value / scale) < abs($1 - value / scale) } ?? 0
            return sum + (nearest * scale - value) * (nearest * scale - value)
          })
      }
      let best = errors.indices.min { errors[$0] < errors[$1] }
      #expect(result.selectors[group] == best, "group \(group): \(errors)")
      #expect(
        result.scales[group] == top / (errors.isEmpty ? 1 : max(basic[basic.count - 1], abs(specials[best ?? 0]))))
    }
  }

  @Test func tiesAndOrderAreAsStated() throws {
    // Every reading is exact: the first, +ER, wins.
    let exact = try QuantisedMatrix([6, -6, 3, 0], rows: 1, columns: 4, format: try NumberFormat.named("bitmod-fp4"))
    #expect(exact.selectors == [0] && exact.meanSquaredError == 0)
    // 2.5 lies between 2 and 3, -2.5 between -3 and -2: the lower value of both.
    let ties = try QuantisedMatrix(
      [6, -6, 2.5, -2.5], rows: 1, columns: 4, format: try NumberFormat.named("bitmod-fp4"))
    #expect(ties.values == [6, -6, 2, -3] || ties.selectors != [0])
  }

  @Test func zerosStayZero() throws {
    for format in NumberFormat.all where format.name != "binary" {
      let result = try QuantisedMatrix([Double](repeating: 0, count: 64), rows: 2, columns: 32, format: format)
      #expect(result.values.allSatisfy { $0 == 0 } && result.meanSquaredError == 0, "\(format.name)")
    }
  }

  @Test func notFiniteIsRefusedWithItsPlace() {
    do {
      _ = try QuantisedMatrix([1, 2, 3, .nan], rows: 2, columns: 2, format: try NumberFormat.named("int4"))
      Issue.record("took NaN")
    } catch {
      #expect(error.codes == ["not-finite"] && "\(error)".contains("[1, 1]"))
    }
  }

  @Test func asymmetricIntegersMeetBothEnds() throws {
    let result = try QuantisedMatrix(
      [-1, 0, 0.5, 2], rows: 1, columns: 4, format: try NumberFormat.named("int4-asym"))
    #expect(result.scales == [0.2] && result.zeroPoints == [5])
    #expect(result.codes == [0, 5, 7, 15])
  }

  @Test func microscalingTakesTheBlockRule() throws {
    // absmax 7: floor gives scale 1 and saturates at 6, ceil gives scale 2.
    let input = [7.0, 1, -3] + [Double](repeating: 0, count: 29)
    var options = QuantisedMatrix.Options()
    let format = try NumberFormat.named("mxfp4")
    #expect(try QuantisedMatrix(input, rows: 1, columns: 32, format: format, options: options).scaleCodes == [127])
    options.rule = .ceil
    let up = try QuantisedMatrix(input, rows: 1, columns: 32, format: format, options: options)
    #expect(up.scaleCodes == [128] && up.values[0] == 8 && up.values[2] == -3)
  }

  @Test func storedScalesAreWholeMultiples() throws {
    var options = QuantisedMatrix.Options()
    options.storesScales = true
    let result = try QuantisedMatrix(
      Self.weights(2 * 512, seed: 3), rows: 2, columns: 512, format: try NumberFormat.named("bitmod-fp3"),
      options: options)
    #expect(result.outerScales.count == 2 && result.scaleCodes.count == 8)
    for group in 0..<8 {
      #expect((0...127).contains(result.scaleCodes[group]))
      #expect(result.scales[group] == Double(result.scaleCodes[group]) * result.outerScales[group / 4])
    }
    #expect(result.scaleCodes[0..<4].max() == 127)
    #expect(result.outerScales.allSatisfy { Double(Float16($0)) == $0 })
  }
}
