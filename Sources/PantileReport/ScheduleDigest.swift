import PantileProgram
import PantileSupport

/// One digest a layer over everything that its commands say: engines, loops, addresses, waits and signals.
///
/// Equal digests mean the same commands; a digest that moved without moved cycles is still a changed schedule.
public enum ScheduleDigest {
  /// Sixteen hexadecimal digits for each layer of `program`, in layer order.
  public static func layers(of program: Program) -> [String] {
    program.layers.indices.map { layer in
      var part = program
      part.images = []
      for queue in part.queues.indices { part.queues[queue].body = keep(part.queues[queue].body, layer: layer) }
      part.queues.removeAll(where: \.body.isEmpty)
      // Declarations are the same for all layers: only the queues say what this one does.
      let lines = part.text.split(separator: "\n").drop { !$0.contains("\"program.queue\"") }
      var hash = StableHash()
      for line in lines { hash.combine(bytes: line.utf8) }
      // A queue names its kernels only; what they compute belongs to the schedule too.
      for kernel in kernels(in: part.queues.flatMap(\.body)) { hash.combine("\(program.kernels[kernel])") }
      return hash.hexadecimal
    }
  }

  /// The kernels that commands use, ascending, without repeats.
  private static func kernels(in nodes: [Program.Node]) -> [Int] {
    var found: Set<Int> = []
    func visit(_ nodes: [Program.Node]) {
      for node in nodes {
        switch node {
        case .loop(_, let body): visit(body)
        case .command(let command):
          switch command.operation {
          case .drain(let map), .vector(let map): found.insert(map.kernel.offset)
          case .copy, .contract, .sync: break
          }
        }
      }
    }
    visit(nodes)
    return found.sorted()
  }

  /// The nodes of one layer, with the loops around them.
  private static func keep(_ nodes: [Program.Node], layer: Int) -> [Program.Node] {
    nodes.compactMap { node in
      switch node {
      case .command(let command): return command.layer.offset == layer ? node : nil
      case .loop(let count, let body):
        let inner = keep(body, layer: layer)
        return inner.isEmpty ? nil : .loop(count: count, inner)
      }
    }
  }
}
