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
  int iteration_budget;              ///< simplex iterations
  int use_cuts;                      ///< 0 none, 1 cover and clique, 2 also mixed-integer rounding and Gomory
  int presolve;
} cguard_model;

typedef enum {
  CGUARD_OPTIMAL = 0,
  CGUARD_FEASIBLE = 1,               ///< the budget ended with a solution
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
  long iterations;                   ///< simplex iterations
  int has_ray;                       ///< infeasible, and `duals` hold the row combination that shows it, up to sign
  char message[256];
} cguard_result;

/// A flag that asks running solves to end early with what they have. Setting it is safe in a signal handler.
typedef struct cguard_flag cguard_flag;
cguard_flag *cguard_flag_create(void);
void cguard_flag_delete(cguard_flag *flag);
void cguard_flag_set(cguard_flag *flag);
/// True when the flag (may be null) or the one of the whole process is set.
int cguard_is_cancelled(const cguard_flag *flag);
/// Sets or clears the flag of the whole process; safe in a signal handler.
void cguard_cancel_all(int cancelled);

/// Builds, solves and deletes the model in one call. GLPK's fatal errors end in CGUARD_FATAL and leave the calling
/// thread fit for the next solve. `x` (columns) and `duals` (rows, of the relaxation; may be null) are written.
void cguard_solve(const cguard_model *model, const cguard_flag *flag, double *x, double *duals, cguard_result *result);

/// The relaxation of a model, kept between solves so that each starts from the last basis.
///
/// All calls must come from the thread that opened it; from another thread they end in CGUARD_FATAL without touching
/// GLPK. Each call catches GLPK's fatal errors by itself, so that no jump crosses a caller's frame; after one, all
/// sessions of that thread are dead and answer CGUARD_FATAL.
typedef struct cguard_session cguard_session;

/// Null when the model could not be built; then see the result.
cguard_session *cguard_open(const cguard_model *model, cguard_result *result);

/// Adds a row `sum <= upper`; `columns` and `values` count from 1.
int cguard_add_row(cguard_session *session, int entries, const int *columns, const double *values, double upper);

/// Sets the bounds of `count` columns (numbers from 1) and solves. `x` has an entry per column, `duals` per row.
void cguard_relax(cguard_session *session, const cguard_flag *flag, int count, const int *columns, const double *lower,
                  const double *upper, int iteration_budget, double *x, double *duals, cguard_result *result);

/// After an optimal relaxation: the row multipliers whose combination is the tableau row of a basic column (number from
/// 1), with coefficient 1 at it. False when there is none.
int cguard_tableau_row(cguard_session *session, int column, double *multipliers);

void cguard_close(cguard_session *session);
