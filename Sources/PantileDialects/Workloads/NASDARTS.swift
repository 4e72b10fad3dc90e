import PantileIR
import PantileSupport
import PantileText

extension Workload {
  /// A network of two searched cells: separable and dilated convolutions, skips, both pools, concatenation.
  public static let nasDARTS = Workload(
    "nas-darts", summary: "DARTS-like network: CIFAR cells with irregular wiring on 3x32x32, 10 classes",
    source:
      "Liu, Simonyan, Yang, \"DARTS: differentiable architecture search\", ICLR 2019, figures 4 and 5: normal cell of the "
      + "second order, reduction cell of the first order; 8 cells from 16 channels"
  ) { () throws(DiagnosticError) -> Module in
    try DARTSNetwork(normal: .secondOrderNormal, reduction: .firstOrderReduction, cells: 8, channels: 16).module()
  }
}

/// What a searched cell computes: for each of four nodes two (operation, source) pairs; sources 0 and 1 are the two inputs,
/// 2 … 5 the nodes; the output joins all nodes.
public struct DARTSCell: Sendable {
  public enum Operation: Sendable {
    case separable3, dilated3, skip, maxPool3, avgPool3
  }
  public var edges: [(operation: Operation, source: Int)]

  public static let secondOrderNormal = DARTSCell(edges: [
    (.separable3, 0), (.separable3, 1), (.separable3, 0), (.separable3, 1), (.separable3, 1), (.skip, 0), (.skip, 0),
    (.dilated3, 2),
  ])
  public static let secondOrderReduction = DARTSCell(edges: [
    (.maxPool3, 0), (.maxPool3, 1), (.skip, 2), (.maxPool3, 1), (.maxPool3, 0), (.skip, 2), (.skip, 2), (.maxPool3, 1),
  ])
  public static let firstOrderReduction = DARTSCell(edges: [
    (.maxPool3, 0), (.maxPool3, 1), (.skip, 2), (.maxPool3, 0), (.maxPool3, 0), (.skip, 2), (.skip, 2), (.avgPool3, 0),
  ])
}

/// A stack of cells, with reductions at one and two thirds of the depth.
///
/// Two things differ from the paper's code: a shape change is a 1x1 convolution of stride 2 (same weights as its pair of
/// shifted half-width convolutions), and the mean pool counts padding.
public struct DARTSNetwork: Sendable {
  public var normal: DARTSCell
  public var reduction: DARTSCell
  public var cells: Int
  public var channels: Int

  public init(normal: DARTSCell, reduction: DARTSCell, cells: Int, channels: Int) {
    self.normal = normal
    self.reduction = reduction
    self.cells = cells
    self.channels = channels
  }

  /// - Throws: only when the builder itself is wrong.
  public func module() throws(DiagnosticError) -> Module {
    var net = try NetworkBuilder("nas_darts", input: [1, 3, 32, 32])
    let stem = try net.conv(net.input, 3 * channels, .init(3), name: "stem")
    var previous = (stem, stem)
    var width = channels
    var previousReduces = false
    for index in 0..<cells {
      let reduces = index == cells / 3 || index == 2 * cells / 3
      if reduces { width *= 2 }
      let output = try cell(
        &net, previous.0, previous.1, width: width, reduces: reduces, previousReduces: previousReduces,
        name: "cells.\(index)")
      previous = (previous.1, output)
      previousReduces = reduces
    }
    return try net.finish(try net.classifier(previous.1, classes: 10))
  }

  private func cell(
    _ net: inout NetworkBuilder, _ s0: ValueID, _ s1: ValueID, width: Int, reduces: Bool, previousReduces: Bool,
    name: String
  ) throws(DiagnosticError) -> ValueID {
    let gain = NetworkBuilder.beforeRelu
    var states: [ValueID] = []
    for (index, source) in [s0, s1].enumerated() {
      let active = try net.relu(source, name: "\(name).pre\(index).relu")
      let stride = index == 0 && previousReduces ? 2 : 1
      states.append(
        try net.conv(active, width, .init(1, stride: stride), gain: gain, name: "\(name).pre\(index)"))
    }
    let edges = (reduces ? reduction : normal).edges
    for node in 0..<edges.count / 2 {
      var terms: [ValueID] = []
      for (operation, source) in edges[2 * node..<2 * node + 2] {
        let stride = reduces && source < 2 ? 2 : 1
        terms.append(
          try apply(
            operation, &net, states[source], stride: stride, width: width, name: "\(name).node\(node).\(terms.count)"))
      }
      states.append(try net.add(terms[0], terms[1], name: "\(name).node\(node)"))
    }
    return try net.op("dnn.concat", Array(states[2...]), ["axis": 1], name: name)
  }

  private func apply(
    _ operation: DARTSCell.Operation, _ net: inout NetworkBuilder, _ x: ValueID, stride: Int, width: Int, name: String
  ) throws(DiagnosticError) -> ValueID {
    /// relu, depthwise, pointwise (with the folded normalisation).
    func separable(_ x: ValueID, _ window: NetworkBuilder.Window, _ part: String) throws(DiagnosticError) -> ValueID {
      let active = try net.relu(x, name: "\(name)\(part).relu")
      let spatial = try net.depthwise(
        active, window, hasBias: false, gain: 2.0.squareRoot(), name: "\(name)\(part).depthwise")
      return try net.conv(spatial, width, .init(1), gain: NetworkBuilder.residual, name: "\(name)\(part).pointwise")
    }
    switch operation {
    case .separable3: return try separable(try separable(x, .init(3, stride: stride), ".a"), .init(3), ".b")
    case .dilated3: return try separable(x, .init(3, stride: stride, dilation: 2), "")
    case .maxPool3: return try net.pool("max", x, .init(3, stride: stride), name: name)
    case .avgPool3: return try net.pool("avg", x, .init(3, stride: stride), name: name)
    case .skip:
      guard stride > 1 else { return x }
      let active = try net.relu(x, name: "\(name).relu")
      return try net.conv(active, width, .init(1, stride: stride), name: name)
    }
  }
}
