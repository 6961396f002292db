/* Everything one call needs to compute with, allocated once; matrices of one vector of chains. */
#ifndef DOAMC_WORKSPACE_H
#define DOAMC_WORKSPACE_H

#include "lanes.h"
#include "model.h"

struct term { int64_t k; double re, im; };                          /* a coefficient's share of an entry */
/* an entry of the response that is not always zero; terms from middle on have complex coefficients */
struct cell { int64_t i, j, first, middle, end; double re, im; };

struct workspace {
    void *block;
    struct cell *cells;
    struct term *terms;
    int64_t n_cells;
    cvec *a, *da, *dh;              /* (J N, P) amplitude times steering vectors, their derivatives by azimuth and by height */
    cvec *c, *unit;                 /* (K') coefficients, and e^{i phase} of each */
    cvec *v, *w;                    /* (N, P) V = C A Gamma, Rhat V */
    cvec *m, *q, *gamma;            /* (P, P) V^H V + s2 I, V^H Rhat V, factor of the correlations */
    cvec *inverse, *e, *h;          /* (P, P) */
    cvec *dv, *u, *z, *ru;          /* (N, P) */
    cvec *moved, *slopes, *side, *inner; /* (K', N, P), (d, N, P), (d, N, P), (d, P, P) */
    vec *x, *now, *gradient, *f, *factors; /* (d), (d), (d), (d, d), (d, d) */
};

/* List of the response's entries with the terms that make them; the arrays have room for all. */
static inline void list_cells(struct workspace *w, const struct model *m)
{
    int64_t terms = 0;
    w->n_cells = 0;
    for (int64_t i = 0; i < m->n; ++i)
        for (int64_t j = 0; j < m->wide; ++j) {
            const double *own = m->mean + 2 * (i * m->wide + j);
            struct cell cell = {i, j, terms, terms, terms, own[0], own[1]};
            for (int64_t k = 0; k < m->n_patterns; ++k) {
                if (k == m->n_real) cell.middle = terms;
                const double *b = m->patterns + 2 * ((k * m->n + i) * m->wide + j);
                if (b[0] != 0 || b[1] != 0) w->terms[terms++] = (struct term){k, b[0], b[1]};
            }
            cell.end = terms;
            if (m->n_patterns == m->n_real) cell.middle = terms;
            if (terms > cell.first || own[0] != 0 || own[1] != 0) w->cells[w->n_cells++] = cell;
        }
}

static inline int open_workspace(struct workspace *w, const struct model *m)
{
    if (!valid(m)) return NOT_VALID;
    const uint64_t n = (uint64_t)m->n, wide = (uint64_t)m->wide, p = (uint64_t)m->n_sources, d = (uint64_t)m->size;
    const uint64_t k = (uint64_t)m->n_patterns, np = n * p, pp = p * p;
    const struct { cvec **at; uint64_t size; } pairs[] = {
        {&w->a, wide * p}, {&w->da, wide * p}, {&w->dh, m->elevated ? wide * p : 0}, {&w->c, k}, {&w->unit, k}, {&w->v, np}, {&w->w, np}, {&w->m, pp},
        {&w->q, pp}, {&w->gamma, pp}, {&w->inverse, pp}, {&w->e, pp}, {&w->h, pp}, {&w->dv, np}, {&w->u, np},
        {&w->z, np}, {&w->ru, np}, {&w->moved, k * np}, {&w->slopes, d * np}, {&w->side, d * np}, {&w->inner, d * pp},
    };
    const struct { vec **at; uint64_t size; } singles[] = {
        {&w->x, d}, {&w->now, d}, {&w->gradient, d}, {&w->f, d * d}, {&w->factors, d * d},
    };
    const int n_pairs = sizeof pairs / sizeof *pairs, n_singles = sizeof singles / sizeof *singles;
    uint64_t vectors = 0; /* sizes are below 2^12, so that no sum here wraps */
    for (int i = 0; i < n_pairs; ++i) vectors += 2 * pairs[i].size;
    for (int i = 0; i < n_singles; ++i) vectors += singles[i].size;
    const uint64_t bytes = sizeof(vec) * (vectors + 1) + n * wide * (sizeof *w->cells + k * sizeof *w->terms);
    if (bytes > SIZE_MAX) return NO_MEMORY;
    w->block = malloc((size_t)bytes);
    if (!w->block) return NO_MEMORY;
    char *at = aligned(w->block);
    for (int i = 0; i < n_pairs; ++i, at += 2 * sizeof(vec) * pairs[i - 1].size) *pairs[i].at = (cvec *)at;
    for (int i = 0; i < n_singles; ++i, at += sizeof(vec) * singles[i - 1].size) *singles[i].at = (vec *)at;
    w->cells = (struct cell *)at;
    w->terms = (struct term *)(at + n * wide * sizeof *w->cells);
    list_cells(w, m);
    return DONE;
}

#endif
