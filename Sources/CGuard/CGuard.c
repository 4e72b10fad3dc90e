#include "CGuard.h"

#include <glpk.h>
#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
  jmp_buf escape;
  char text[256];
} guard;

/// Keeps the first text that GLPK prints (of an error, the cause) and lets nothing through to the terminal.
static int keep_text(void *info, const char *text) {
  guard *g = info;
  if (g->text[0]) return 1;
  strncpy(g->text, text, sizeof g->text - 1);
  g->text[sizeof g->text - 1] = 0;
  return 1;
}

static void escape(void *info) { longjmp(((guard *)info)->escape, 1); }

typedef struct {
  long nodes;
  long budget;
  int stopped;
  double bound;
  int has_bound;
} search_state;

/// Counts the nodes and stops at the budget: counts are the same on every machine, seconds are not.
static void on_event(glp_tree *tree, void *info) {
  search_state *state = info;
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

static void solve(glp_prob *problem, const cguard_model *m, double *x, double *duals, cguard_result *r) {
  build(problem, m);
  glp_smcp simplex;
  glp_init_smcp(&simplex);
  simplex.msg_lev = GLP_MSG_OFF;
  simplex.presolve = m->presolve ? GLP_ON : GLP_OFF;
  simplex.it_lim = m->iteration_budget;
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

  search_state state = {0, m->node_budget, 0, r->relaxation, 0};
  glp_iocp search;
  glp_init_iocp(&search);
  search.msg_lev = GLP_MSG_OFF;
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

void cguard_solve(const cguard_model *model, double *x, double *duals, cguard_result *result) {
  // On the heap, so that its contents are defined after the jump.
  guard *g = calloc(1, sizeof *g);
  memset(result, 0, sizeof *result);
  if (!g) {
    result->status = CGUARD_FATAL;
    strcpy(result->message, "out of memory");
    return;
  }
  if (setjmp(g->escape)) {
    result->status = CGUARD_FATAL;
    strncpy(result->message, g->text, sizeof result->message - 1);
    glp_term_hook(NULL, NULL);
    glp_error_hook(NULL, NULL);
    // Frees the broken problem too; every later call on this thread starts a new environment.
    glp_free_env();
    free(g);
    return;
  }
  glp_term_hook(keep_text, g);
  glp_error_hook(escape, g);
  glp_prob *problem = glp_create_prob();
  solve(problem, model, x, duals, result);
  glp_delete_prob(problem);
  glp_error_hook(NULL, NULL);
  glp_term_hook(NULL, NULL);
  glp_free_env();
  free(g);
}
