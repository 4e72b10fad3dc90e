#include "CGuard.h"

#include <glpk.h>
#include <math.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct cguard_flag {
  _Atomic int set;
};

static _Atomic int all_cancelled;

cguard_flag *cguard_flag_create(void) { return calloc(1, sizeof(cguard_flag)); }
void cguard_flag_delete(cguard_flag *flag) { free(flag); }
void cguard_flag_set(cguard_flag *flag) { atomic_store(&flag->set, 1); }
void cguard_cancel_all(int cancelled) { atomic_store(&all_cancelled, cancelled); }

int cguard_is_cancelled(const cguard_flag *flag) {
  return atomic_load(&all_cancelled) || (flag && atomic_load(&((cguard_flag *)flag)->set));
}

typedef struct {
  jmp_buf escape;
  char text[256];
  /// Whether GLPK was stopped by `take_text` rather than by an error.
  int ran_out;
  /// Simplex iterations after which to stop it; 0: no limit.
  long iteration_limit;
  /// Iterations when GLPK last called back, after which a cancelled search gets some time to end by itself.
  long seen;
  const cguard_flag *flag;
} guard;

/// The guard of the running call, for what sets limits in it.
static _Thread_local guard *current;

/// Takes what GLPK prints, so that nothing reaches the terminal.
///
/// GLPK's integer search sets no limit of iterations and calls nobody during a relaxation, but it prints a line like
/// `*  5000: obj = ...` (a space or `#` instead of the star in other phases) every five seconds. That is the brake for a
/// relaxation that does not end; the limit is so far above the budget that no result depends on when a line comes.
/// Of other text the last is kept: the cause of an error comes before "Error detected in file ...".
static int take_text(void *info, const char *text) {
  guard *g = info;
  if (text[0] == ' ' || text[0] == '*' || text[0] == '#') {
    char *end;
    long iterations = strtol(text + 1, &end, 10);
    if (end != text + 1 && *end == ':') {
      if ((g->iteration_limit && iterations > g->iteration_limit) ||
          (cguard_is_cancelled(g->flag) && iterations > g->seen + 10000)) {
        g->ran_out = 1;
        longjmp(g->escape, 1);
      }
      return 1;
    }
  }
  if (strncmp(text, "Error detected", 14) == 0 && g->text[0]) return 1;
  strncpy(g->text, text, sizeof g->text - 1);
  g->text[sizeof g->text - 1] = 0;
  return 1;
}

static void escape(void *info) { longjmp(((guard *)info)->escape, 1); }

/// Sessions of this thread, and how often its GLPK environment was thrown away: a session from before that is dead.
static _Thread_local int open_sessions;
static _Thread_local unsigned long environment = 1;

enum { guard_fine = 1, guard_fatal = 0, guard_ran_out = -1 };

/// Runs an action with GLPK's output kept and its fatal errors caught.
static int guarded(void (*action)(void *), void *info, char *message, size_t capacity) {
  // On the heap, so that its contents are defined after the jump.
  guard *g = calloc(1, sizeof *g);
  if (!g) {
    strncpy(message, "out of memory", capacity - 1);
    return guard_fatal;
  }
  current = g;
  if (setjmp(g->escape)) {
    int reason = g->ran_out ? guard_ran_out : guard_fatal;
    strncpy(message, g->text, capacity - 1);
    glp_term_hook(NULL, NULL);
    glp_error_hook(NULL, NULL);
    // Frees the broken problem and all others of this thread; every later call starts a new environment.
    glp_free_env();
    environment++;
    open_sessions = 0;
    current = NULL;
    free(g);
    return reason;
  }
  glp_term_hook(take_text, g);
  glp_error_hook(escape, g);
  action(info);
  glp_error_hook(NULL, NULL);
  glp_term_hook(NULL, NULL);
  if (open_sessions == 0) glp_free_env();
  current = NULL;
  free(g);
  return guard_fine;
}

typedef struct {
  long nodes;
  long budget;
  int stopped;
  double bound;
  int has_bound;
  const cguard_flag *flag;
  long iteration_budget;
  long iterations;
} search_state;

/// Counts the nodes and stops at the budget: counts are the same on every machine, seconds are not.
static void on_event(glp_tree *tree, void *info) {
  search_state *state = info;
  state->iterations = current->seen = glp_get_it_cnt(glp_ios_get_prob(tree));
  if (cguard_is_cancelled(state->flag) || state->iterations > state->iteration_budget) {
    state->stopped = 1;
    glp_ios_terminate(tree);
    return;
  }
  if (glp_ios_reason(tree) != GLP_ISELECT) return;
  int best = glp_ios_best_node(tree);
  if (best != 0) {
    state->bound = glp_ios_node_bound(tree, best);
    state->has_bound = 1;
  }
  state->nodes++;
  if (state->nodes > state->budget) {
    state->stopped = 1;
    glp_ios_terminate(tree);
  }
}

static int bound_kind(double lower, double upper) {
  int has_lower = !isinf(lower), has_upper = !isinf(upper);
  if (has_lower && has_upper) return lower == upper ? GLP_FX : GLP_DB;
  return has_lower ? GLP_LO : has_upper ? GLP_UP : GLP_FR;
}

static double finite_or_zero(double value) { return isinf(value) ? 0.0 : value; }

static void build(glp_prob *problem, const cguard_model *m) {
  glp_set_obj_dir(problem, m->maximise ? GLP_MAX : GLP_MIN);
  if (m->columns > 0) glp_add_cols(problem, m->columns);
  if (m->rows > 0) glp_add_rows(problem, m->rows);
  for (int j = 0; j < m->columns; j++) {
    double lower = m->column_lower[j], upper = m->column_upper[j];
    if (m->is_integer[j]) glp_set_col_kind(problem, j + 1, GLP_IV);
    glp_set_col_bnds(problem, j + 1, bound_kind(lower, upper), finite_or_zero(lower), finite_or_zero(upper));
    glp_set_obj_coef(problem, j + 1, m->objective[j]);
  }
  for (int i = 0; i < m->rows; i++) {
    double lower = m->row_lower[i], upper = m->row_upper[i];
    glp_set_row_bnds(problem, i + 1, bound_kind(lower, upper), finite_or_zero(lower), finite_or_zero(upper));
  }
  glp_load_matrix(problem, m->entries, m->entry_row, m->entry_column, m->entry_value);
}

static void solve(glp_prob *problem, const cguard_model *m, const cguard_flag *flag, double *x, double *duals, cguard_result *r) {
  build(problem, m);
  glp_smcp simplex;
  glp_init_smcp(&simplex);
  simplex.msg_lev = GLP_MSG_ON;
  simplex.out_frq = 200;
  simplex.out_dly = 0;
  simplex.presolve = m->presolve ? GLP_ON : GLP_OFF;
  simplex.it_lim = m->iteration_budget;
  current->flag = flag;
  current->seen = -10001;
  r->code = glp_simplex(problem, &simplex);
  if (r->code == GLP_ENOPFS) { r->status = CGUARD_INFEASIBLE; return; }
  if (r->code == GLP_ENODFS) { r->status = CGUARD_UNBOUNDED; return; }
  if (r->code == GLP_EITLIM) { r->status = CGUARD_BUDGET; return; }
  if (r->code != 0) { r->status = CGUARD_FAILED; return; }
  int status = glp_get_status(problem);
  if (status == GLP_NOFEAS || status == GLP_INFEAS) { r->status = CGUARD_INFEASIBLE; return; }
  if (status == GLP_UNBND) { r->status = CGUARD_UNBOUNDED; return; }
  if (status != GLP_OPT) { r->status = CGUARD_FAILED; return; }
  r->relaxation = r->bound = r->objective = glp_get_obj_val(problem);
  for (int j = 0; j < m->columns; j++) x[j] = glp_get_col_prim(problem, j + 1);
  if (duals) for (int i = 0; i < m->rows; i++) duals[i] = glp_get_row_dual(problem, i + 1);
  if (m->node_budget < 0 || glp_get_num_int(problem) == 0) { r->status = CGUARD_OPTIMAL; return; }

  search_state state = {0, m->node_budget, 0, r->relaxation, 0, flag, m->iteration_budget, 0};
  glp_iocp search;
  glp_init_iocp(&search);
  // For the lines that `take_text` wants.
  search.msg_lev = GLP_MSG_ON;
  search.out_dly = 0;
  current->iteration_limit = 1000000 + 20L * (m->iteration_budget > 0 ? m->iteration_budget : 0);
  current->seen = 0;
  search.presolve = m->presolve ? GLP_ON : GLP_OFF;
  search.cb_func = on_event;
  search.cb_info = &state;
  search.tol_obj = 1e-9;
  if (m->use_cuts >= 1) {
    search.cov_cuts = GLP_ON;
    search.clq_cuts = GLP_ON;
  }
  if (m->use_cuts >= 2) {
    search.mir_cuts = GLP_ON;
    search.gmi_cuts = GLP_ON;
  }
  r->code = glp_intopt(problem, &search);
  r->nodes = state.nodes;
  r->iterations = state.iterations;
  if (r->code == GLP_ENOPFS || r->code == GLP_ENODFS) { r->status = CGUARD_INFEASIBLE; return; }
  if (r->code != 0 && r->code != GLP_ESTOP) { r->status = CGUARD_FAILED; return; }
  status = glp_mip_status(problem);
  if (status == GLP_OPT || status == GLP_FEAS) {
    r->objective = glp_mip_obj_val(problem);
    for (int j = 0; j < m->columns; j++) x[j] = glp_mip_col_val(problem, j + 1);
    if (state.stopped) {
      r->status = CGUARD_FEASIBLE;
      // The weaker of the two is safe: the relaxation always holds, the tree's bound once it has one.
      if (state.has_bound) {
        r->bound = m->maximise ? fmin(r->relaxation, state.bound) : fmax(r->relaxation, state.bound);
      }
    } else {
      r->status = CGUARD_OPTIMAL;
      r->bound = r->objective;
    }
    return;
  }
  if (state.stopped) {
    r->status = CGUARD_BUDGET;
    if (state.has_bound) {
      r->bound = m->maximise ? fmin(r->relaxation, state.bound) : fmax(r->relaxation, state.bound);
    }
    return;
  }
  r->status = status == GLP_NOFEAS ? CGUARD_INFEASIBLE : CGUARD_FAILED;
}

typedef struct {
  const cguard_model *model;
  const cguard_flag *flag;
  double *x;
  double *duals;
  cguard_result *result;
} solve_arguments;

static void solve_action(void *info) {
  solve_arguments *a = info;
  glp_prob *problem = glp_create_prob();
  solve(problem, a->model, a->flag, a->x, a->duals, a->result);
  glp_delete_prob(problem);
}

void cguard_solve(const cguard_model *model, const cguard_flag *flag, double *x, double *duals, cguard_result *result) {
  memset(result, 0, sizeof *result);
  // Nothing is known until GLPK says so.
  result->bound = result->relaxation = model->maximise ? INFINITY : -INFINITY;
  solve_arguments arguments = {model, flag, x, duals, result};
  switch (guarded(solve_action, &arguments, result->message, sizeof result->message)) {
  case guard_fatal: result->status = CGUARD_FATAL; break;
  case guard_ran_out: result->status = CGUARD_BUDGET; break;
  default: break;
  }
}

struct cguard_session {
  glp_prob *problem;
  /// Address and value of the opening thread's counter: another thread has another address.
  const unsigned long *owner;
  unsigned long environment;
};

static int is_alive(const cguard_session *s) { return s->owner == &environment && s->environment == environment; }

typedef struct {
  cguard_session *session;
  const cguard_model *model;
} open_arguments;

static void open_action(void *info) {
  open_arguments *a = info;
  glp_prob *problem = glp_create_prob();
  build(problem, a->model);
  glp_scale_prob(problem, GLP_SF_AUTO);
  a->session->problem = problem;
  open_sessions++;
}

cguard_session *cguard_open(const cguard_model *model, cguard_result *result) {
  memset(result, 0, sizeof *result);
  cguard_session *session = calloc(1, sizeof *session);
  open_arguments arguments = {session, model};
  if (!session || guarded(open_action, &arguments, result->message, sizeof result->message) != guard_fine) {
    result->status = CGUARD_FATAL;
    free(session);
    return NULL;
  }
  session->owner = &environment;
  session->environment = environment;
  return session;
}

typedef struct {
  cguard_session *session;
  int entries;
  const int *columns;
  const double *values;
  double upper;
} row_arguments;

static void row_action(void *info) {
  row_arguments *a = info;
  int row = glp_add_rows(a->session->problem, 1);
  glp_set_row_bnds(a->session->problem, row, GLP_UP, 0.0, a->upper);
  glp_set_mat_row(a->session->problem, row, a->entries, a->columns, a->values);
}

int cguard_add_row(cguard_session *session, int entries, const int *columns, const double *values, double upper) {
  char message[256] = "";
  if (!is_alive(session)) return 0;
  row_arguments arguments = {session, entries, columns, values, upper};
  return guarded(row_action, &arguments, message, sizeof message) == guard_fine;
}

/// Simplex iterations between two looks at the flag.
enum { iterations_at_once = 1000 };

/// The row combination behind "infeasible": the row of the basis inverse of the variable that cannot move.
static int read_ray(glp_prob *problem, double *duals) {
  int ray = glp_get_unbnd_ray(problem), rows = glp_get_num_rows(problem);
  if (ray <= 0 || !glp_bf_exists(problem)) return 0;
  int position = ray <= rows ? glp_get_row_bind(problem, ray) : glp_get_col_bind(problem, ray - rows);
  if (position <= 0) return 0;
  double *rho = calloc((size_t)rows + 1, sizeof *rho);
  if (!rho) return 0;
  rho[position] = 1;
  glp_btran(problem, rho);
  memcpy(duals, rho + 1, (size_t)rows * sizeof *rho);
  free(rho);
  return 1;
}

typedef struct {
  cguard_session *session;
  const cguard_flag *flag;
  int count;
  const int *columns;
  const double *lower;
  const double *upper;
  int iteration_budget;
  double *x;
  double *duals;
  cguard_result *result;
} relax_arguments;

static void relax_action(void *info) {
  relax_arguments *a = info;
  cguard_result *r = a->result;
  glp_prob *problem = a->session->problem;
  for (int i = 0; i < a->count; i++) {
    double lower = a->lower[i], upper = a->upper[i];
    glp_set_col_bnds(problem, a->columns[i], bound_kind(lower, upper), finite_or_zero(lower), finite_or_zero(upper));
  }
  glp_smcp simplex;
  glp_init_smcp(&simplex);
  simplex.msg_lev = GLP_MSG_OFF;
  simplex.meth = GLP_DUALP;
  simplex.tol_bnd = 1e-9;
  simplex.tol_dj = 1e-9;
  int retried = 0;
  for (;;) {
    long left = a->iteration_budget - r->iterations;
    if (left <= 0 || cguard_is_cancelled(a->flag)) { r->status = CGUARD_BUDGET; break; }
    simplex.it_lim = left < iterations_at_once ? (int)left : iterations_at_once;
    int before = glp_get_it_cnt(problem);
    r->code = glp_simplex(problem, &simplex);
    // One more than GLPK counts, so that a call without progress cannot repeat for ever.
    r->iterations += glp_get_it_cnt(problem) - before + 1;
    if (r->code == GLP_EITLIM) continue;
    if (r->code == 0) break;
    if (retried) { r->status = CGUARD_FAILED; return; }
    // A spoilt basis: once more from the beginning and by the other method.
    retried = 1;
    glp_std_basis(problem);
    simplex.meth = GLP_PRIMAL;
  }
  if (r->status != CGUARD_BUDGET) {
    int status = glp_get_status(problem);
    if (status == GLP_NOFEAS || status == GLP_INFEAS) {
      r->status = CGUARD_INFEASIBLE;
      r->has_ray = read_ray(problem, a->duals);
      return;
    }
    if (status == GLP_UNBND) { r->status = CGUARD_UNBOUNDED; return; }
    r->status = status == GLP_OPT ? CGUARD_OPTIMAL : CGUARD_FAILED;
  }
  r->objective = r->relaxation = r->bound = glp_get_obj_val(problem);
  int columns = glp_get_num_cols(problem), rows = glp_get_num_rows(problem);
  for (int j = 0; j < columns; j++) a->x[j] = glp_get_col_prim(problem, j + 1);
  for (int i = 0; i < rows; i++) a->duals[i] = glp_get_row_dual(problem, i + 1);
}

void cguard_relax(cguard_session *session, const cguard_flag *flag, int count, const int *columns, const double *lower,
                  const double *upper, int iteration_budget, double *x, double *duals, cguard_result *result) {
  memset(result, 0, sizeof *result);
  relax_arguments arguments = {session, flag, count, columns, lower, upper, iteration_budget, x, duals, result};
  if (!is_alive(session)) {
    result->status = CGUARD_FATAL;
    strcpy(result->message, "the session is dead or belongs to another thread");
    return;
  }
  if (guarded(relax_action, &arguments, result->message, sizeof result->message) != guard_fine) {
    result->status = CGUARD_FATAL;
  }
}

typedef struct {
  cguard_session *session;
  int column;
  double *multipliers;
  int found;
} tableau_arguments;

static void tableau_action(void *info) {
  tableau_arguments *a = info;
  glp_prob *problem = a->session->problem;
  if (!glp_bf_exists(problem) || a->column < 1 || a->column > glp_get_num_cols(problem)) return;
  int position = glp_get_col_bind(problem, a->column), rows = glp_get_num_rows(problem);
  double *rho = position > 0 ? calloc((size_t)rows + 1, sizeof *rho) : NULL;
  if (!rho) return;
  rho[position] = 1;
  glp_btran(problem, rho);
  for (int i = 0; i < rows; i++) a->multipliers[i] = -rho[i + 1];
  free(rho);
  a->found = 1;
}

int cguard_tableau_row(cguard_session *session, int column, double *multipliers) {
  char message[256];
  tableau_arguments arguments = {session, column, multipliers, 0};
  return is_alive(session) && guarded(tableau_action, &arguments, message, sizeof message) == guard_fine && arguments.found;
}

static void close_action(void *info) {
  cguard_session *session = info;
  open_sessions--;
  glp_delete_prob(session->problem);
}

void cguard_close(cguard_session *session) {
  char message[256];
  // From another thread the problem is leaked: deleting it there would abort.
  if (is_alive(session)) guarded(close_action, session, message, sizeof message);
  free(session);
}
