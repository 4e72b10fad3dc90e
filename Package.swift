// swift-tools-version: 6.2
import PackageDescription

// Every warning of our own code is an error; dependencies keep theirs.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies + ["PantileTestSupport"], swiftSettings: strict)
}

let package = Package(
  name: "pantile",
  products: [
    .library(name: "Pantile", targets: ["Pantile"]),
    .executable(name: "pantile", targets: ["pantile-cli"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
  ],
  targets: [
    // C libraries. CGuard turns GLPK's fatal errors into return codes.
    .systemLibrary(name: "CGLPK", providers: [.apt(["libglpk-dev"])]),
    .systemLibrary(name: "CZ3", pkgConfig: "z3", providers: [.apt(["libz3-dev"])]),
    .target(name: "CGuard", dependencies: ["CGLPK"]),

    // The modules; an arrow that is not in Docs/ARCHITECTURE.md fails ArchitectureTests.
    module("PantileSupport", []),
    module("PantileText", ["PantileSupport"]),
    module("PantileTensor", ["PantileSupport"]),
    module("PantileIR", ["PantileSupport", "PantileText"]),
    module("PantileProblem", ["PantileSupport", "PantileText"]),
    module("PantileSolve", ["PantileSupport", "CGLPK", "CZ3", "CGuard"]),
    module("PantilePlan", ["PantileSupport", "PantileProblem", "PantileSolve"]),
    module("PantileConfig", ["PantileSupport", .product(name: "Yams", package: "Yams")]),
    module("PantileTarget", ["PantileSupport", "PantileConfig"]),
    module("PantileDialects", ["PantileSupport", "PantileText", "PantileIR", "PantileTensor", "PantileProblem"]),
    module(
      "PantileImport",
      [
        "PantileSupport", "PantileText", "PantileIR", "PantileTensor", "PantileDialects",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ], exclude: ["ONNX/onnx.proto"]),
    module("PantileProgram", ["PantileSupport", "PantileText", "PantileTensor"]),
    module(
      "PantileEngines",
      ["PantileSupport", "PantileTensor", "PantileProgram", "PantileTarget", "PantileProblem"]),
    module(
      "PantilePasses",
      [
        "PantileSupport", "PantileText", "PantileIR", "PantileTensor", "PantileDialects", "PantileProblem",
        "PantilePlan", "PantileTarget", "PantileProgram", "PantileEngines",
      ]),
    module(
      "PantileSim",
      ["PantileSupport", "PantileTensor", "PantileProgram", "PantileTarget", "PantileEngines"]),
    module(
      "PantileReport",
      ["PantileSupport", "PantileTarget", "PantileProgram", "PantileEngines", "PantileSim"]),
    module(
      "PantileProve",
      ["PantileSupport", "PantileConfig", "PantileTarget", "PantileTensor", "PantileSolve"]),
    module(
      "PantileSweep",
      [
        "PantileSupport", "PantileTensor", "PantileConfig", "PantileTarget", "PantilePasses", "PantileEngines",
        "PantileSim", "PantileReport",
      ]),
    module(
      "Pantile",
      [
        "PantileSupport", "PantileText", "PantileTensor", "PantileIR", "PantileDialects", "PantileImport",
        "PantileProblem", "PantileSolve", "PantilePlan", "PantileConfig", "PantileTarget", "PantileProgram",
        "PantileEngines", "PantilePasses", "PantileSim", "PantileReport", "PantileProve", "PantileSweep",
      ]),
    module(
      "PantileCLI",
      ["Pantile", .product(name: "ArgumentParser", package: "swift-argument-parser")]),
    .executableTarget(
      name: "pantile-cli", dependencies: ["PantileCLI"], path: "Sources/pantile-cli", swiftSettings: strict),
    .target(
      name: "PantileTestSupport", dependencies: ["PantileSupport", "PantileEngines"], path: "Tests/PantileTestSupport",
      swiftSettings: strict),

    tests("ArchitectureTests", []),
    tests("PantileSupportTests", ["PantileSupport"]),
    tests("PantileTextTests", ["PantileText"]),
    tests("PantileTensorTests", ["PantileTensor"]),
    tests("PantileIRTests", ["PantileIR", "PantileText"]),
    tests(
      "PantileDialectsTests",
      ["PantileDialects", "PantileIR", "PantileText", "PantileTensor", "PantileProblem"]),
    tests("PantileImportTests", ["PantileImport", "PantileDialects", "PantileIR", "PantileTensor", "PantileText"]),
    tests("PantileProblemTests", ["PantileProblem"]),
    tests("PantileSolveTests", ["PantileSolve"]),
    tests("PantilePlanTests", ["PantilePlan", "PantileProblem", "PantileSolve", "PantileText"]),
    tests("PantileTargetTests", ["PantileTarget", "PantileConfig"]),
    tests("PantileProgramTests", ["PantileProgram", "PantileText"]),
    tests(
      "PantileEnginesTests",
      ["PantileEngines", "PantileProgram", "PantileTensor", "PantileTarget", "PantileProblem"]),
    tests("CoSimTests", ["PantileEngines"]),
    tests("PantileSimTests", ["PantileSim", "PantileEngines", "PantileProgram", "PantileTensor", "PantileTarget"]),
    tests("PantilePassesTests", ["Pantile"]),
    tests("PantileReportTests", ["PantileReport", "PantileSim", "PantileTarget"]),
    tests("PantileProveTests", ["PantileProve", "Pantile"]),
    tests("PantileSweepTests", ["PantileSweep", "Pantile"]),
    tests("PantileTests", ["Pantile"]),
    tests("PantileCLITests", ["PantileCLI", "Pantile"]),
    tests("ToyFamilyTests", ["Pantile"]),
  ],
  swiftLanguageModes: [.v6]
)
