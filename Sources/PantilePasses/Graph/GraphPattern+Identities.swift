import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

extension GraphPattern {
  /// Ops that change nothing.
  static let identities: [GraphPattern] = [
    GraphPattern(
      "drop-identity",
      ["dnn.reshape", "dnn.cast", "dnn.transpose", "dnn.pad", "dnn.slice", "dnn.expand", "dnn.tile", "dnn.concat"],
      "a movement of elements that moves none vanishes"
    ) { rewrite, op throws(DiagnosticError) in
      let x = rewrite.module.operands(of: op)[0]
      guard rewrite.module.type(of: x) == rewrite.module.type(of: rewrite.module.results(of: op)[0]) else {
        return false
      }
      guard try isIdentity(rewrite.module[op]) else { return false }
      rewrite.replace(op, with: [x])
      return true
    },
    GraphPattern(
      "drop-neutral", ["dnn.add", "dnn.sub", "dnn.mul", "dnn.div"], "adding 0 and multiplying by 1 vanish"
    ) { rewrite, op throws(DiagnosticError) in
      let view = rewrite.module[op]
      let neutral = view.name == "dnn.add" || view.name == "dnn.sub" ? 0.0 : 1.0
      let isCommutative = view.name == "dnn.add" || view.name == "dnn.mul"
      let operands = view.operands
      let type = view.resultType
      for (x, other) in [(operands[0], operands[1]), (operands[1], operands[0])] {
        if x == operands[1], !isCommutative { continue }
        guard rewrite.module.type(of: x) == type, try rewrite.splat(other) == neutral else { continue }
        rewrite.replace(op, with: [x])
        return true
      }
      return false
    },
    GraphPattern(
      "drop-expand", ["dnn.add", "dnn.sub", "dnn.mul", "dnn.div", "dnn.max", "dnn.min"],
      "an elementwise op broadcasts by itself, so an expansion before it vanishes"
    ) { rewrite, op throws(DiagnosticError) in
      let operands = rewrite.module.operands(of: op)
      for index in operands.indices {
        guard let expand = rewrite.maker(operands[index], "dnn.expand") else { continue }
        let source = rewrite.module.operands(of: expand)[0]
        let other = try rewrite.module.tensor(of: operands[1 - index])
        let small = try rewrite.module.tensor(of: source)
        let result = try rewrite.module[op].resultTensor()
        guard HostTensor.broadcastShape(small.shape, other.shape) == result.shape else { continue }
        rewrite.setOperand(of: op, index, to: source)
        rewrite.fuseLocation(of: op, with: rewrite.module.location(of: expand))
        return true
      }
      return false
    },
  ]

  /// Whether an op of `drop-identity` with equal operand and result types moves nothing.
  private static func isIdentity(_ op: OpView) throws(DiagnosticError) -> Bool {
    switch op.name {
    case "dnn.reshape", "dnn.cast", "dnn.expand": return true
    case "dnn.transpose":
      let perm = try op.integers("perm")
      return perm == Array(perm.indices)
    case "dnn.pad":
      return try (op.integers("low") + op.integers("high")).allSatisfy { $0 == 0 }
    case "dnn.slice": return try op.integers("steps").allSatisfy { $0 > 0 }
    case "dnn.tile": return try op.integers("repeats").allSatisfy { $0 == 1 }
    case "dnn.concat": return op.operands.count == 1
    default: return false
    }
  }

  /// Reshapes and transposes.
  static let shapes: [GraphPattern] = [
    GraphPattern("merge-reshapes", ["dnn.reshape"], "of two reshapes in a row the last decides") {
      rewrite, op throws(DiagnosticError) in
      guard let first = rewrite.maker(rewrite.module.operands(of: op)[0], "dnn.reshape") else { return false }
      rewrite.setOperand(of: op, 0, to: rewrite.module.operands(of: first)[0])
      rewrite.fuseLocation(of: op, with: rewrite.module.location(of: first))
      return true
    },
    GraphPattern(
      "gather-to-slice", ["dnn.gather"], "taking neighbours along an axis by constant indices is a slice"
    ) { rewrite, op throws(DiagnosticError) in
      let view = rewrite.module[op]
      guard let indices = try rewrite.module.constantTensor(view.operands[1]), indices.count > 0 else { return false }
      let shape = try view.operandTensor(0).shape
      let axis = try view.integer("axis")
      let places = (0..<indices.count).map { index in
        let place = Int(indices.double(at: index))
        return place < 0 ? place + shape[axis] : place
      }
      guard places.allSatisfy((0..<shape[axis]).contains), zip(places, places.dropFirst()).allSatisfy({ $0 + 1 == $1 })
      else { return false }
      var (starts, ends) = ([Int](repeating: 0, count: shape.count), shape)
      (starts[axis], ends[axis]) = (places[0], places[0] + places.count)
      let slice = try rewrite.insertValue(
        "dnn.slice", [view.operands[0]],
        ["starts": .integers(starts), "ends": .integers(ends), "steps": .integers(shape.map { _ in 1 })],
        at: .before(op), location: view.location)
      try rewrite.replace(op, by: "dnn.reshape", [slice], ["shape": .integers(try view.resultTensor().shape)])
      return true
    },
    GraphPattern("merge-transposes", ["dnn.transpose"], "two transposes in a row are one") {
      rewrite, op throws(DiagnosticError) in
      guard let first = rewrite.maker(rewrite.module.operands(of: op)[0], "dnn.transpose") else { return false }
      let inner = try rewrite.module[first].integers("perm")
      let outer = try rewrite.module[op].integers("perm")
      rewrite.setOperand(of: op, 0, to: rewrite.module.operands(of: first)[0])
      rewrite.setAttribute(of: op, "perm", .integers(outer.map { inner[$0] }))
      rewrite.fuseLocation(of: op, with: rewrite.module.location(of: first))
      return true
    },
    GraphPattern("transpose-to-reshape", ["dnn.transpose"], "a transpose that keeps the elements in order is a reshape")
    {
      rewrite, op throws(DiagnosticError) in
      let view = rewrite.module[op]
      let x = try view.operandTensor(0)
      let moved = try view.integers("perm").filter { x.shape[$0] != 1 }
      guard moved == moved.sorted() else { return false }
      try rewrite.replace(
        op, by: "dnn.reshape", [view.operands[0]], ["shape": .integers(try view.resultTensor().shape)])
      return true
    },
    GraphPattern(
      "global-pool", ["dnn.reduce_mean", "dnn.reduce_max"],
      "a reduction over all of each image's plane is a global pool"
    ) { rewrite, op throws(DiagnosticError) in
      let view = rewrite.module[op]
      let x = try view.operandTensor(0)
      let isMean = view.name == "dnn.reduce_mean"
      guard x.rank == 4, try view.integers("axes").sorted() == [2, 3] else { return false }
      if isMean, !(ElementType(x.element)?.isFloat ?? false) { return false }
      let result = try view.resultTensor()
      let name = isMean ? "dnn.global_avg_pool" : "dnn.global_max_pool"
      let location = view.location
      let operands = view.operands
      let pooled = try rewrite.insertValue(name, operands, at: .before(op), location: location)
      if try rewrite.module.tensor(of: pooled).shape == result.shape {
        rewrite.replace(op, with: [pooled])
      } else {
        try rewrite.replace(op, by: "dnn.reshape", [pooled], ["shape": .integers(result.shape)])
      }
      return true
    },
  ]
}
