import Foundation
import Pantile
import PantileDialects
import PantileEngines
import PantileIR
import PantilePasses
import PantileProgram
import PantileSim
import PantileSupport
import PantileTarget
import PantileTensor
import Testing

/// Compiles a function as it stands and runs it on a chip.
private struct ChipRun {
  let compilation: Compiler.Compilation
  let outputs: [HostTensor]
  let expected: [HostTensor]

  static func chip(_ overrides: [String] = []) throws -> Chip {
    try Chip.load(
      "training-16x16", overrides: overrides, schemas: Machine.schemas(), root: ChipEqualsReferenceTests.root)
  }

  init(_ text: String, _ inputs: [HostTensor], overrides: [String] = []) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("pantile-\(UUID().uuidString).mlir")
    try text.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    try self.init(Model(contentsOf: file.path).module, inputs, overrides: overrides)
  }

  init(_ module: Module, _ inputs: [HostTensor], overrides: [String] = []) throws {
    let chip = try Self.chip(overrides)
    compilation = try Compiler(chip: chip).compile(
      integer: GraphPipeline.cleaned(module), name: "main", modelHash: "")
    expected = try Interpreter(module).run(inputs)
    let names = compilation.program.regions.filter { $0.kind == .input }.map(\.name)
    outputs = try Simulator(chip: chip).run(compilation.program, inputs: zip(names, inputs).map { ($0, $1) })
      .map(\.tensor)
  }
}

/// Small whole numbers: exact in 16 bits, and their sums in Float in any order.
private func whole(_ shape: [Int], _ random: inout SplitMix64, _ type: ElementType = .f32) -> HostTensor {
  HostTensor(shape: shape, values: (0..<shape.reduce(1, *)).map { _ in Float(random.next(below: 9)) - 4 })
    .converted(to: type)
}

private func type(_ shape: [Int], _ element: String = "f32") -> String {
  "tensor<\(shape.map { "\($0)x" }.joined())\(element)>"
}

/// Contractions of 16-bit floats on the chip. Whole numbers give the interpreter's bits in every order of summation; others stay
/// within the error that the length of a sum allows, against sums in double precision.
@Suite(.serialized) struct FloatContractionTests {
  struct Layer: CustomTestStringConvertible {
    var x: [Int]
    var w: [Int]
    var attributes = ""
    var hasBias = true

    var testDescription: String { "\(x) * \(w) \(attributes)" }

    var isProduct: Bool { attributes.contains("transpose_b") }

    func text(_ format: String) -> String {
      let name = isProduct ? "matmul" : w.count == 4 ? "conv2d" : "fully_connected"
      let y = name == "conv2d" ? convolved : Array(x.dropLast()) + [w[w.count - 2]]
      let bias = hasBias ? ", %b" : ""
      let biasType = hasBias ? ", \(type([w[0]]))" : ""
      let text = """
        func.func @main(%x: \(type(x)), %w: \(type(w)), %b: \(type([w[0]]))) -> \(type(y)) {
          %xn = dnn.cast %x {to = \(format)} : (\(type(x))) -> \(type(x, format))
          %xf = dnn.cast %xn {to = f32} : (\(type(x, format))) -> \(type(x))
          %wn = dnn.cast %w {to = \(format)} : (\(type(w))) -> \(type(w, format))
          %wf = dnn.cast %wn {to = f32} : (\(type(w, format))) -> \(type(w))
          %y = dnn.\(name) %xf, %wf\(bias) {\(attributes)} : (\(type(x)), \(type(w))\(biasType)) -> \(type(y))
          func.return %y : \(type(y))
        }

        """
      return text
    }

    private func list(_ name: String, _ fallback: [Int]) -> [Int] {
      guard let start = attributes.range(of: "\(name) = [") else { return fallback }
      let rest = attributes[start.upperBound...]
      guard let end = rest.firstIndex(of: "]") else { return fallback }
      return rest[..<end].split(separator: ",").compactMap { Int($0.trimmingCharacters(in: .whitespaces)) }
    }

    private var convolved: [Int] {
      let (strides, pads, dilations) = (
        list("strides", [1, 1]), list("pads", [0, 0, 0, 0]), list("dilations", [1, 1])
      )
      let window = Window2D(kernel: [w[2], w[3]], strides: strides, pads: pads, dilations: dilations)
      return [x[0], w[0], window.outputExtent(x[2], dimension: 0), window.outputExtent(x[3], dimension: 1)]
    }
  }

  static let layers = [
    Layer(x: [2, 3, 9, 7], w: [5, 3, 3, 3], attributes: "pads = [1, 1, 1, 1]"),
    Layer(x: [3, 20, 6, 6], w: [33, 20, 3, 3], attributes: "pads = [1, 0, 2, 1], strides = [2, 1]"),
    Layer(x: [1, 8, 11, 11], w: [6, 4, 2, 3], attributes: "groups = 2, dilations = [2, 1]", hasBias: false),
    Layer(x: [4, 40, 1, 1], w: [70, 40, 1, 1], hasBias: false),
    Layer(x: [2, 6, 5, 5], w: [6, 1, 3, 3], attributes: "groups = 6"),
    Layer(x: [7, 130], w: [50, 130]),
    Layer(x: [2, 3, 20, 24], w: [2, 3, 50, 24], attributes: "transpose_b = true", hasBias: false),
  ]
  static let chips: [[String]] = [
    [], ["memories.spad.size=8KiB", "memories.acc.size=2KiB", "memories.acc.banks=2"],
    ["engines.array0.dataflow=os", "engines.array0.rows=4"],
    ["engines.array0.dataflow=is", "engines.array0.variant=serial", "engines.array0.pe_latency=4 cycles"],
    ["engines.array0.operands=int8-f16", "memories.spad.size=16KiB"],
  ]

  @Test(arguments: layers, chips) func wholeNumbersAreExact(_ layer: Layer, _ overrides: [String]) throws {
    let format = overrides.contains("engines.array0.operands=int8-f16") ? "f16" : "bf16"
    var random = SplitMix64(seed: StableHash.fnv1a("\(layer) \(overrides)"))
    let inputs = [whole(layer.x, &random), whole(layer.w, &random), whole([layer.w[0]], &random)]
    let run = try ChipRun(layer.text(format), inputs, overrides: overrides)
    #expect(run.outputs == run.expected)
    #expect(try run.compilation.program.verify() > 0)
    // Text and binary forms say which numbers the tiles have.
    var program = run.compilation.program
    #expect(try Program(binary: ProgramBinary.words(of: program), path: "words") == program)
    program.images = []
    #expect(program.text.contains("numbers = \"\(format)\""))
    #expect(try Program(parsing: program.text) == program)
  }

  /// Input gradients of strided convolutions: every output place of a stride with its own taps.
  @Test func transposedConvolutionsAreExact() throws {
    var random = SplitMix64(seed: 21)
    for number in 0..<30 {
      let groups = [1, 1, 2, 3][random.next(below: 4)]
      let (cg, ng) = groups == 3 ? (1, 1) : (1 + random.next(below: 6), groups == 2 ? 1 : 1 + random.next(below: 9))
      let kernel = [1 + random.next(below: 4), 1 + random.next(below: 4)]
      let strides = [1 + random.next(below: 3), 1 + random.next(below: 3)]
      let pads = (0..<4).map { random.next(below: kernel[$0 % 2]) }
      let extra = strides.map { random.next(below: $0) }
      let x = [1 + random.next(below: 2), groups * cg, 3 + random.next(below: 5), 3 + random.next(below: 5)]
      let w = [groups * cg, ng] + kernel
      func extent(_ d: Int) -> Int {
        (x[2 + d] - 1) * strides[d] + kernel[d] - pads[d] - pads[d + 2] + extra[d]
      }
      let y = [x[0], groups * ng, extent(0), extent(1)]
      guard y.allSatisfy({ $0 > 0 }) else { continue }
      let text = """
        func.func @main(%x: \(type(x)), %w: \(type(w))) -> \(type(y)) {
          %xn = dnn.cast %x {to = bf16} : (\(type(x))) -> \(type(x, "bf16"))
          %xf = dnn.cast %xn {to = f32} : (\(type(x, "bf16"))) -> \(type(x))
          %wn = dnn.cast %w {to = bf16} : (\(type(w))) -> \(type(w, "bf16"))
          %wf = dnn.cast %wn {to = f32} : (\(type(w, "bf16"))) -> \(type(w))
          %y = dnn.conv_transpose2d %xf, %wf {strides = \(strides), pads = \(pads), output_pads = \(extra), groups = \(groups)} : (\(type(x)), \(type(w))) -> \(type(y))
          %z = dnn.relu %y : \(type(y))
          func.return %z : \(type(y))
        }

        """
      for overrides in [[], ["memories.spad.size=8KiB", "engines.array0.dataflow=os"]] {
        let run = try ChipRun(text, [whole(x, &random), whole(w, &random)], overrides: overrides)
        #expect(run.outputs == run.expected, "case \(number) \(overrides)\n\(text)")
      }
    }
  }

  @Test(arguments: layers) func othersStayWithinTheErrorOfTheirSums(_ layer: Layer) throws {
    let inputs = zip(["x", "w", "b"], [layer.x, layer.w, [layer.w[0]]]).map {
      SeededValues.tensor(name: "\($0) \(layer)", shape: $1, elementType: .f32, low: -1, high: 1)
    }
    let run = try ChipRun(layer.text("bf16"), inputs, overrides: ["memories.spad.size=16KiB"])
    // Rounded operands, then everything in double precision.
    let rounded = inputs.prefix(2).map { $0.converted(to: .bf16).converted(to: .f64) }
    func contract(_ x: HostTensor, _ w: HostTensor, _ b: HostTensor) throws -> [Double] {
      let text = layer.text("f32").replacing("f32", with: "f64")
      let file = FileManager.default.temporaryDirectory.appendingPathComponent("pantile-\(UUID().uuidString).mlir")
      try text.write(to: file, atomically: true, encoding: .utf8)
      defer { try? FileManager.default.removeItem(at: file) }
      return try Interpreter(Model(contentsOf: file.path).module).run([x, w, b])[0].values(as: Double.self)
    }
    func magnitudes(_ tensor: HostTensor) -> HostTensor {
      HostTensor(shape: tensor.shape, values: tensor.values(as: Double.self).map { abs($0) })
    }
    let bias = inputs[2].converted(to: .f64)
    let exact = try contract(rounded[0], rounded[1], bias)
    let sums = try contract(magnitudes(rounded[0]), magnitudes(rounded[1]), magnitudes(bias))
    // Products are exact; a sum of n terms is off by at most n·u of its magnitudes (Higham, "Accuracy and Stability", eq. 4.4).
    let depth = layer.w.count == 4 && !layer.isProduct ? layer.w.dropFirst().reduce(1, *) : layer.w.last ?? 1
    let terms = Double(depth + 2)
    var isRounded = false
    for (found, (value, sum)) in zip(run.outputs[0].values(as: Float.self), zip(exact, sums)) {
      #expect(abs(Double(found) - value) <= terms * 0x1p-24 * 1.01 * sum)
      if Double(found) != value { isRounded = true }
    }
    #expect(isRounded)
  }

  /// Where sums run down a column, each fold of the array's rows is a chain of its own; where they stay, the reduction is one chain.
  @Test func sumsRunInTheArraysOrder() {
    var random = SplitMix64(seed: 5)
    for number in 0..<300 {
      let dataflow = SystolicOptions.Dataflow.allCases[number % 3]
      let rows = 1 + random.next(below: 9)
      let array = ArrayEngine.systolic(
        SystolicOptions(rows: rows, columns: 1 + random.next(below: 9), dataflow: dataflow, operands: .int8AndBF16))
      let extents = TileExtents(
        m: 1 + random.next(below: 6), k: 1 + random.next(below: 40), n: 1 + random.next(below: 20))
      func values(_ count: Int) -> [Float] {
        (0..<count).map { _ in
          BFloat16.value(of: BFloat16.bits(of: Float(random.next(below: 2001)) / 1000 - 1))
        }
      }
      let (a, b) = (values(extents.m * extents.k), values(extents.k * extents.n))
      let stride = extents.n + random.next(below: 3)
      let before = (0..<extents.m * stride).map { Float($0) / 7 }
      let accumulates = random.next(below: 2) == 1
      var found = before
      found.withUnsafeMutableBufferPointer { sums in
        a.withUnsafeBufferPointer { a in
          b.withUnsafeBufferPointer { b in
            array.floatFunction?(
              extents,
              FloatOperands(
                a: a.baseAddress!, b: b.baseAddress!, accumulators: sums.baseAddress!, accumulatorStride: stride),
              accumulates)
          }
        }
      }
      var expected = before
      for i in 0..<extents.m {
        for j in 0..<extents.n {
          var total = accumulates ? before[i * stride + j] : nil
          var partial: Float = 0
          for l in 0..<extents.k {
            partial += a[i * extents.k + l] * b[l * extents.n + j]
            let isLast = l == extents.k - 1
            if isLast || dataflow != .outputStationary && l % rows == rows - 1 {
              total = total.map { $0 + partial } ?? partial
              partial = 0
            }
          }
          expected[i * stride + j] = total ?? 0
        }
      }
      #expect(found == expected, "case \(number)")
    }
  }

  @Test func arraysSayWhatTheyDoNotMultiply() throws {
    let layer = Self.layers[0]
    var random = SplitMix64(seed: 1)
    let inputs = [whole(layer.x, &random), whole(layer.w, &random), whole([layer.w[0]], &random)]
    for (operands, format) in [("int8", "bf16"), ("int8-bf16", "f16"), ("int8-f16", "bf16")] {
      let error = try #require(throws: DiagnosticError.self) {
        try ChipRun(layer.text(format), inputs, overrides: ["engines.array0.operands=\(operands)"])
      }
      #expect("\(error)".contains("operands in \(format), the array takes \(operands)"), "\(error)")
    }
    // One side rounded, the other not.
    let mixed = layer.text("bf16").replacing("%xf, %wf", with: "%xf, %w")
    let error = try #require(throws: DiagnosticError.self) { try ChipRun(mixed, inputs) }
    #expect("\(error)".contains("both must be rounded alike"), "\(error)")
  }
}

/// Ops that training steps add, on the vector engine: the interpreter's bits.
@Suite(.serialized) struct TrainingOpsOnChipTests {
  private func check(_ text: String, _ inputs: [HostTensor], _ note: String = "") throws {
    for overrides in [[], ["memories.spad.size=8KiB"]] {
      let run = try ChipRun(text, inputs, overrides: overrides)
      #expect(run.outputs == run.expected, "\(note) \(overrides)\n\(text)")
    }
  }

  @Test func tapsOfMaximaAndTheWayBack() throws {
    var random = SplitMix64(seed: 11)
    for number in 0..<24 {
      let kernel = [1 + random.next(below: 3), 1 + random.next(below: 3)]
      let strides = [1 + random.next(below: 3), 1 + random.next(below: 3)]
      let pads = kernel.map { random.next(below: $0) }
      let x = [
        1 + random.next(below: 2), 1 + random.next(below: 9), 5 + random.next(below: 5), 5 + random.next(below: 5),
      ]
      let window = Window2D(kernel: kernel, strides: strides, pads: pads + [0, 0])
      let y = [x[0], x[1], window.outputExtent(x[2], dimension: 0), window.outputExtent(x[3], dimension: 1)]
      let attributes = "kernel = \(kernel), strides = \(strides), pads = \(pads + [0, 0])"
      let text = """
        func.func @main(%x: \(type(x)), %g: \(type(y))) -> (\(type(y, "ui8")), \(type(x))) {
          %t = dnn.max_pool2d_tap %x {\(attributes)} : (\(type(x))) -> \(type(y, "ui8"))
          %d = dnn.max_unpool2d %g, %t {extents = [\(x[2]), \(x[3])], \(attributes)} : (\(type(y)), \(type(y, "ui8"))) -> \(type(x))
          func.return %t, %d : \(type(y, "ui8")), \(type(x))
        }

        """
      // Many equal elements, some NaN; gradients whose sums depend on their order.
      var values = whole(x, &random).values(as: Float.self)
      if number % 4 == 3 { for index in values.indices where random.next(below: 9) == 0 { values[index] = .nan } }
      let g = SeededValues.tensor(name: "g\(number)", shape: y, elementType: .f32, low: -1, high: 1)
      try check(text, [HostTensor(shape: x, values: values), g], "case \(number)")
    }
  }

  @Test func comparisonsChoicesAndCasts() throws {
    var random = SplitMix64(seed: 3)
    let (a, b) = (whole([3, 1, 70], &random), whole([5, 70], &random))
    let wide = SeededValues.tensor(name: "wide", shape: [3, 5, 70], elementType: .f32, low: -3, high: 3)
    for name in ["equal", "less", "less_equal", "greater", "greater_equal"] {
      for element in ["f32", "i32"] {
        let (ta, tb) = (type([3, 1, 70], element), type([5, 70], element))
        let text = """
          func.func @main(%a: \(ta), %b: \(tb), %v: \(type([3, 5, 70]))) -> (\(type([3, 5, 70])), \(type([3, 5, 70], "bf16"))) {
            %c = dnn.\(name) %a, %b : (\(ta), \(tb)) -> \(type([3, 5, 70], "i1"))
            %n = dnn.neg %v : \(type([3, 5, 70]))
            %s = dnn.select %c, %v, %n : (\(type([3, 5, 70], "i1")), \(type([3, 5, 70])), \(type([3, 5, 70]))) -> \(type([3, 5, 70]))
            %h = dnn.cast %c {to = f32} : (\(type([3, 5, 70], "i1"))) -> \(type([3, 5, 70]))
            %m = dnn.add %s, %h : \(type([3, 5, 70]))
            %r = dnn.cast %m {to = bf16} : (\(type([3, 5, 70]))) -> \(type([3, 5, 70], "bf16"))
            %f = dnn.cast %r {to = f32} : (\(type([3, 5, 70], "bf16"))) -> \(type([3, 5, 70]))
            func.return %f, %r : \(type([3, 5, 70])), \(type([3, 5, 70], "bf16"))
          }

          """
        let type: ElementType = element == "f32" ? .f32 : .i32
        try check(text, [a.converted(to: type), b.converted(to: type), wide], name)
      }
    }
  }

  /// Inside a chip a truth value is a byte; what a caller gives or gets has the type that the function says.
  @Test(arguments: [
    ("%c: tensor<4xi1>, %x: tensor<4xf32>", "tensor<4xf32>", "input 'c' is of type i1"),
    ("%x: tensor<4xf32>", "tensor<4xi1>", "output 'y' is of type i1"),
  ])
  func truthValuesStayInside(_ inputs: String, _ output: String, _ message: String) throws {
    let isInput = inputs.contains("%c")
    let body =
      isInput
      ? "%y = dnn.select %c, %x, %x : (tensor<4xi1>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>"
      : "%y = dnn.less %x, %x : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xi1>"
    let text = """
      func.func @main(\(inputs)) -> \(output) {
        \(body)
        func.return %y : \(output)
      }

      """
    let x = HostTensor(shape: [4], values: [Float(1), 2, 3, 4])
    let given = isInput ? [x.converted(to: .i1), x] : [x]
    let error = try #require(throws: DiagnosticError.self) { try ChipRun(text, given) }
    #expect(error.codes == ["unsupported"] && "\(error)".contains(message), "\(error)")
  }

  @Test func logarithmsScalarsAndBackwardSlices() throws {
    let x = SeededValues.tensor(name: "x", shape: [6, 13], elementType: .f32, low: -5, high: 5)
    let w = SeededValues.tensor(name: "w", shape: [7, 6, 3, 4], elementType: .f32, low: -1, high: 1)
    let text = """
      func.func @main(%x: tensor<6x13xf32>, %w: tensor<7x6x3x4xf32>) -> (tensor<6x13xf32>, tensor<f32>, tensor<7x6x3x2xf32>, tensor<6x7x4x3xf32>) {
        %c = dnn.constant {value = dense<-2.500000e-01> : tensor<f32>} : tensor<f32>
        %l = dnn.log_softmax %x {axis = 1} : tensor<6x13xf32>
        %s = dnn.reduce_sum %l {axes = [0, 1], keepdims = false} : (tensor<6x13xf32>) -> tensor<f32>
        %m = dnn.mul %s, %c : tensor<f32>
        %b = dnn.slice %w {ends = [7, 6, -1, -1], starts = [0, 0, 2, 3], steps = [1, 1, -1, -2]} : (tensor<7x6x3x4xf32>) -> tensor<7x6x3x2xf32>
        %n = dnn.cast %w {to = bf16} : (tensor<7x6x3x4xf32>) -> tensor<7x6x3x4xbf16>
        %f = dnn.cast %n {to = f32} : (tensor<7x6x3x4xbf16>) -> tensor<7x6x3x4xf32>
        %r = dnn.reshape %f {shape = [1, 7, 6, 3, 4]} : (tensor<7x6x3x4xf32>) -> tensor<1x7x6x3x4xf32>
        %t = dnn.transpose %r {perm = [0, 2, 1, 4, 3]} : (tensor<1x7x6x3x4xf32>) -> tensor<1x6x7x4x3xf32>
        %u = dnn.reshape %t {shape = [6, 7, 4, 3]} : (tensor<1x6x7x4x3xf32>) -> tensor<6x7x4x3xf32>
        %v = dnn.slice %u {ends = [6, 7, -1, -1], starts = [0, 0, 3, 2], steps = [1, 1, -1, -1]} : (tensor<6x7x4x3xf32>) -> tensor<6x7x4x3xf32>
        func.return %l, %m, %b, %v : tensor<6x13xf32>, tensor<f32>, tensor<7x6x3x2xf32>, tensor<6x7x4x3xf32>
      }

      """
    try check(text, [x, w])
  }
}

/// Whole training steps on the chip.
@Suite(.serialized) struct TrainingStepOnChipTests {
  static let text = """
    func.func @main(%x: tensor<3x2x8x8xf32>) -> tensor<3x5xf32> {
      %w1 = dnn.constant {value = dense<1.000000e+00> : tensor<6x2x3x3xf32>} : tensor<6x2x3x3xf32>
      %b1 = dnn.constant {value = dense<1.000000e+00> : tensor<6xf32>} : tensor<6xf32>
      %w2 = dnn.constant {value = dense<1.000000e+00> : tensor<5x96xf32>} : tensor<5x96xf32>
      %c = dnn.conv2d %x, %w1, %b1 {pads = [1, 1, 1, 1]} : (tensor<3x2x8x8xf32>, tensor<6x2x3x3xf32>, tensor<6xf32>) -> tensor<3x6x8x8xf32> loc("conv")
      %r = dnn.relu %c : tensor<3x6x8x8xf32> loc("relu")
      %p = dnn.max_pool2d %r {kernel = [2, 2], strides = [2, 2]} : (tensor<3x6x8x8xf32>) -> tensor<3x6x4x4xf32> loc("pool")
      %f = dnn.reshape %p {shape = [3, 96]} : (tensor<3x6x4x4xf32>) -> tensor<3x96xf32>
      %y = dnn.fully_connected %f, %w2 : (tensor<3x96xf32>, tensor<5x96xf32>) -> tensor<3x5xf32> loc("fc")
      func.return %y : tensor<3x5xf32>
    }

    """

  /// With whole numbers every sum of the step is exact, so that chip and interpreter must agree in every bit of every weight.
  @Test(arguments: [[], ["memories.spad.size=8KiB", "engines.array0.dataflow=os"]])
  func wholeNumbersAreExact(_ overrides: [String]) throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("pantile-\(UUID().uuidString).mlir")
    try Self.text.write(to: file, atomically: true, encoding: .utf8)
    defer { try? FileManager.default.removeItem(at: file) }
    var options = GradOptions()
    options.loss = .innerProduct
    options.format = .bf16
    options.learningRate = 0.5
    options.momentum = 0.5
    let module = try PassManager(PassPipeline([.init(.grad, options)]), registry: Dialects.registry).run(
      try Model(contentsOf: file.path).module
    ).module
    var random = SplitMix64(seed: 9)
    let main = try module.mainFunction()
    let inputs = try module.inputs(of: main).map { value in
      let type = try module.tensor(of: value)
      return whole(type.shape, &random)
    }
    let run = try ChipRun(module, inputs, overrides: overrides)
    #expect(run.outputs.count == run.expected.count && run.outputs.count == 7)
    #expect(run.outputs == run.expected)
  }

  /// Strides, a residual block, an average: a network whose tensors are far larger than the scratchpad, as the interpreter has it.
  @Test func residualNetworksTrainInSmallScratchpads() throws {
    let model = try Model(contentsOf: "\(ChipEqualsReferenceTests.root)/Workloads/models/resnet8/resnet8.mlir")
    let images = SeededValues.tensor(name: "images", shape: [2, 3, 32, 32], elementType: .f32, low: -1, high: 1)
    let labels = HostTensor(shape: [2], values: [Int64(3), 7])
    var options = Trainer.Options()
    options.batch = 2
    options.startsAnew = true
    options.grad.format = .bf16
    let found = try Trainer(
      model.module, options: options, chip: ChipRun.chip(["memories.spad.size=64KiB", "memories.acc.size=16KiB"])
    ).run(images: images, labels: labels)
    let expected = try Trainer(model.module, options: options).run(images: images, labels: labels)
    #expect(abs(found.epochs[0].loss - expected.epochs[0].loss) < 1e-3 * expected.epochs[0].loss)
    // Every weight moved by a gradient that is the interpreter's but for rounding.
    for (own, reference) in zip(found.parameters, expected.parameters) {
      let pairs = zip(own.values(as: Float.self), reference.values(as: Float.self))
      let error = pairs.reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
      let largest = reference.values(as: Float.self).reduce(Float(0)) { max($0, abs($1)) }
      #expect(error <= 5e-2 * largest, "\(own.shape): \(error) of \(largest)")
    }
  }

  /// An epoch of a few images: losses as the interpreter has them, equal bits whatever the run.
  @Test func trainerRunsOnTheChip() throws {
    let folder = "\(ChipEqualsReferenceTests.root)/Workloads/models/digits-cnn"
    let model = try Model(contentsOf: "\(folder)/digits-cnn.onnx")
    let all = try NPY.read("\(folder)/training-images.npy").converted(to: .f32)
    let images = HostTensor(
      shape: [10] + all.shape.dropFirst(),
      values: Array(all.values(as: Float.self).prefix(all.count / all.shape[0] * 10)))
    let labels = HostTensor(
      shape: [10], values: Array(try NPY.read("\(folder)/training-labels.npy").integers.prefix(10)).map { Int64($0) })
    var options = Trainer.Options()
    options.batch = 4
    options.startsAnew = true
    options.grad.format = .bf16
    options.grad.learningRate = 0.005
    options.grad.momentum = 0.9
    let chip = try ChipRun.chip()
    let trainer = try Trainer(model.module, options: options, chip: chip)
    let found = try trainer.run(images: images, labels: labels, test: (images, labels))
    let again = try trainer.run(images: images, labels: labels, test: (images, labels))
    let expected = try Trainer(model.module, options: options).run(
      images: images, labels: labels, test: (images, labels))
    #expect(found.parameters == again.parameters)
    #expect(found.steps == 3 && expected.chip == nil)
    #expect(abs(found.epochs[0].loss - expected.epochs[0].loss) < 2e-3 * expected.epochs[0].loss)
    let step = try #require(found.chip)
    #expect(step.kinds.reduce(0) { $0 + $1.cycles } >= step.cycles && step.picojoules > 0)
    options.grad.format = .f32
    let error = try #require(throws: DiagnosticError.self) { try Trainer(model.module, options: options, chip: chip) }
    #expect(error.codes == ["option-conflict"])
  }
}
