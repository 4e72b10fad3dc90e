#pragma once

/// A mixed-integer linear model in flat arrays. All indices count from 1, as GLPK wants them; entry 0 of each
/// index and coefficient array is unused, bound and objective arrays count from 0.
typedef struct {
  int columns;
  int rows;
  int entries;
  int maximise;
  const double *column_lower;        ///< -INFINITY when there is none
  const double *column_upper;        ///< INFINITY when there is none
  const double *objective;
  const unsigned char *is_integer;
  const double *row_lower;
  const double *row_upper;
  const int *entry_row;
  const int *entry_column;
  const double *entry_value;
  int node_budget;                   ///< branch-and-bound nodes; below 0: the relaxation alone
  int iteration_budget;              ///< simplex iterations of the relaxation
  int use_cuts;                      ///< 0 none, 1 cover and clique, 2 also mixed-integer rounding and Gomory
  int presolve;
} cguard_model;

typedef enum {
  CGUARD_OPTIMAL = 0,
  CGUARD_FEASIBLE = 1,               ///< the node budget ended with a solution
  CGUARD_INFEASIBLE = 2,
  CGUARD_UNBOUNDED = 3,
  CGUARD_BUDGET = 4,                 ///< the budget ended without a solution
  CGUARD_FAILED = 5,                 ///< GLPK gave up for numerical reasons
  CGUARD_FATAL = 6                   ///< GLPK would have aborted the process; see message
} cguard_status;

typedef struct {
  cguard_status status;
  int code;                          ///< GLPK's own return code
  double objective;
  double bound;                      ///< no solution is better than this
  double relaxation;                 ///< objective of the linear relaxation
  long nodes;
  char message[256];
} cguard_result;

/// Builds, solves and deletes the model in one call. GLPK's fatal errors end in CGUARD_FATAL and leave the calling
/// thread fit for the next solve. `x` (columns) and `duals` (rows, of the relaxation; may be null) are written.
void cguard_solve(const cguard_model *model, double *x, double *duals, cguard_result *result);
