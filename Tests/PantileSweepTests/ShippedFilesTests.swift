import Foundation
import PantileSupport
import PantileSweep
import Testing

/// The sweeps and suites of `Workloads` are right as far as they can be read without running.
struct ShippedFilesTests {
  /// The option names of the command line.
  private static let options = ["weight_bits", "weight_format", "sparsity", "calibrate", "seed"]

  private static func files(_ folder: String) -> [String] {
    let path = "\(repositoryRoot)/Workloads/\(folder)"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
    return names.filter { $0.hasSuffix(".yaml") }.sorted().map { "\(path)/\($0)" }
  }

  @Test(arguments: files("sweeps"))
  func sweepHasPoints(_ path: String) throws {
    #expect(try !SweepSpec.load(path, allowedOptions: ShippedFilesTests.options + ["timing"]).points().isEmpty)
  }

  @Test(arguments: files("suites"))
  func suiteHasCases(_ path: String) throws {
    #expect(try !CheckSuite.load(path, allowedOptions: ShippedFilesTests.options).cases.isEmpty)
  }

  @Test func largeSweepHasOverAHundredPoints() throws {
    let path = "\(repositoryRoot)/Workloads/sweeps/resnet18-arrays.yaml"
    #expect(try SweepSpec.load(path).points().count == 144)
  }
}
