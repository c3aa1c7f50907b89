/* The registry finds every class that it lists, by any module of its package, and nothing else. */
#include "unit.h"

#include "estimators/families.h"
#include "foretell/foretell.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

static size_t count_classes(void)
{
    size_t n = 0;
    const ftl_registry *registry = ftl_estimator_registry();
    for (const ftl_estimator_class *const *family = registry->families; *family; family++) {
        for (const ftl_estimator_class *cls = *family; cls->name; cls++)
            n++;
    }
    return n;
}

static void every_class_is_found(void **state)
{
    (void)state;
    const ftl_registry *registry = ftl_estimator_registry();
    size_t n = 0, own = 0;
    char module[200];
    for (const ftl_estimator_class *const *family = registry->families; *family; family++) {
        for (const ftl_estimator_class *cls = *family; cls->name; cls++, n++) {
            own += strcmp(cls->package, "foretell") == 0; /* chains, which are in no file */
            if (ftl_registry_find(registry, cls->package, cls->name) != cls)
                fail_msg("%s.%s is not found", cls->package, cls->name);
            (void)snprintf(module, sizeof module, "%s._private.part", cls->package);
            assert_ptr_equal(ftl_registry_find(registry, module, cls->name), cls);
            (void)snprintf(module, sizeof module, "%sx", cls->package);
            assert_ptr_not_equal(ftl_registry_find(registry, module, cls->name), cls);
        }
    }
    assert_true(n > 100);
    n -= own;
    ftl_class_info last = {.struct_size = sizeof last};
    assert_int_equal(ftl_supported_class(n - 1, &last), FTL_OK);
    assert_int_equal(ftl_supported_class(n, &last), FTL_ARG);
}

static void unknown_names_are_not_found(void **state)
{
    (void)state;
    const ftl_registry *registry = ftl_estimator_registry();
    assert_null(ftl_registry_find(registry, "sklearn.ensemble", "NoSuchClassifier"));
    assert_null(ftl_registry_find(registry, "sklearn.ensemble", ""));
    assert_null(ftl_registry_find(registry, "", "RandomForestClassifier"));
    assert_null(ftl_registry_find(registry, "sklearn", "RandomForestClassifier"));
    assert_null(ftl_registry_find(registry, "sklearn.tree", "RandomForestClassifier"));
}

/* All classes fit with room to spare, and too many are told. */
static void room(void **state)
{
    (void)state;
    assert_true(count_classes() <= FTL_REGISTRY_SLOTS / 2);
    static ftl_registry made;
    static ftl_estimator_class many[FTL_REGISTRY_SLOTS + 1];
    static const ftl_estimator_class *const families[] = {many, NULL};
    for (size_t i = 0; i < FTL_REGISTRY_SLOTS; i++)
        many[i] = (ftl_estimator_class){.package = "p", .name = "SameName"};
    made.families = families;
    assert_false(ftl_registry_index(&made));
    assert_ptr_equal(ftl_registry_find(&made, "p", "SameName"), &many[0]);
    assert_null(ftl_registry_find(&made, "q", "SameName"));
}

static void *find_forest(void *out)
{
    *(const ftl_estimator_class **)out = ftl_registry_find(
        ftl_estimator_registry(), "sklearn.ensemble._forest", "RandomForestClassifier");
    return NULL;
}

static void first_use_by_many_threads(void **state)
{
    (void)state;
    enum { THREADS = 8 };
    pthread_t threads[THREADS];
    const ftl_estimator_class *found[THREADS] = {NULL};
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, find_forest, (void *)&found[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; i++)
        assert_true(found[i] && strcmp(found[i]->name, "RandomForestClassifier") == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_use_by_many_threads), cmocka_unit_test(every_class_is_found),
        cmocka_unit_test(unknown_names_are_not_found), cmocka_unit_test(room)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
