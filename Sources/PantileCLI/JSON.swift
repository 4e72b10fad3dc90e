import Foundation
import Pantile

/// Results as JSON text: keys sorted, one per line.
enum JSON {
  static func text(_ value: some Encodable) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    // Results hold numbers, texts and lists; infinite numbers, which alone could fail, are excluded by their makers.
    guard let data = try? encoder.encode(value) else { preconditionFailure("a result that is no JSON: \(value)") }
    return String(decoding: data, as: UTF8.self) + "\n"
  }
}
