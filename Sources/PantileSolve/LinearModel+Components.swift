extension LinearModel {
  /// A part of a model that shares no row with the rest.
  public struct Component: Sendable {
    public var model: LinearModel
    /// The variable of the whole model behind each of the part's variables.
    public var variables: [Variable]
  }

  /// The parts of the model that share no row, in the order of their first variables; variables without a row form one part of their own.
  ///
  /// The optimum of the whole is the sum of the parts' optima and `objectiveConstant`, which the parts leave out. Branch and bound on
  /// the whole would multiply the trees that the parts add up.
  public func components() -> [Component] {
    // Union-find over variables; rows join their terms.
    var parent = Array(columns.indices)
    func root(_ variable: Int) -> Int {
      var current = variable
      while parent[current] != current {
        parent[current] = parent[parent[current]]
        current = parent[current]
      }
      return current
    }
    var isInRow = Array(repeating: false, count: columns.count)
    for row in constraints {
      guard let first = row.terms.first?.variable.index else { continue }
      for term in row.terms {
        isInRow[term.variable.index] = true
        let (a, b) = (root(first), root(term.variable.index))
        if a != b { parent[max(a, b)] = min(a, b) }
      }
    }
    var numberOfRoot: [Int: Int] = [:]
    var components: [Component] = []
    var place = Array(repeating: (component: 0, variable: 0), count: columns.count)
    for (index, column) in columns.enumerated() {
      let key = isInRow[index] ? root(index) : -1
      let number: Int
      if let known = numberOfRoot[key] {
        number = known
      } else {
        number = components.count
        numberOfRoot[key] = number
        components.append(Component(model: LinearModel(direction), variables: []))
      }
      place[index] = (number, components[number].variables.count)
      components[number].model.columns.append(column)
      components[number].variables.append(Variable(index: index))
    }
    for row in constraints {
      guard let first = row.terms.first?.variable.index else {
        // A row without terms binds nothing or everything; every part keeps it.
        for number in components.indices { components[number].model.constraints.append(row) }
        continue
      }
      var own = row
      own.terms = row.terms.map { Term($0.coefficient, Variable(index: place[$0.variable.index].variable)) }
      components[place[first].component].model.constraints.append(own)
    }
    return components
  }
}

extension LinearModel {
  /// The least value that the objective has within the variables' bounds alone, rows left out; the constant too.
  ///
  /// **Precondition** Variables with a coefficient have finite bounds and whole coefficients.
  public var leastObjective: Int {
    columns.reduce(0) { sum, column in
      column.objective == 0
        ? sum : sum + Int(min(column.objective * column.lower, column.objective * column.upper).rounded(.down))
    }
  }
}
