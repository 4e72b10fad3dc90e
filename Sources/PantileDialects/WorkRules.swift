import PantileIR
import PantileProblem
import PantileSupport
import PantileTensor
import PantileText

// Loop nests of the op families. Activations of rank 4 stand as the chips hold them, channels innermost: `[N, H, W, C]`,
// filters as `[R, S, C, M]`; other tensors in their logical order.
extension OpView {
  func workOperand(
    _ name: String, _ kind: Work.Operand.Kind, _ axes: [AccessMap.Axis], _ type: TypeSyntax
  ) throws(DiagnosticError) -> Work.Operand {
    let element = try ElementType(type, at: location)
    return Work.Operand(
      name, kind: kind, map: AccessMap(axes), format: element.rawValue, elementBits: element.bitWidth)
  }

  /// One output element from the input elements at the same place, with broadcasting.
  func elementwiseWork() throws(DiagnosticError) -> Work? {
    let output = try resultTensor()
    guard output.count > 0 else { return nil }
    let dims = output.shape.enumerated().map { Work.Dim("d\($0.offset)", extent: $0.element, role: .row) }
    var operands: [Work.Operand] = []
    for index in self.operands.indices {
      let type = try operandTensor(index)
      let lead = output.rank - type.rank
      guard lead >= 0 else { return nil }
      let axes = type.shape.enumerated().map { axis, size in
        size == 1 && output.shape[lead + axis] != 1
          ? AccessMap.Axis([], extent: 1) : AccessMap.Axis(dim: lead + axis, extent: size)
      }
      operands.append(try workOperand("x\(index)", .read, axes, type.element))
    }
    operands.append(
      try workOperand(
        "y", .write, output.shape.enumerated().map { AccessMap.Axis(dim: $0.offset, extent: $0.element) },
        output.element))
    return Work(kind: .elementwise, dims: dims, operands: operands)
  }

  /// The first operand reduced over some axes; with `keepsShape` every point is written again (softmax, norms).
  func reductionWork(axes reduced: [Int], keepsShape: Bool = false) throws(DiagnosticError) -> Work? {
    let input = try operandTensor(0)
    let output = try resultTensor()
    guard input.count > 0 else { return nil }
    let dims = input.shape.enumerated().map {
      Work.Dim("d\($0.offset)", extent: $0.element, role: reduced.contains($0.offset) ? .reduced : .row)
    }
    let read = input.shape.enumerated().map { AccessMap.Axis(dim: $0.offset, extent: $0.element) }
    let write = keepsShape ? read : read.enumerated().filter { !reduced.contains($0.offset) }.map(\.element)
    return Work(
      kind: .reduction, dims: dims,
      operands: [
        try workOperand("x", .read, read, input.element), try workOperand("y", .write, write, output.element),
      ])
  }

  /// A window over an image, one channel at a time.
  func poolWork(kernel: [Int]) throws(DiagnosticError) -> Work? {
    let x = try operandTensor(0)
    let y = try resultTensor()
    guard x.count > 0, y.count > 0 else { return nil }
    let strides = try integers("strides", default: [1, 1])
    let pads = try integers("pads", default: [0, 0, 0, 0])
    let dilations = try integers("dilations", default: [1, 1])
    let dims: [Work.Dim] = [
      .init("n", extent: y.shape[0], role: .row), .init("p", extent: y.shape[2], role: .row),
      .init("q", extent: y.shape[3], role: .row), .init("c", extent: y.shape[1], role: .batch),
      .init("r", extent: kernel[0], role: .reduced), .init("s", extent: kernel[1], role: .reduced),
    ]
    let rows = AccessMap.Axis(
      [.init(dim: 1, coefficient: strides[0]), .init(dim: 4, coefficient: dilations[0])], offset: -pads[0],
      extent: x.shape[2])
    let columns = AccessMap.Axis(
      [.init(dim: 2, coefficient: strides[1]), .init(dim: 5, coefficient: dilations[1])], offset: -pads[1],
      extent: x.shape[3])
    return Work(
      kind: .reduction, dims: dims,
      operands: [
        try workOperand(
          "x", .read, [.init(dim: 0, extent: x.shape[0]), rows, columns, .init(dim: 3, extent: x.shape[1])],
          x.element),
        try workOperand(
          "y", .write,
          [
            .init(dim: 0, extent: y.shape[0]), .init(dim: 1, extent: y.shape[2]), .init(dim: 2, extent: y.shape[3]),
            .init(dim: 3, extent: y.shape[1]),
          ], y.element),
      ])
  }
}
