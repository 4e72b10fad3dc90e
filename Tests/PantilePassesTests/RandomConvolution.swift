import PantileSupport

/// A small convolution of random shape: stride, padding (uneven, sometimes beyond the kernel), dilation, groups, depthwise.
struct RandomConvolution {
  var x: [Int]
  var w: [Int]
  var y: [Int] = []
  var strides: [Int]
  var pads: [Int]
  var dilations: [Int]
  var groups: Int

  init(seed: Int, channels: Int = 3) {
    var random = SplitMix64(seed: UInt64(seed) &* 7919 &+ 3)
    while true {
      groups = [1, 1, 2, 3][random.next(below: 4)]
      let each = random.next(below: 4) == 0 ? 1 : 1 + random.next(below: channels)
      let filters = groups * (1 + random.next(below: channels))
      w = [filters, each, 1 + random.next(below: 3), 1 + random.next(below: 3)]
      x = [1 + random.next(below: 2), groups * each, 2 + random.next(below: 5), 2 + random.next(below: 5)]
      strides = [1 + random.next(below: 3), 1 + random.next(below: 3)]
      if random.next(below: 2) == 0 { strides = [1, 1] }
      dilations = random.next(below: 3) == 0 ? [1 + random.next(below: 2), 1 + random.next(below: 2)] : [1, 1]
      pads = (0..<4).map { _ in random.next(below: 3) }
      var extents: [Int] = []
      for d in 0..<2 {
        let covered = dilations[d] * (w[2 + d] - 1) + 1
        extents.append(x[2 + d] + pads[d] + pads[2 + d] - covered)
      }
      guard extents.allSatisfy({ $0 >= 0 }) else { continue }
      y = [x[0], filters, extents[0] / strides[0] + 1, extents[1] / strides[1] + 1]
      return
    }
  }

  var attributes: String { "strides = \(strides), pads = \(pads), dilations = \(dilations), groups = \(groups)" }
}
