import PantileDialects
import PantileIR
import PantilePasses
import PantileSupport
import PantileTensor
import PantileText
import Testing

@Suite struct PruneTests {
  static func text(_ attribute: String = "#dnn.seeded<\"w\", -1.0, 1.0>") -> String {
    """
    func.func @main(%x: tensor<1x4x5x5xf32>) -> tensor<1x6x5x5xf32> {
      %a = dnn.constant {value = #dnn.seeded<"a", -1.0, 1.0>} : tensor<8x4x1x1xf32>
      %w = dnn.constant {value = \(attribute)} : tensor<6x8x3x3xf32>
      %d = dnn.constant {value = #dnn.seeded<"d", -1.0, 1.0>} : tensor<6x1x3x3xf32>
      %z = dnn.constant {value = #dnn.seeded<"z", -1.0, 1.0>} : tensor<6x6x1x1xf32>
      %1 = dnn.conv2d %x, %a : (tensor<1x4x5x5xf32>, tensor<8x4x1x1xf32>) -> tensor<1x8x5x5xf32> loc("first")
      %2 = dnn.conv2d %1, %w {pads = [1, 1, 1, 1]} : (tensor<1x8x5x5xf32>, tensor<6x8x3x3xf32>) -> tensor<1x6x5x5xf32> loc("inner")
      %3 = dnn.conv2d %2, %d {pads = [1, 1, 1, 1], groups = 6} : (tensor<1x6x5x5xf32>, tensor<6x1x3x3xf32>) -> tensor<1x6x5x5xf32> loc("depthwise")
      %4 = dnn.conv2d %3, %z : (tensor<1x6x5x5xf32>, tensor<6x6x1x1xf32>) -> tensor<1x6x5x5xf32> loc("last")
      func.return %4 : tensor<1x6x5x5xf32>
    }
    """
  }

  /// The weights of the contraction of that name.
  private func weights(_ module: Module, _ name: String) throws -> (tensor: HostTensor?, type: TensorType) {
    let op = try #require(
      module.ops(inBodyOf: try module.mainFunction()).first {
        module.location(of: $0).names.contains(name) && !module.isConstant($0)
      })
    let value = module.operands(of: op)[1]
    return (try module.constantTensor(value), try module.tensor(of: value))
  }

  /// Nonzeros of each group of input channels at one tap.
  private func groupCounts(_ tensor: HostTensor, _ group: Int) -> [Int] {
    let (m, c, taps) = (tensor.shape[0], tensor.shape[1], tensor.shape[2] * tensor.shape[3])
    var counts: [Int] = []
    for row in 0..<m {
      for tap in 0..<taps {
        for first in stride(from: 0, to: c, by: group) {
          counts.append((first..<min(first + group, c)).count { tensor.double(at: (row * c + $0) * taps + tap) != 0 })
        }
      }
    }
    return counts
  }

  @Test(arguments: [(1, 2), (2, 4), (1, 4), (2, 8), (4, 8), (1, 8)])
  func keepsTheLargestOfEachGroup(_ kept: Int, _ group: Int) throws {
    let module = try Module(verifying: Self.text(), path: "t.mlir")
    let outcome = try run("prune-nm{pattern=\(kept):\(group)}", module)
    let (before, _) = try weights(module, "inner")
    let (after, type) = try weights(outcome.module, "inner")
    #expect(type.encoding == .dialect("dnn.nm<\(kept):\(group)>"))
    let old = try #require(before)
    let new = try #require(after)
    #expect(groupCounts(new, group).allSatisfy { $0 == kept })
    var kepts = 0.0
    var all = 0.0
    for i in 0..<old.count {
      let (a, b) = (old.double(at: i), new.double(at: i))
      #expect(b == 0 || a == b)
      all += a * a
      kepts += b * b
      // No dropped weight is larger than a kept one of its group.
      guard b == 0 else { continue }
      let taps = 9
      let channel = i / taps % 8
      let first = channel / group * group
      let base = i - channel * taps
      for other in first..<(first + group) where new.double(at: base + other * taps) != 0 {
        #expect(new.double(at: base + other * taps).magnitude >= a.magnitude)
      }
    }
    let report = try #require(outcome.artifacts[PruneReport.self])
    let energy = try #require(report.layers[1].retainedEnergy)
    #expect((energy - kepts / all).magnitude < 1e-9)
  }

  @Test func denseLayersSayWhy() throws {
    let outcome = try run("prune-nm{pattern=2:8}", Module(verifying: Self.text(), path: "t.mlir"))
    let report = try #require(outcome.artifacts[PruneReport.self])
    #expect(report.layers.map(\.isPruned) == [false, true, false, false])
    #expect(report.layers[0].reason?.contains("4 input channels") == true)
    #expect(report.layers[2].reason?.contains("depthwise") == true)
    #expect(report.layers[3].reason?.contains("6 input channels") == true)
    #expect(outcome.diagnostics.map(\.code) == ["nm-dense", "nm-pruned", "nm-dense", "nm-dense"])
    let narrow = try run("prune-nm", Module(verifying: Self.text(), path: "t.mlir"))
    let layers = try #require(narrow.artifacts[PruneReport.self]).layers
    #expect(layers[0].reason?.contains("first") == true && layers[3].reason?.contains("last") == true)
    let all = try run("prune-nm{all skip=inner}", Module(verifying: Self.text(), path: "t.mlir"))
    #expect(try #require(all.artifacts[PruneReport.self]).layers.map(\.isPruned) == [true, false, false, true])
  }

  @Test func theLastGroupIsPadded() throws {
    let module = try Module(verifying: Self.text(), path: "t.mlir")
    let outcome = try run("prune-nm{pattern=2:4 all}", module)
    let (tensor, _) = try weights(outcome.module, "last")
    // Six channels: a whole group and two of four; both of these stay.
    #expect(groupCounts(try #require(tensor), 4).enumerated().allSatisfy { $0.element == 2 })
  }

  @Test func equalMagnitudesKeepTheLowerChannel() throws {
    let module = try Module(verifying: Self.text("dense<-1.0> : tensor<6x8x3x3xf32>"), path: "t.mlir")
    let outcome = try run("prune-nm", module)
    let tensor = try #require(try weights(outcome.module, "inner").tensor)
    for i in 0..<tensor.count { #expect(tensor.double(at: i) == (i / 9 % 4 < 2 ? -1 : 0)) }
  }

  @Test func quantisedWeightsKeepZerosAndMark() throws {
    let module = try Module(verifying: Self.text(), path: "t.mlir")
    var options = GraphPipeline.Options()
    options.prune = PruneNMOptions()
    let result = try GraphPipeline.integer(module, options: options)
    let (tensor, type) = try weights(result.module, "inner")
    #expect(type.element == .i8 && type.encoding == .dialect("dnn.nm<2:4>"))
    #expect(groupCounts(try #require(tensor), 4).allSatisfy { $0 <= 2 })
    #expect(result.pruning?.layers.count == 4)
    // A model that comes quantised is pruned in integers.
    let pairs = try GraphPipeline.quantized(module).module
    let pruned = try run("prune-nm,lower-qdq", pairs).module
    let (integers, integerType) = try weights(pruned, "inner")
    #expect(integerType.encoding == .dialect("dnn.nm<2:4>") && integerType.element == .i8)
    #expect(groupCounts(try #require(integers), 4).allSatisfy { $0 <= 2 })
  }

  @Test func absentWeightsAreMarked() throws {
    let module = try Module(verifying: Self.text("dense_resource<w> : tensor<6x8x3x3xf32>"), path: "t.mlir")
    let outcome = try run("prune-nm", module)
    let (tensor, type) = try weights(outcome.module, "inner")
    #expect(tensor == nil && type.encoding == .dialect("dnn.nm<2:4>"))
  }

  @Test(arguments: [
    ("prune-nm{pattern=3:2}", "option-value"), ("prune-nm{pattern=2:5}", "option-value"),
    ("prune-nm{skip=inne}", "unknown-node"),
  ])
  func wrongOptionsHaveTheirCode(_ passes: String, _ code: String) throws {
    let module = try Module(verifying: Self.text(), path: "t.mlir")
    #expect { try run(passes, module) } throws: { ($0 as? DiagnosticError)?.codes == [code] }
  }

  @Test func infiniteWeightsAreRefused() throws {
    let module = try Module(verifying: Self.text("dense<0x7F800000> : tensor<6x8x3x3xf32>"), path: "t.mlir")
    #expect { try run("prune-nm", module) } throws: { error in
      let diagnostics = (error as? DiagnosticError)?.diagnostics ?? []
      return diagnostics.map(\.code) == ["not-finite"] && diagnostics[0].location.names == ["inner"]
    }
  }
}
