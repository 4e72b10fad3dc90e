import CZ3
import PantileSupport

extension SMTQuery {
  /// Solves by Z3 in a context of its own, on the calling thread; solves on several threads are independent.
  ///
  /// - Parameter resourceLimit: Z3's `rlimit`: counted work, the same in every run; not seconds.
  /// - Throws: `bad-query` for a name used with two sorts, an operand of the wrong sort or width, a width out of range;
  ///   `query-too-large`; `solver-fault` when Z3 fails.
  public func solve(resourceLimit: Int = 20_000_000) throws(DiagnosticError) -> Answer {
    let order = topologicalOrder()
    let variables = try SMTSorts(order).variables
    guard let configuration = Z3_mk_config() else { throw DiagnosticError("solver-fault", "Z3 gives no configuration") }
    Z3_set_param_value(configuration, "model", "true")
    Z3_set_param_value(configuration, "unsat_core", "true")
    let made = Z3_mk_context(configuration)
    Z3_del_config(configuration)
    guard let context = made else { throw DiagnosticError("solver-fault", "Z3 gives no context") }
    defer { Z3_del_context(context) }
    // Without a handler Z3 prints and ends the process.
    Z3_set_error_handler(context) { _, _ in }

    var translated: [ObjectIdentifier: Z3_ast] = [:]
    for node in order {
      guard let term = translate(node, context, translated), Z3_get_error_code(context) == Z3_OK else {
        throw fault(context)
      }
      translated[ObjectIdentifier(node)] = term
    }

    guard let solver = Z3_mk_solver(context) else { throw fault(context) }
    Z3_solver_inc_ref(context, solver)
    defer { Z3_solver_dec_ref(context, solver) }
    guard let parameters = Z3_mk_params(context) else { throw fault(context) }
    Z3_params_inc_ref(context, parameters)
    defer { Z3_params_dec_ref(context, parameters) }
    Z3_params_set_uint(
      context, parameters, Z3_mk_string_symbol(context, "rlimit"), UInt32(clamping: max(1, resourceLimit)))
    // Nonlinear arithmetic can loop without using up the resource limit. The clock is a brake for that alone: a hundred times what
    // the limit takes, so that no other answer depends on it.
    let milliseconds = 10_000 + max(0, resourceLimit) / 20
    Z3_params_set_uint(
      context, parameters, Z3_mk_string_symbol(context, "timeout"), UInt32(clamping: min(milliseconds, 3_600_000)))
    Z3_solver_set_params(context, solver, parameters)

    // A tracking literal stands for each assertion; '!' keeps it apart from variables.
    var names: [Z3_ast: String] = [:]
    for (index, assertion) in assertions.enumerated() {
      let literal = Z3_mk_const(
        context, Z3_mk_string_symbol(context, "!assertion\(index)"), Z3_mk_bool_sort(context))
      guard let literal, let statement = translated[ObjectIdentifier(assertion.statement.node)] else {
        throw fault(context)
      }
      names[literal] = assertion.name
      Z3_solver_assert_and_track(context, solver, statement, literal)
    }
    if Z3_get_error_code(context) != Z3_OK { throw fault(context) }

    switch Z3_solver_check(context, solver) {
    case Z3_L_TRUE:
      guard let model = Z3_solver_get_model(context, solver) else { throw fault(context) }
      Z3_model_inc_ref(context, model)
      defer { Z3_model_dec_ref(context, model) }
      return .satisfiable(read(model, context, variables))
    case Z3_L_FALSE:
      guard let core = Z3_solver_get_unsat_core(context, solver) else { throw fault(context) }
      Z3_ast_vector_inc_ref(context, core)
      defer { Z3_ast_vector_dec_ref(context, core) }
      var members: Set<String> = []
      for index in 0..<Z3_ast_vector_size(context, core) {
        if let literal = Z3_ast_vector_get(context, core, index), let name = names[literal] { members.insert(name) }
      }
      // In the order of assertion, whatever order Z3 used.
      return .unsatisfiable(core: assertions.map(\.name).filter { members.remove($0) != nil })
    default:
      if Z3_get_error_code(context) != Z3_OK { throw fault(context) }
      let reason = Z3_solver_get_reason_unknown(context, solver).map { String(cString: $0) } ?? "no reason given"
      return .unknown(reason: reason)
    }
  }

  /// The version of the linked library.
  public static var solverVersion: String { Z3_get_full_version().map { String(cString: $0) } ?? "unknown" }

  private func fault(_ context: Z3_context) -> DiagnosticError {
    let code = Z3_get_error_code(context)
    let text = Z3_get_error_msg(context, code).map { String(cString: $0) } ?? "unknown error"
    return DiagnosticError("solver-fault", "Z3 failed: \(text)")
  }

  /// All nodes, arguments before users. A stack of our own, so that long chains do not exhaust the call stack.
  private func topologicalOrder() -> [SMTNode] {
    var order: [SMTNode] = []
    var seen: Set<ObjectIdentifier> = []
    for assertion in assertions {
      var stack: [(node: SMTNode, next: Int)] = [(assertion.statement.node, 0)]
      if !seen.insert(ObjectIdentifier(assertion.statement.node)).inserted { continue }
      while let (node, next) = stack.popLast() {
        if next < node.arguments.count {
          stack.append((node, next + 1))
          let argument = node.arguments[next]
          if seen.insert(ObjectIdentifier(argument)).inserted { stack.append((argument, 0)) }
        } else {
          order.append(node)
        }
      }
    }
    return order
  }

  private func read(_ model: Z3_model, _ c: Z3_context, _ variables: [(name: String, sort: SMTSort)]) -> SMTModel {
    var result = SMTModel()
    for (name, sort) in variables {
      guard let constant = Z3_mk_const(c, Z3_mk_string_symbol(c, name), z3Sort(sort, c)) else { continue }
      var value: Z3_ast?
      guard Z3_model_eval(c, model, constant, true, &value), let value else { continue }
      switch sort {
      case .truth:
        switch Z3_get_bool_value(c, value) {
        case Z3_L_TRUE: result.truths[name] = true
        case Z3_L_FALSE: result.truths[name] = false
        default: break
        }
      case .integer:
        var number: Int64 = 0
        if Z3_get_numeral_int64(c, value, &number) { result.integers[name] = Int(number) }
      case .bits(let width):
        var number: UInt64 = 0
        if width <= 64, Z3_get_numeral_uint64(c, value, &number) { result.words[name] = number }
      }
    }
    return result
  }
}

private func z3Sort(_ sort: SMTSort, _ c: Z3_context) -> Z3_sort? {
  switch sort {
  case .truth: return Z3_mk_bool_sort(c)
  case .integer: return Z3_mk_int_sort(c)
  case .bits(let width): return Z3_mk_bv_sort(c, UInt32(clamping: width))
  }
}

/// One node, whose arguments are translated already; nil when Z3 refuses.
private func translate(_ node: SMTNode, _ c: Z3_context, _ done: [ObjectIdentifier: Z3_ast]) -> Z3_ast? {
  var arguments: [Z3_ast?] = []
  for argument in node.arguments {
    guard let term = done[ObjectIdentifier(argument)] else { return nil }
    arguments.append(term)
  }
  let count = UInt32(arguments.count)
  func binary(_ make: (Z3_context?, Z3_ast?, Z3_ast?) -> Z3_ast?) -> Z3_ast? { make(c, arguments[0], arguments[1]) }
  switch node.operation {
  case .variable(let name, let sort): return Z3_mk_const(c, Z3_mk_string_symbol(c, name), z3Sort(sort, c))
  case .truth(let value): return value ? Z3_mk_true(c) : Z3_mk_false(c)
  case .integer(let value): return Z3_mk_int64(c, Int64(value), Z3_mk_int_sort(c))
  case .bits(let value, let width):
    // Above 64 bits the constant continues by its sign.
    if width > 64 {
      return Z3_mk_sign_ext(c, UInt32(clamping: width - 64), Z3_mk_unsigned_int64(c, value, Z3_mk_bv_sort(c, 64)))
    }
    let masked = width == 64 ? value : value & ((1 << UInt64(width)) - 1)
    return Z3_mk_unsigned_int64(c, masked, Z3_mk_bv_sort(c, UInt32(clamping: width)))
  case .not: return Z3_mk_not(c, arguments[0])
  case .and: return Z3_mk_and(c, count, &arguments)
  case .or: return Z3_mk_or(c, count, &arguments)
  case .xor: return binary(Z3_mk_xor)
  case .implies: return binary(Z3_mk_implies)
  case .equal: return binary(Z3_mk_eq)
  case .ifThenElse: return Z3_mk_ite(c, arguments[0], arguments[1], arguments[2])
  case .add: return Z3_mk_add(c, count, &arguments)
  case .subtract: return Z3_mk_sub(c, count, &arguments)
  case .multiply: return Z3_mk_mul(c, count, &arguments)
  case .lessOrEqual: return binary(Z3_mk_le)
  case .less: return binary(Z3_mk_lt)
  case .bitAnd: return binary(Z3_mk_bvand)
  case .bitOr: return binary(Z3_mk_bvor)
  case .bitXor: return binary(Z3_mk_bvxor)
  case .bitNot: return Z3_mk_bvnot(c, arguments[0])
  case .bitAdd: return binary(Z3_mk_bvadd)
  case .bitSubtract: return binary(Z3_mk_bvsub)
  case .bitMultiply: return binary(Z3_mk_bvmul)
  case .bitNegate: return Z3_mk_bvneg(c, arguments[0])
  case .shiftLeft: return binary(Z3_mk_bvshl)
  case .logicalShiftRight: return binary(Z3_mk_bvlshr)
  case .arithmeticShiftRight: return binary(Z3_mk_bvashr)
  case .unsignedDivide: return binary(Z3_mk_bvudiv)
  case .unsignedRemainder: return binary(Z3_mk_bvurem)
  case .signedDivide: return binary(Z3_mk_bvsdiv)
  case .signedRemainder: return binary(Z3_mk_bvsrem)
  case .unsignedLess: return binary(Z3_mk_bvult)
  case .unsignedLessOrEqual: return binary(Z3_mk_bvule)
  case .signedLess: return binary(Z3_mk_bvslt)
  case .signedLessOrEqual: return binary(Z3_mk_bvsle)
  case .extract(let high, let low):
    return Z3_mk_extract(c, UInt32(clamping: high), UInt32(clamping: low), arguments[0])
  case .concatenate: return binary(Z3_mk_concat)
  case .signExtend(let count): return Z3_mk_sign_ext(c, UInt32(clamping: count), arguments[0])
  case .zeroExtend(let count): return Z3_mk_zero_ext(c, UInt32(clamping: count), arguments[0])
  }
}
