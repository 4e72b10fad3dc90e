import Testing

/// The modules and what they may import: one table in `Docs/ARCHITECTURE.md`, kept by `Package.swift` and every import.
@Suite struct ArrowTests {
  /// Modules of the toolchain that any of ours may import.
  static let system: Set<String> = ["Foundation", "FoundationEssentials", "Synchronization"]

  /// Modules of packages and C libraries, and the only module of ours that may import each.
  static let owners = [
    "Yams": "PantileConfig", "SwiftProtobuf": "PantileImport", "ArgumentParser": "PantileCLI",
    "CGLPK": "PantileSolve", "CZ3": "PantileSolve", "CGuard": "PantileSolve",
  ]

  /// The documented arrows, and those that the text below the table states.
  static func arrows() throws -> [String: Set<String>] {
    var arrows = try SourceTree.documentedArrows()
    let modules = Set(arrows.keys)
    arrows["Pantile"] = modules
    arrows["PantileCLI"] = ["Pantile"]
    arrows["pantile-cli"] = ["PantileCLI"]
    return arrows
  }

  @Test func theTableNamesEveryModule() throws {
    let arrows = try Self.arrows()
    let folders = Set(SourceTree.swiftFiles.map(\.module))
    #expect(folders.subtracting(arrows.keys) == [])
    #expect(Set(arrows.keys).subtracting(folders) == [])
  }

  @Test func arrowsPointOneWay() throws {
    let arrows = try Self.arrows()
    for name in arrows.keys {
      var reached: Set<String> = []
      var next = arrows[name] ?? []
      while let module = next.popFirst() {
        if reached.insert(module).inserted { next.formUnion(arrows[module] ?? []) }
      }
      #expect(!reached.contains(name), "\(name) reaches itself")
    }
  }

  @Test func simulatorsAndProblemsStayApart() throws {
    let arrows = try Self.arrows()
    #expect(arrows["PantileSim"]?.isDisjoint(with: ["PantilePasses", "PantileIR", "PantileSolve"]) == true)
    #expect(arrows["PantileProblem"]?.isDisjoint(with: ["PantileIR", "PantileSolve"]) == true)
    #expect(arrows["PantileSolve"] == ["PantileSupport"])
    #expect(arrows["PantileTarget"]?.isDisjoint(with: ["PantileIR", "PantileDialects"]) == true)
  }

  @Test func packageAndTableAgree() throws {
    let arrows = try Self.arrows()
    let targets = try SourceTree.packageTargets()
    #expect(Set(targets.map(\.name)) == Set(arrows.keys).subtracting(["pantile-cli"]))
    for target in targets {
      let ours = target.dependencies.filter { $0.hasPrefix("Pantile") }
      #expect(ours.symmetricDifference(arrows[target.name] ?? []) == [], "dependencies of \(target.name)")
      for other in target.dependencies.union(target.products).subtracting(ours) {
        #expect(Self.owners[other] == target.name, "\(target.name) depends on \(other)")
      }
    }
  }

  @Test func importsFollowTheArrows() throws {
    let arrows = try Self.arrows()
    var wrong: [String] = []
    for file in SourceTree.swiftFiles {
      for name in file.imports where !Self.system.contains(name) {
        if Self.owners[name] == file.module || arrows[file.module]?.contains(name) == true { continue }
        wrong.append("\(file.path) imports \(name)")
      }
    }
    #expect(wrong == [])
  }

  @Test func eachCLibraryHasOneWrapperFile() {
    for library in ["CGLPK", "CZ3"] {
      let users = SourceTree.swiftFiles.filter { $0.imports.contains(library) }.map(\.path)
      #expect(users.count <= 1, "\(library): \(users)")
    }
  }
}
