import PantileProve
import PantileSupport
import Testing

/// The files of `Targets/datapaths` are proved, their mutants are not.
struct ShippedDatapathTests {
  static let names = Datapath.shippedNames(root: repositoryRoot)

  @Test(arguments: names)
  func isProvedOverItsSweepsAndItsMutantsAreRefuted(_ name: String) throws {
    var scope = DatapathReport.Scope()
    scope.sweeps = true
    scope.mutants = true
    let file = try DatapathFile(name, root: repositoryRoot)
    let report = try DatapathReport(file, scope: scope)
    for proof in report.proofs {
      #expect(proof.status == .proved, "\(proof.parameters.map { "\($0.name) \($0.value)" })")
    }
    #expect(report.mutants.count >= 2)
    for item in report.mutants {
      #expect(item.proof.status == .refuted, "\(item.mutant.name)")
      let model = try FunctionalModel(file.datapath(item.mutant.settings))
      for claim in item.proof.claims {
        guard let example = claim.counterexample else { continue }
        #expect(try model.fails(claim.name, at: example), "\(item.mutant.name), \(claim.name)")
      }
    }
  }

  @Test func everyKindAndManyMutantsAreThere() throws {
    let datapaths = try Self.names.map { try Datapath.load($0, root: repositoryRoot) }
    #expect(Set(datapaths.map(\.kind)) == Set(Datapath.Kind.allCases))
    #expect(datapaths.reduce(0) { $0 + $1.mutants.count } >= 40)
    for datapath in datapaths { #expect(Self.names.contains(datapath.name)) }
  }

  /// Widths 2 to 8 and activations up to 24 bits of every encoding, and nobody waits for them: the work is counted.
  @Test func encodingsTakeFewCases() throws {
    var cases = 0
    for name in Self.names {
      let datapath = try Datapath.load(name, root: repositoryRoot)
      guard datapath.kind == .encoding else { continue }
      let widths = datapath.parameters.first { $0.name.hasPrefix("activation") }?.sweep
      #expect(widths == [4, 8, 12, 16, 24], "\(name)")
      for point in datapath.swept { cases += try point.prove().cases }
    }
    #expect(cases < 200_000, "\(cases)")
  }

  /// The decoder as the paper's figure reads, and what breaks it.
  @Test func unmaskedDecoderIsRefuted() throws {
    let proof = try Datapath.load("decoder-bitmod-fp4", settings: ["mask_first_hit=0"], root: repositoryRoot).prove()
    #expect(proof.status == .refuted)
    let example = try #require(proof.claims.first { $0.name == "product" }?.counterexample)
    #expect(example.got != example.expected && example.values.map(\.name) == ["code", "selector", "activation"])
  }

  /// Changes that change nothing are no mutants, and are not called so.
  @Test(arguments: [
    ("booth4", ["define.extended=signed(weight, weight_bits)"]), ("booth4", ["define.product_bits=40"]),
    ("booth4", ["define.extended=unsigned(weight, weight_bits)"]),
    ("column-inversion", ["define.is_inverted=2 * ones >= lanes"]),
    ("lod2", ["define.second=power(magnitude - first) + 0 * first"]),
    ("accumulator-int8", ["products=255", "accumulator_bits=23"]),
    ("dot-bit-major", ["define.weight_lane(k)=lanes - 1 - k"]),
    ("zero-point", ["define.row_correction=row_sum * weight_zero"]),
  ])
  func equivalentChangesAreProved(_ name: String, _ settings: [String]) throws {
    #expect(try Datapath.load(name, settings: settings, root: repositoryRoot).prove().status == .proved)
  }

  /// Mistakes that no file names.
  @Test(arguments: [
    ("booth4", ["tables.digits.010=2"]), ("booth4", ["define.exponent(i)=if(i == 3, 5, 2 * i)"]),
    ("booth4", ["define.digit(i)=if(i == 0, 0, digits[window(i)])"]), ("plain", ["define.product_bits=12"]),
    ("naf", ["define.triple=2 * weight"]), ("sign-magnitude", ["define.digit(i)=bit(weight, i)"]),
    ("dot-bit-major", ["define.weight_lane(k)=min(k, lanes - 2)"]),
    ("dot-bit-major", ["lanes=64", "define.activation_lane(k)=if(k == 63, 61, weight_lane(k))"]),
    ("zero-point", ["define.corrected=dot - row_correction + column_correction + constant_correction"]),
    ("group-dequantisation", ["partial_bits=32", "define.steps=7"]), ("decoder-e4m3", ["define.is_nan=0"]),
    ("decoder-e4m3", ["define.shift=max(exponent, 1)"]), ("decoder-bitmod-fp4", ["tables.special_magnitude.11=15"]),
    (
      "decoder-olive-int4",
      ["define.one(own, other)=if(other == mark, abfloat(own), if(own == mark, 1, signed(own, 4)))"]
    ),
    ("accumulator-int8", ["products=512"]),
    ("requantise", ["define.half=(1 << shift - 1) + 1", "multiplier=1073741825", "shift=31"]),
    ("requantise", ["maximum=126", "define.y=clamp(scaled + zero_point, minimum, 127)"]),
    ("relu-into-clamp", ["zero_point=7", "define.folded_minimum=6"]),
    ("alignment-lane", ["guard_bits=0", "define.kept=significand + 1 >> shift"]),
    (
      "requantised-add",
      ["define.rounded(p, q)=exact(p, q) + half - 1 >> shift", "a_multiplier=1073741824", "b_multiplier=0"]
    ),
  ])
  func otherMistakesAreRefuted(_ name: String, _ settings: [String]) throws {
    let datapath = try Datapath.load(name, settings: settings, root: repositoryRoot)
    let proof = try datapath.prove()
    #expect(proof.status == .refuted)
    let model = try FunctionalModel(datapath)
    for claim in proof.claims {
      if let example = claim.counterexample { #expect(try model.fails(claim.name, at: example)) }
    }
  }

  @Test func sameQuestionSameAnswer() throws {
    let datapath = try Datapath.load("merge-clamps", settings: ["define.is_merged=1"], root: repositoryRoot)
    let (first, second) = (try datapath.prove(), try datapath.prove())
    #expect(first.counterexample == second.counterexample && first.cases == second.cases)
  }

  /// No answer is an answer.
  @Test func limitsGiveNoAnswer() throws {
    var options = ProofOptions()
    options.budget = 100
    options.resourceLimit = 1000
    options.probes = 0
    let hard = try Datapath.load("merge-clamps", root: repositoryRoot)
    let proof = try hard.prove(options)
    #expect(proof.status == .inconclusive)
    #expect(proof.claims[0].reason?.contains("100 cases") == true)
  }

  @Test func conditionsThatNeverHoldProveNothing() throws {
    let proof = try datapath("inputs: {a: signed 4}\ngiven: {g: a > 7}\nclaims: {c: a == 99}").prove()
    #expect(proof.status == .inconclusive && proof.claims[0].reason?.contains("for no inputs") == true)
  }
}
