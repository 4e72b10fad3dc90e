import PantileDialects
import PantileEngines
import PantileIR
import PantilePasses
import PantileProve
import PantileSupport
import PantileTensor
import PantileText
import Testing

/// The files speak of what the compiler and the engines do: the same numbers come out of both.
struct CompilerRuleTests {
  @Test func requantiseIsTheCompilersRule() throws {
    var random = SplitMix64(seed: 3)
    for _ in 0..<40 {
      let rule = Requantisation(
        multiplier: Int32((1 << 30) + random.next(below: 1 << 30)), shift: 1 + random.next(below: 62))
      let zeroPoint = random.next(below: 256) - 128
      let datapath = try Datapath.load(
        "requantise", settings: ["multiplier=\(rule.multiplier)", "shift=\(rule.shift)", "zero_point=\(zeroPoint)"],
        root: repositoryRoot)
      let model = try FunctionalModel(datapath, observing: ["scaled", "y"])
      for _ in 0..<50 {
        let x = Int(Int32(truncatingIfNeeded: random.next()))
        let values = try model.values(at: [x])
        #expect(values[0] == rule.scaled(x))
        #expect(
          values[1] == rule.apply(x, inputZeroPoint: 0, zeroPoint: zeroPoint, minimum: -128, maximum: 127))
      }
    }
  }

  @Test func requantisedAddIsTheOpsMeaning() throws {
    var random = SplitMix64(seed: 4)
    let datapath = try Datapath.load("requantised-add", root: repositoryRoot)
    let model = try FunctionalModel(datapath, observing: ["y(scaled)"])
    func parameter(_ name: String) -> Int { datapath.parameters.first { $0.name == name }?.value ?? 0 }
    for _ in 0..<200 {
      let point = (0..<4).map { _ in random.next(below: 256) - 128 }
      let rule = Reference.QuantizedAddition(
        aZeroPoint: point[2], bZeroPoint: point[3], aMultiplier: Int32(parameter("a_multiplier")),
        bMultiplier: Int32(parameter("b_multiplier")), shift: parameter("shift"), zeroPoint: parameter("zero_point"))
      let sum = Reference.quantizedAdd(
        HostTensor(shape: [1], values: [Int8(point[0])]), HostTensor(shape: [1], values: [Int8(point[1])]), rule)
      #expect(try model.values(at: point) == [sum.integer(at: 0)])
    }
  }

  /// The pass merges exactly the ranges that the file merges, to the same range.
  @Test func mergeClampsIsThePass() throws {
    let datapath = try Datapath.load("merge-clamps", root: repositoryRoot)
    let model = try FunctionalModel(datapath, observing: ["is_merged", "low", "high"])
    var random = SplitMix64(seed: 5)
    for _ in 0..<60 {
      var ends = (0..<4).map { _ in random.next(below: 200) - 100 }
      if ends[0] > ends[1] { ends.swapAt(0, 1) }
      if ends[2] > ends[3] { ends.swapAt(2, 3) }
      let text = """
        func.func @main(%x: tensor<4xf32>) -> tensor<4xf32> {
          %a = dnn.clamp %x {min = \(ends[0]).0 : f32, max = \(ends[1]).0 : f32} : tensor<4xf32>
          %b = dnn.clamp %a {min = \(ends[2]).0 : f32, max = \(ends[3]).0 : f32} : tensor<4xf32>
          func.return %b : tensor<4xf32>
        }
        """
      let module = try GraphPipeline.cleaned(Module(verifying: text, path: "t.mlir"))
      let ops = module.ops(inBodyOf: try module.mainFunction())
      let values = try model.values(at: [0] + ends)
      #expect((ops.count == 2) == (values[0] != 0), "\(ends)")
      if ops.count == 2, module.name(of: ops[0]) == "dnn.clamp" {
        let clamp = module[ops[0]]
        #expect(try clamp.number("min") == Double(values[1]) && clamp.number("max") == Double(values[2]), "\(ends)")
      }
    }
  }

  /// Every digit of every weight, as the array's register-transfer model makes it.
  @Test(arguments: 2...8)
  func boothDigitsAreTheArrays(_ bits: Int) throws {
    let terms = (bits + 1) / 2
    let datapath = try Datapath.load("booth4", settings: ["weight_bits=\(bits)"], root: repositoryRoot)
    let model = try FunctionalModel(datapath, observing: (0..<terms).map { "digit(\($0))" })
    #expect(BitSerialOptions(rows: 1, columns: 1).terms(weightBits: bits) == terms)
    for weight in -(1 << (bits - 1))..<(1 << (bits - 1)) {
      let digits = try model.values(at: [weight, 0])
      for term in 0..<terms {
        #expect(digits[term] == Int(BitSerialStepper.digit(Int8(weight), term: term, bits: bits)))
      }
    }
  }

  /// Decoders give the values of the number formats, code by code.
  @Test(arguments: [
    ("decoder-bitmod-fp4", "bitmod-fp4", 2.0, "if(negative == 1, -magnitude, magnitude)", 2),
    ("decoder-e2m1", "fp4-e2m1", 2.0, "if(bit(code, 3) == 1, -magnitude, magnitude)", 1),
    ("decoder-e4m3", "fp8-e4m3", 512.0, "value", 1), ("decoder-e5m2", "fp8-e5m2", 65536.0, "value", 1),
    ("decoder-flint4", "flint4", 1.0, "value", 1),
  ])
  func decodersGiveTheFormatsValues(
    _ name: String, _ format: String, _ scale: Double, _ expression: String, _ inputs: Int
  ) throws {
    let model = try FunctionalModel(Datapath.load(name, root: repositoryRoot), observing: [expression])
    let code = try NumberFormat.named(format).code
    for selector in code.selectors.indices {
      for bits in 0..<code.count {
        guard case .number(let value) = code.meaning(of: bits, selector: selector) else { continue }
        var point = [bits, selector, 0]
        point.removeLast(3 - model.inputs.count)
        if model.inputs.count == 2, inputs == 1 { point[1] = 0 }
        #expect(try Double(model.values(at: point)[0]) == value * scale, "\(bits) \(selector)")
      }
    }
  }
}
