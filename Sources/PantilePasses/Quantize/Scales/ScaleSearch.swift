import Foundation
import PantileDialects
import PantileIR
import PantileSupport
import PantileTensor
import PantileText

/// Chooses the factors of a site's channels: those of the grid whose layers have the least error in their outputs.
struct ScaleSearch {
  let options: AWQOptions
  /// The network as it was measured, before any factor.
  let module: Module
  /// What each layer reads and makes, a tensor a sample.
  let inputs: [OpID: [HostTensor]]
  let power: [OpID: Double]
  let elementCount: [OpID: Int]

  /// What was chosen for a site.
  struct Choice {
    var alpha: Double
    /// One a channel of the site.
    var factors: [Double]
    /// By reader, in the order of the site.
    var errors: [Double]
  }

  /// Runs the network on the calibration inputs and keeps what the layers read.
  ///
  /// - Complexity: holds the inputs of all layers for all samples.
  /// - Throws: what the interpreter throws.
  init(
    _ module: Module, function: OpID, layers: [OpID], calibration: Calibration, options: AWQOptions
  ) throws(DiagnosticError) {
    self.module = module
    self.options = options
    var readers: [ValueID: [OpID]] = [:]
    var makers: [ValueID: OpID] = [:]
    for layer in layers {
      readers[module.operands(of: layer)[0], default: []].append(layer)
      makers[module.results(of: layer)[0]] = layer
    }
    var inputs: [OpID: [HostTensor]] = [:]
    var power: [OpID: Double] = [:]
    var count: [OpID: Int] = [:]
    let interpreter = try Interpreter(module, function: function)
    for sample in calibration.samples {
      try interpreter.run(sample) { value, _, tensor throws(DiagnosticError) in
        for layer in readers[value] ?? [] { inputs[layer, default: []].append(tensor) }
        guard let layer = makers[value] else { return }
        power[layer, default: 0] += ScaleSearch.squares(tensor)
        count[layer, default: 0] += tensor.count
      }
    }
    self.inputs = inputs
    self.power = power
    elementCount = count
  }

  /// Sum of squares.
  private static func squares(_ tensor: HostTensor) -> Double {
    tensor.withValues(as: Float.self) { $0.reduce(0) { $0 + Double($1) * Double($1) } }
  }

  // MARK: Factors

  /// `s = m^alpha`, divided by the root of the largest times the least, where `m` is the mean magnitude of a channel over what the readers see;
  /// channels that are always zero count as the least of the others.
  ///
  /// **Source** Lin et al., "AWQ: Activation-aware Weight Quantization for LLM Compression and Acceleration", MLSys 2024, equation 5; the normalisation
  /// is that of the authors' program.
  func factors(_ means: [Double], alpha: Double) -> [Double] {
    let least = means.filter { $0 > 0 }.min() ?? 1
    var factors = means.map { pow(max($0, least), alpha) }
    let middle = ((factors.max() ?? 1) * (factors.min() ?? 1)).squareRoot()
    for index in factors.indices {
      factors[index] /= middle
      if options.powerOfTwo { factors[index] = exp2(log2(factors[index]).rounded(.toNearestOrEven)) }
    }
    return factors
  }

  /// Mean magnitude of each channel of a site: the mean over its readers of what they see.
  func means(_ site: ScaleSite) -> [Double] {
    var means = [Double](repeating: 0, count: site.channels)
    for reader in site.readers {
      var sums = [Double](repeating: 0, count: site.channels)
      var count = 0
      for tensor in inputs[reader.op] ?? [] {
        let axis = inputAxis(reader.op, rank: tensor.shape.count)
        let inner = tensor.shape[(axis + 1)...].reduce(1, *)
        tensor.withValues(as: Float.self) { values in
          for index in values.indices {
            sums[index / inner % tensor.shape[axis] / reader.unit] += Double(values[index].magnitude)
          }
        }
        count += tensor.count / site.channels
      }
      for channel in means.indices { means[channel] += sums[channel] / Double(max(1, count * site.readers.count)) }
    }
    return means
  }

  private func inputAxis(_ op: OpID, rank: Int) -> Int { module.name(of: op) == "dnn.matmul" ? rank - 1 : 1 }

  // MARK: Errors

  /// The exponent of the grid with the least sum over the readers of squared error over power, the first of equals.
  /// - Throws: what quantising throws.
  func choose(_ site: ScaleSite) throws(DiagnosticError) -> Choice {
    let means = means(site)
    var best: (choice: Choice, cost: Double)?
    for step in 0...options.grid {
      let alpha = Double(step) / Double(options.grid)
      let factors = factors(means, alpha: alpha)
      var errors: [Double] = []
      var cost = 0.0
      for reader in site.readers {
        let error = try error(of: reader.op, factors: factors, unit: reader.unit)
        errors.append(error)
        let power = power[reader.op] ?? 0
        if !isSkipped(reader.op) { cost += power > 0 ? error / power : error }
      }
      if best.map({ cost < $0.cost }) ?? true {
        best = (Choice(alpha: alpha, factors: factors, errors: errors), cost)
      }
    }
    guard let best else { preconditionFailure("a grid has exponents") }
    return best.choice
  }

  private func isSkipped(_ op: OpID) -> Bool {
    let names = module.location(of: op).names
    return options.weights.skip.contains(where: names.contains)
  }

  /// Sum of squared differences of a layer's outputs when its weights are scaled, quantised and scaled back.
  ///
  /// Outputs are linear in the weights, so the difference is the layer's output for the difference of the weights.
  func error(of op: OpID, factors: [Double], unit: Int) throws(DiagnosticError) -> Double {
    let view = module[op]
    guard let weights = try module.constantTensor(view.operands[1]), let layer = DNN.op(view.name) else { return 0 }
    let places = try WeightPlaces(view)
    let scaled = places.multiplied(weights, by: factors, unit: unit)
    let worth = try worth(of: scaled, layer: view, axis: places.outputAxis)
    let difference = HostTensor(
      shape: weights.shape,
      values: (0..<weights.count).map { index in
        Float(worth[index] / factors[places.input(index) / unit] - weights.double(at: index))
      })
    var sum = 0.0
    for input in inputs[op] ?? [] {
      let outputs = try layer.kernel(
        KernelCall(
          name: view.name, inputs: [input, difference], attributes: view.attributes,
          resultTypes: [try view.resultTensor()], location: view.location))
      sum += ScaleSearch.squares(outputs[0])
    }
    return sum
  }

  /// What weights are worth after quantisation, in the order of the tensor.
  private func worth(of weights: HostTensor, layer: OpView, axis: Int) throws(DiagnosticError) -> [Double] {
    let format = try options.weights.format(of: layer.location)
    let inner = weights.shape[(axis + 1)...].reduce(1, *)
    let channels = weights.shape[axis]
    guard let format else {
      let bits = options.weights.bits(of: layer.location)
      let scales = WeightQuantization.scales(
        weights, axis: axis, bits: bits, bias: nil, inputScale: 1, isPerChannel: options.weights.perChannel)
      let codes = WeightQuantization.quantised(weights, scales: scales, axis: axis, bits: bits)
      return (0..<codes.count).map { index in
        codes.double(at: index) * Double(scales[scales.count == 1 ? 0 : index / inner % channels])
      }
    }
    // A channel's weights in one row, in the order of the tensor.
    var places = [[Int]](repeating: [], count: channels)
    for index in 0..<weights.count { places[index / inner % channels].append(index) }
    let order = places.flatMap { $0 }
    let matrix = try QuantisedMatrix(
      order.map { weights.double(at: $0) }, rows: channels, columns: weights.count / max(1, channels),
      format: try options.grouped(format, columns: weights.count / max(1, channels)),
      options: try options.weights.matrixOptions())
    var result = [Double](repeating: 0, count: weights.count)
    for (position, index) in order.enumerated() { result[index] = matrix.values[position] }
    return result
  }
}

/// Where the weights of a layer stand.
struct WeightPlaces {
  let outputAxis: Int
  private let kind: String
  private let shape: [Int]
  private let groups: Int
  private let isTransposed: Bool

  /// - Throws: for malformed ops.
  init(_ layer: OpView) throws(DiagnosticError) {
    kind = layer.name
    shape = try layer.operandTensor(1).shape
    groups = kind == "dnn.conv2d" ? try layer.integer("groups") : 1
    isTransposed = kind == "dnn.matmul" ? try layer.flag("transpose_b") : false
    outputAxis = kind == "dnn.matmul" && !isTransposed ? 1 : 0
  }

  /// The input channel of the layer that a weight multiplies.
  func input(_ index: Int) -> Int {
    switch kind {
    case "dnn.conv2d":
      let taps = shape[2] * shape[3]
      let output = index / (shape[1] * taps)
      return output / (shape[0] / groups) * shape[1] + index / taps % shape[1]
    case "dnn.matmul" where !isTransposed: return index / shape[1]
    default: return index % shape[1]
    }
  }

  /// Weights times the factor of their input channel, in double precision, rounded once.
  func multiplied(_ weights: HostTensor, by factors: [Double], unit: Int) -> HostTensor {
    HostTensor(
      shape: weights.shape,
      values: (0..<weights.count).map { Float(weights.double(at: $0) * factors[input($0) / unit]) })
  }
}
