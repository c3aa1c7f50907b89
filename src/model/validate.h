/*
 * The parts of ftl_graph_validate: walking an operation's parameters by their description, and one
 * function for each operation of which the description cannot say everything, in
 * validate_<family>.c. Those run after the walk: every array is there and as long as described,
 * every enumeration, BELOW and STARTS holds.
 */
#ifndef FTL_MODEL_VALIDATE_H
#define FTL_MODEL_VALIDATE_H

#include "model/describe.h"

/* One operation that is being proved. */
typedef struct ftl_proof {
    const ftl_graph *graph;
    size_t id;
    const ftl_op *op;
    uint32_t columns; /* of its sources */
    ftl_account *scratch;
} ftl_proof;

/* A failed proof: the front end emitted something that the file made inconsistent. */
#define FTL_INVALID(error, ...) FTL_FAIL((error), FTL_CORRUPT, __VA_ARGS__)

/* Every field of the operation's parameters, as described. */
FTL_MUST_USE ftl_status ftl_validate_parameters(const ftl_proof *proof, ftl_error *error);

/* The operation's own check: what its description cannot say. */
FTL_MUST_USE ftl_status ftl_validate_rest(const ftl_proof *proof, ftl_error *error);

#define OP(kind, name, parameters, reads, yields, width, dtype, traits, check) \
    ftl_status ftl_check_##check(const ftl_proof *proof, ftl_error *error);
#include "model/ops/ops.def"
#undef OP

#endif
