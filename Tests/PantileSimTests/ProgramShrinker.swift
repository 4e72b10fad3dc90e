import PantileProgram

/// Cuts a Program that fails to the shortest one that still fails, as long as something can go: nodes, nodes with their channels,
/// trips of loops, waits and signals, one at a time.
struct ProgramShrinker {
  /// Whether a Program still fails; those that are no longer sound count as passing.
  var fails: (Program) -> Bool

  func shortest(_ program: Program) -> Program {
    var best = program
    var progress = true
    while progress {
      progress = false
      var position = 0
      while let candidate = Self.cut(best, at: &position) {
        if candidate.isSound, fails(candidate) {
          best = candidate
          progress = true
        } else {
          position += 1
        }
      }
    }
    return best
  }

  /// The Program with its cut number `position` made; nil when there are fewer. Big cuts come first: nodes alone and with the channels
  /// that tie them to other queues, then trips, then dependencies of single commands.
  private static func cut(_ program: Program, at position: inout Int) -> Program? {
    var number = 0
    for kind in Cut.allCases {
      for queue in program.queues.indices {
        var changed = program
        var removed: Program.Node?
        if apply(kind, to: &changed.queues[queue].body, &number, position, &removed) {
          if kind == .nodeWithChannels, let removed {
            let channels = Self.channels(of: [removed])
            for index in changed.queues.indices { drop(channels, in: &changed.queues[index].body) }
          }
          return changed
        }
      }
    }
    return nil
  }

  private enum Cut: CaseIterable { case node, nodeWithChannels, trips, wait, signal }

  private static func channels(of nodes: [Program.Node]) -> Set<ChannelID> {
    var found: Set<ChannelID> = []
    for node in nodes {
      switch node {
      case .loop(_, let body): found.formUnion(channels(of: body))
      case .command(let command): found.formUnion(command.waits.map(\.channel) + command.signals.map(\.channel))
      }
    }
    return found
  }

  private static func drop(_ channels: Set<ChannelID>, in nodes: inout [Program.Node]) {
    for index in nodes.indices {
      switch nodes[index] {
      case .loop(let count, var body):
        drop(channels, in: &body)
        nodes[index] = .loop(count: count, body)
      case .command(var command):
        command.waits.removeAll { channels.contains($0.channel) }
        command.signals.removeAll { channels.contains($0.channel) }
        nodes[index] = .command(command)
      }
    }
  }

  private static func apply(
    _ cut: Cut, to nodes: inout [Program.Node], _ number: inout Int, _ target: Int, _ removed: inout Program.Node?
  ) -> Bool {
    func hit() -> Bool {
      number += 1
      return number - 1 == target
    }
    for index in nodes.indices {
      if cut == .node || cut == .nodeWithChannels, hit() {
        removed = nodes.remove(at: index)
        return true
      }
      switch nodes[index] {
      case .loop(let count, var body):
        if cut == .trips, count > 1 {
          if hit() {
            nodes[index] = .loop(count: count / 2, body)
            return true
          }
          if hit() {
            nodes[index] = .loop(count: count - 1, body)
            return true
          }
        }
        if apply(cut, to: &body, &number, target, &removed) {
          nodes[index] = .loop(count: count, body)
          return true
        }
      case .command(var command):
        for wait in command.waits.indices where cut == .wait && hit() {
          command.waits.remove(at: wait)
          nodes[index] = .command(command)
          return true
        }
        for signal in command.signals.indices where cut == .signal && hit() {
          command.signals.remove(at: signal)
          nodes[index] = .command(command)
          return true
        }
      }
    }
    return false
  }
}

extension Program {
  /// Whether the structure is sound and all races and deadlocks are excluded.
  fileprivate var isSound: Bool {
    do {
      try verify()
      return true
    } catch {
      return false
    }
  }
}
