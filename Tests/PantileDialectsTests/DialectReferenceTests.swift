import PantileDialects
import PantileIR
import Testing

@Suite struct DialectReferenceTests {
  @Test(arguments: Dialects.all.map(\.name))
  func committedPageIsUpToDate(_ name: String) throws {
    let dialect = try #require(Dialects.all.first { $0.name == name })
    let page = DialectReference.markdown(dialect)
    #expect(try Repository.golden(DialectReference.path(of: dialect), actual: page) == page)
  }
}
