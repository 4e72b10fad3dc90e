import PantileProblem
import PantileSupport
import Testing

struct PackingCSVTests {
  @Test func readsColumnsInAnyOrder() throws {
    let problem = try PackingProblem(
      miniMallocCSV: "size,id,upper,lower,alignment\r\n4,a,9,3,2\r\n5,b, 7 ,0,1\r\n\r\n", path: "x.csv", capacity: 12)
    #expect(
      problem
        == PackingProblem(
          name: "x.csv",
          buffers: [.init("a", start: 3, end: 9, size: 4, alignment: 2), .init("b", start: 0, end: 7, size: 5)],
          capacity: 12))
  }

  @Test func writesWhatItReads() throws {
    let text = "id,lower,upper,size\n0,3,9,4\n1,0,7,5\n"
    let problem = try PackingProblem(miniMallocCSV: text, path: "x.csv", capacity: 12)
    #expect(problem.csv() == text)
    let solution = PackingSolution(
      offsets: [5, 0], height: 9, bankConflicts: 0, status: .optimal, lowerBound: 9, method: "hand")
    #expect(problem.csv(solution) == "id,lower,upper,size,offset\n0,3,9,4,5\n1,0,7,5,0\n")
    #expect(try PackingProblem(miniMallocCSV: problem.csv(solution), path: "x.csv", capacity: 12) == problem)
    var aligned = problem
    aligned.buffers[1].alignment = 4
    #expect(aligned.csv() == "id,lower,upper,size,alignment\n0,3,9,4,1\n1,0,7,5,4\n")
  }

  @Test(arguments: [
    ("", 1, "the file is empty"),
    ("\n \r\n", 1, "the file is empty"),
    ("id,lower,upper\n", 1, "column 'size' is missing"),
    ("id,lower,upper,size,size\n", 1, "column 'size' is there twice"),
    ("id,lower,uper,size\n", 1, "unknown column 'uper'"),
    ("id,lower,upper,size,gaps\n", 1, "column 'gaps' is not supported: a buffer has one lifetime"),
    ("id,lower,upper,size\n0,1,2\n", 2, "3 fields, the header has 4 columns"),
    ("id,lower,upper,size\n0,1,2,3,4\n", 2, "5 fields, the header has 4 columns"),
    ("id,lower,upper,size\n0,1,2,3\n0,1,2,3\n", 3, "'id' 0 is already on line 2"),
    ("id,lower,upper,size\n,1,2,3\n", 2, "'id' is empty"),
    ("id,lower,upper,size\n0,1,2,-3\n", 2, "'size' is -3, not within 0 to 1125899906842624"),
    ("id,lower,upper,size\n0,1,2,x\n", 2, "'size' is 'x', not an integer of 64 bits"),
    ("id,lower,upper,size\n0,1,2,99999999999999999999\n", 2, "not an integer of 64 bits"),
    ("id,lower,upper,size\n0,1,2,9223372036854775807\n", 2, "not within 0 to"),
    ("id,lower,upper,size\n0,-9223372036854775808,2,1\n", 2, "not within"),
    ("id,lower,upper,size\n0,5,2,1\n", 2, "'upper' 2 is below 'lower' 5"),
    ("id,lower,upper,size,alignment\n0,1,2,3,0\n", 2, "'alignment' is 0, not within 1 to"),
    ("\u{0}\u{FFFD},,\n", 1, "unknown column"),
  ]) func refusesHostileText(text: String, line: Int, message: String) {
    #expect { try PackingProblem(miniMallocCSV: text, path: "bad.csv", capacity: 8) } throws: { error in
      guard let error = error as? DiagnosticError else { return false }
      return error.diagnostics.contains {
        $0.code == "bad-csv" && $0.message.contains(message)
          && $0.location == .file(path: "bad.csv", line: line, column: 1)
      }
    }
  }

  @Test func reportsEveryBadLine() {
    #expect {
      try PackingProblem(miniMallocCSV: "id,lower,upper,size\n0,1,2,x\n1,y,2,3\n2,3\n", path: "b", capacity: 8)
    } throws: {
      ($0 as? DiagnosticError)?.codes == ["bad-csv", "bad-csv", "bad-csv"]
    }
    #expect { try PackingProblem(miniMallocCSV: "id,lower,upper,size\n", path: "b", capacity: -1) } throws: {
      ($0 as? DiagnosticError)?.codes == ["bad-packing-problem"]
    }
  }
}
