import PantileEngines

/// What the macro tiles of a Program took with the values of one functional run, on arrays whose times depend on values.
///
/// It is all that a timing run learns of values. Queues run their commands in the same order in both runs, so places in that order
/// name the tiles.
public struct DataProfile: Hashable, Sendable {
  /// All that differ.
  public private(set) var measures: [TileMeasure] = []
  /// By queue, for each macro tile in the order of the queue, its place in `measures`; empty of queues whose times do not depend on values.
  public private(set) var tiles: [[Int32]]

  /// Notes the tiles of a functional run.
  struct Recorder {
    private(set) var profile: DataProfile
    private var places: [TileMeasure: Int32] = [:]

    init(queues: Int) { profile = DataProfile(tiles: Array(repeating: [], count: queues)) }

    mutating func add(_ measure: TileMeasure, queue: Int) {
      if let place = places[measure] {
        profile.tiles[queue].append(place)
        return
      }
      let place = Int32(profile.measures.count)
      profile.measures.append(measure)
      places[measure] = place
      profile.tiles[queue].append(place)
    }
  }
}
