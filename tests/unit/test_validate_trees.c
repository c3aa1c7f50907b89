/* The proof that node arrays are trees, against a slow one: random trees in and out of depth-first
 * order, with numbers changed. */
#include "unit.h"

#include "model/ir.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

enum { MOST = 41, FEATURES = 3 };

typedef struct arrays {
    uint32_t size, root[2];
    int32_t feature[MOST], left[MOST], right[MOST], leaf[MOST];
    double threshold[MOST];
    uint8_t flags[MOST];
} arrays;

static uint32_t draw(uint64_t *random, uint32_t below)
{
    *random = *random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*random >> 33) % below;
}

/* A tree of so many splits: leaves become splits until there are enough. Depth first, or in the
 * order of growth. */
static void grow(arrays *a, uint32_t splits, bool depth_first, uint64_t *random)
{
    int32_t left[MOST] = {0}, right[MOST] = {0}, place[MOST], stack[MOST];
    uint32_t size = 1, top = 0, next = 0, leaves = 0;
    for (uint32_t n = 0; n < splits; n++) {
        uint32_t at = draw(random, size);
        while (left[at])
            at = (at + 1) % size;
        left[at] = (int32_t)size++;
        right[at] = (int32_t)size++;
    }
    stack[top++] = 0;
    while (top) { /* the new place of each node */
        int32_t at = stack[--top];
        place[at] = depth_first ? (int32_t)next++ : at;
        if (left[at]) {
            stack[top++] = right[at];
            stack[top++] = left[at];
        }
    }
    memset(a, 0, sizeof *a);
    a->size = a->root[1] = size;
    for (uint32_t i = 0; i < size; i++) {
        int32_t at = place[i];
        a->flags[at] = left[i] ? 0 : FTL_NODE_LEAF;
        a->left[at] = left[i] ? place[left[i]] : 0;
        a->right[at] = left[i] ? place[right[i]] : 0;
        a->leaf[at] = left[i] ? -1 : (int32_t)leaves++;
        a->feature[at] = (int32_t)draw(random, FEATURES);
    }
}

static void spoil(arrays *a, uint64_t *random)
{
    static const int32_t odd[] = {-1, INT32_MIN, INT32_MAX, MOST, 0};
    uint32_t at = draw(random, a->size);
    int32_t number = draw(random, 2) ? odd[draw(random, 5)] : (int32_t)draw(random, a->size + 1);
    switch (draw(random, 6)) {
    case 0:
        a->left[at] = number;
        break;
    case 1:
        a->right[at] = number;
        break;
    case 2:
        a->feature[at] = number;
        break;
    case 3:
        a->leaf[at] = number;
        break;
    case 4:
        a->threshold[at] = (double)NAN;
        break;
    default:
        a->flags[at] ^= FTL_NODE_LEAF;
        break;
    }
}

static bool is_good(const arrays *a, uint32_t n_values)
{
    bool used[MOST] = {true};
    for (uint32_t i = 0; i < a->size; i++) {
        if (a->flags[i] & FTL_NODE_LEAF) {
            if (a->leaf[i] < 0 || (uint32_t)a->leaf[i] >= n_values)
                return false;
            continue;
        }
        const int32_t children[] = {a->left[i], a->right[i]};
        for (int k = 0; k < 2; k++) {
            if (children[k] < 0 || (uint32_t)children[k] >= a->size || used[children[k]])
                return false;
            used[children[k]] = true;
        }
        if (a->feature[i] < 0 || a->feature[i] >= FEATURES || isnan(a->threshold[i]))
            return false;
    }
    return true;
}

static void agrees(void **state)
{
    (void)state;
    uint64_t random = 1;
    uint32_t good = 0, bad = 0;
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    for (uint32_t round = 0; round < 60000; round++) {
        arrays a;
        uint32_t splits = draw(&random, MOST / 2 + 1), harm = draw(&random, 3);
        const double values[MOST] = {0};
        grow(&a, splits, round % 2, &random);
        for (uint32_t i = 0; i < harm; i++)
            spoil(&a, &random);
        ftl_tree_nodes nodes = {.n_trees = 1,
                                .n_nodes = a.size,
                                .root = a.root,
                                .flags = a.flags,
                                .feature = a.feature,
                                .threshold = a.threshold,
                                .left = a.left,
                                .right = a.right,
                                .leaf = a.leaf,
                                .n_values = splits + 1,
                                .value_width = 1,
                                .values = values};
        ftl_error error;
        ftl_status status = ftl_tree_nodes_validate(&nodes, FEATURES, &account, &error);
        if (status != (is_good(&a, splits + 1) ? FTL_OK : FTL_CORRUPT))
            fail_msg("round %u gives %s", round, ftl_status_name(status));
        good += status == FTL_OK;
        bad += status != FTL_OK;
    }
    assert_true(good > 10000 && bad > 10000);
    assert_int_equal(ftl_account_used(&account), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(agrees)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
