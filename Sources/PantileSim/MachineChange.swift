import PantileEngines
import PantileProgram
import PantileTarget

/// A change of a machine that leaves its Programs as they are: what `explain` tries.
public struct MachineChange: Sendable {
  /// In words: `twice the DRAM bandwidth`.
  public let name: String
  /// Changes the machine and the options of the run; false when the machine has nothing to change.
  let apply: @Sendable (inout Machine, inout TimingRun.Options) -> Bool

  /// The changes that are tried, in order; one line each.
  public static let all: [MachineChange] = [
    MachineChange("twice the DRAM bandwidth") { machine, _ in
      changeMemories(&machine, .dram) { memory in
        memory.bandwidthNumerator *= 2
        // Twice the channels of a device, neighbouring bursts on neighbouring channels: with most maps a copy would stay on one of them.
        guard var device = memory.device else { return }
        device.organization.channels *= 2
        device.addressMap = device.addressMap.withLowest(.channel)
        memory.device = device
      }
    },
    MachineChange("half the DRAM latency") { machine, _ in
      changeMemories(&machine, .dram) { memory in
        memory.latency /= 2
        guard var device = memory.device else { return }
        device.timing.activateToRead = (device.timing.activateToRead + 1) / 2
        device.timing.readLatency = (device.timing.readLatency + 1) / 2
        memory.device = device
      }
    },
    MachineChange("DMA links twice as wide") { machine, _ in
      changeUnits(&machine) { unit in
        guard case .dma(var options) = unit else { return nil }
        options.linkBytes *= 2
        return .dma(options)
      }
    },
    MachineChange("twice the bursts in flight") { machine, _ in
      changeUnits(&machine) { unit in
        guard case .dma(var options) = unit else { return nil }
        options.outstanding *= 2
        return .dma(options)
      }
    },
    MachineChange("no bank conflicts") { _, options in
      options.ignoresBanks = true
      return true
    },
    MachineChange("twice the drain lanes") { machine, _ in
      changeUnits(&machine) { unit in
        guard case .drain(var options) = unit else { return nil }
        options.lanes *= 2
        return .drain(options)
      }
    },
    MachineChange("twice the vector lanes") { machine, _ in
      changeUnits(&machine) { unit in
        guard case .vector(var options) = unit else { return nil }
        options.lanes *= 2
        return .vector(options)
      }
    },
  ]

  init(_ name: String, _ apply: @escaping @Sendable (inout Machine, inout TimingRun.Options) -> Bool) {
    self.name = name
    self.apply = apply
  }

  /// The changed machine and the options of its run, or nil when there is nothing to change.
  public func changed(_ machine: Machine) -> (machine: Machine, options: TimingRun.Options)? {
    var machine = machine
    var options = TimingRun.Options()
    return apply(&machine, &options) ? (machine, options) : nil
  }

  private static func changeMemories(
    _ machine: inout Machine, _ kind: Program.Memory.Kind, _ change: (inout Machine.Memory) -> Void
  ) -> Bool {
    var found = false
    for index in machine.memories.indices where machine.memories[index].kind == kind {
      change(&machine.memories[index])
      found = true
    }
    return found
  }

  private static func changeUnits(_ machine: inout Machine, _ change: (Machine.Unit) -> Machine.Unit?) -> Bool {
    var found = false
    for index in machine.engines.indices {
      guard let unit = change(machine.engines[index].unit) else { continue }
      machine.engines[index].unit = unit
      found = true
    }
    return found
  }
}
