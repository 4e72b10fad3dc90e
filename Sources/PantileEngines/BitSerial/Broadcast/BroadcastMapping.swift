import PantileProblem

/// The planning cost of a command on a bit-serial machine with broadcast operands, whatever the values.
enum BroadcastMapping {
  static func mapping(_ machine: BitSerialMachine, _ tile: TileExpr, step: Int) -> ArrayMapping {
    let folds = CostExpr.ceilDiv(tile.n, machine.rows) * .ceilDiv(tile.m, machine.columns)
    let stream = CostExpr.ceilDiv(tile.k, machine.dotWidth) * step
    let hops = (machine.rows - 1) / machine.tileRows + (machine.columns - 1) / machine.tileColumns
    let wayIn = hops + machine.pipelineDepth
    let wayOut = machine.drainPorts == 0 ? 0 : (machine.tileRows + machine.drainPorts - 1) / machine.drainPorts
    let cycles =
      switch machine.variant {
      case .serial: folds * (stream + (wayIn + wayOut))
      // The first fold waits for no results: it is as long as its steps.
      case .overlapped: (folds - .one) * .max(stream, .constant(wayOut)) + stream + (wayIn + wayOut)
      }
    return ArrayMapping(cycles: cycles, interval: cycles)
  }
}
