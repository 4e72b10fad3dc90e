/// The reference page of datapath files, made from the same names that reading and elaboration know.
public enum DatapathReference {
  /// A key at the top of a datapath file.
  public struct Key: Sendable {
    public var name: String
    public var isRequired: Bool
    public var summary: String
  }

  public static let keys: [Key] = [
    Key(name: "name", isRequired: true, summary: "how reports call the datapath"),
    Key(
      name: "kind", isRequired: true,
      summary: Datapath.Kind.allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")
        + "; for lists, it changes nothing"),
    Key(name: "summary", isRequired: true, summary: "one line"),
    Key(name: "source", isRequired: false, summary: "author, title, venue, year"),
    Key(name: "extends", isRequired: false, summary: "a datapath whose keys hold where this file is silent; one level"),
    Key(
      name: "prefer", isRequired: false,
      summary:
        "`z3` asks Z3 first, for comparisons of many inputs; `cases` (as when absent) asks it where the cases end"),
    Key(
      name: "parameters", isRequired: false,
      summary: "whole numbers by name, or `{value: 8, sweep: [2, 4, 8]}`: `--sweep` and `--all` take every combination"),
    Key(
      name: "tables", isRequired: false,
      summary:
        "a list; or codes in binary, all of them (`{\"00\": 0, \"01\": 1, …}`); or the values of a number format, times a "
        + "scale that makes them whole (`{format: fp4-e2m1, scale: 2}`), selectors one after another, `part: outlier` for those of "
        + "pairs; `NAME_valid` is then a table of 1 where a code has a number"),
    Key(
      name: "inputs", isRequired: true,
      summary:
        "`weight: signed 8`, `scale: unsigned 8`, `shift: 0 ... 31`, and arrays, `activation[lanes]: signed 8`; widths "
        + "are expressions of parameters"),
    Key(
      name: "define", isRequired: false,
      summary:
        "expressions by name, with arguments where needed: `digit(i): digits[window(i)]`; one may use itself under an `if` that ends it"
    ),
    Key(name: "given", isRequired: false, summary: "conditions by name under which the claims have to hold"),
    Key(
      name: "claims", isRequired: true,
      summary: "statements by name: `==`, `!=`, `<`, `<=`, `>`, `>=`, joined by `and`, `or`, `not`, `implies`, `all`"),
    Key(
      name: "mutants", isRequired: false,
      summary: "mistakes by name: `what` in words, `set` as `--set` takes it, one or a list"),
  ]

  /// Functions of expressions, in the order in which they are shown.
  public static let functions: [(call: String, summary: String)] = [
    ("if(c, x, y)", "x where c is not 0, else y; of a constant c only that side is looked at"),
    ("min(x, y)", "the smaller"), ("max(x, y)", "the larger"), ("abs(x)", "the magnitude"),
    ("clamp(x, low, high)", "`min(max(x, low), high)`"), ("bit(x, i)", "bit i of two's complement, i constant"),
    ("bits(x, high, low)", "bits low ... high as an unsigned number, both constant"),
    ("signed(x, n)", "the low n bits as two's complement: what a register of n bits holds"),
    ("unsigned(x, n)", "the low n bits as an unsigned number"),
    ("saturate(x, n)", "x held to what n bits of two's complement can be"),
    ("lod(x)", "the place of the leading one; -1 where x is not positive"),
    ("sum(i, low, high, e)", "e added up for i = low ... high, both constant; 0 for none"),
    ("count(i, low, high, c)", "how many c are not 0"), ("all(i, low, high, c)", "1 when every c holds"),
    ("any(i, low, high, c)", "1 when some c holds"), ("bitand(x, y)", "bits of both"),
    ("bitor(x, y)", "bits of either"), ("bitxor(x, y)", "bits of one alone"),
    ("implies(c, d)", "d wherever c holds"),
  ]

  /// The page, for `Targets/datapaths/README.md`.
  public static var markdown: String {
    var text = """
      # Datapath files

      <!-- Generated from the language's own names. Do not edit; `PANTILE_BLESS=1 make test` writes it anew. -->

      A file here says how numbers are computed and what is claimed of them; `pantile prove NAME` proves it for all inputs or shows
      numbers for which it is false (`Docs/prove.md`). The folder is the list. Unknown keys, keys written twice, anchors and aliases are
      errors. `--set PATH=VALUE` changes one value: `--set weight_bits=6`, `--set digits.011=1`, `--set terms=3`; parameters,
      tables, definitions and inputs may be named without their section.

      | key | required | meaning |
      |---|---|---|

      """
    for key in keys { text += "| `\(key.name)` | \(key.isRequired ? "yes" : "no") | \(key.summary) |\n" }
    text += """

      ## Expressions

      Values are whole numbers without end; a register is `signed(x, n)` or `unsigned(x, n)`. Truth is 1 and 0, and what is not 0 counts
      as true. From weakest to strongest: `or`, `and`, `not`, comparisons (they do not chain), `<<` `>>`, `+` `-`, `*` `/` `%`, unary `-`;
      so `a + b << 2` is `(a + b) << 2`. `/` rounds to minus infinity and takes a positive constant, `%` is what it leaves; `>>` rounds
      to minus infinity. Shifts are by 0 ... 62. `t[x]` is an element of a table or array; x may depend on inputs as long as it stays
      inside. Numbers are decimal, `0x…` or `0b…`.

      | function | value |
      |---|---|

      """
    for function in functions { text += "| `\(function.call)` | \(function.summary) |\n" }
    text += """

      Limits: inputs of 48 bits, registers of 62, tables of 12-bit codes, \(Elaboration.longestSum) turns of a sum, \(Circuit.largest) \
      operations when all is unrolled.

      """
    return text
  }
}
