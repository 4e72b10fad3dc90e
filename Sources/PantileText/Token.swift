/// One lexical unit of MLIR text; `start ..< end` are byte offsets into its source.
struct Token {
  enum Kind: UInt8 {
    case endOfFile
    /// Something that is no token; the lexer's message says why.
    case invalid
    case bareIdentifier, valueIdentifier, blockIdentifier, hashIdentifier, bangIdentifier, symbolIdentifier
    case string, integer, float
    case arrow, ellipsis, doubleColon, metadataBegin, metadataEnd
    case equal, comma, colon, leftParen, rightParen, leftBracket, rightBracket, leftBrace, rightBrace
    case less, greater, question, star, plus, minus, slash, bar
  }

  var kind: Kind
  var start: Int
  var end: Int
}
