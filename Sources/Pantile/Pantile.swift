// The facade re-exports the modules, so that one `import Pantile` is enough.
@_exported import PantileConfig
@_exported import PantileDialects
@_exported import PantileEngines
@_exported import PantileIR
@_exported import PantileImport
@_exported import PantilePasses
@_exported import PantilePlan
@_exported import PantileProblem
@_exported import PantileProgram
@_exported import PantileReport
@_exported import PantileSim
@_exported import PantileSolve
@_exported import PantileSupport
@_exported import PantileSweep
@_exported import PantileTarget
@_exported import PantileTensor
@_exported import PantileText
