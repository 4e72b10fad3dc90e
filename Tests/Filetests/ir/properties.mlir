// Newer tools write inherent attributes as properties; both places are read as one.
"builtin.module"() <{sym_name = "m"}> ({
  "func.func"() <{function_type = () -> (), sym_name = "f"}> ({
    "func.return"() : () -> ()
  }) {dnn.note = 1 : i64} : () -> ()
}) : () -> ()
