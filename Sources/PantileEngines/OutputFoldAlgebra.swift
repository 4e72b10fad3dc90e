/// The fold algebra that output-stationary arrays share: a fold streams its products in, then its results drain down the columns.
///
/// - serial: folds·(stream + tail); nothing overlaps.
/// - overlapped: results move to output registers, and column c drains on its own as soon as its last row is done. New results
///   may reach row 0 in the last drain cycle of the old ones, so stream ends stand at least `drainSlot` apart: a fold owns a slot
///   of max(stream, drainSlot) cycles and a shorter stream waits at the slot's head; folds·slot + tail.
struct OutputFoldAlgebra {
  var folds: Int
  /// Cycles in which products enter PE (0, 0).
  var stream: Int
  /// From the end of the last stream to the last result being visible.
  var tail: Int
  /// Least distance of stream ends when folds overlap.
  var drainSlot: Int
  var overlapped: Bool

  /// First cycle of the last fold's stream.
  var lastStream: Int {
    overlapped ? folds * max(stream, drainSlot) - stream : (folds - 1) * (stream + tail)
  }

  var duration: Int { lastStream + stream + tail }

  var nextIssue: Int { overlapped ? lastStream + stream : duration }
}
