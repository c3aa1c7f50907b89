/* Processors that a process may use: quotas of control groups in made trees of files. */
#include "unit.h"

#include "base/cpu_count.h"
#include "base/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/ftl-cpu-count-XXXXXX";

/* Writes root/path with the folders above it. */
static void put(const char *path, const char *text)
{
    char full[512];
    snprintf(full, sizeof full, "%s%s", root, path);
    for (char *slash = strchr(full + sizeof root, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(full, 0777);
        *slash = '/';
    }
    FILE *file = fopen(full, "wb");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void no_files_mean_no_quota(void **unused)
{
    (void)unused;
    assert_int_equal(ftl_cpu_quota("/nonexistent"), 0);
    put("/proc/self/cgroup", "0::/a/b\n");
    assert_int_equal(ftl_cpu_quota(root), 0);
}

static void version_2_takes_the_least_of_the_ancestors(void **unused)
{
    (void)unused;
    put("/proc/self/cgroup", "0::/a/b\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    assert_int_equal(ftl_cpu_quota(root), 0);
    put("/sys/fs/cgroup/a/cpu.max", "350000 100000\n");
    assert_int_equal(ftl_cpu_quota(root), 4); /* three and a half processors keep four busy */
    put("/sys/fs/cgroup/a/b/cpu.max", "10000 100000\n");
    assert_int_equal(ftl_cpu_quota(root), 1);
    put("/sys/fs/cgroup/a/b/cpu.max", "800000 100000");
    assert_int_equal(ftl_cpu_quota(root), 4);
    /* A group whose folder is not to be seen: what holds for the mounted tree holds for it. */
    put("/sys/fs/cgroup/cpu.max", "200000 100000\n");
    put("/proc/self/cgroup", "0::/docker/elsewhere\n");
    assert_int_equal(ftl_cpu_quota(root), 2);
    put("/proc/self/cgroup", "0::/../../a\n");
    assert_int_equal(ftl_cpu_quota(root), 2);
    put("/sys/fs/cgroup/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
}

static void version_1_has_a_file_each(void **unused)
{
    (void)unused;
    put("/proc/self/cgroup", "12:cpuset:/x\n4:cpu,cpuacct:/x/y\n1:name=systemd:/x\n0::/\n");
    put("/sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_quota_us", "-1\n");
    put("/sys/fs/cgroup/cpu,cpuacct/x/y/cpu.cfs_period_us", "100000\n");
    assert_int_equal(ftl_cpu_quota(root), 0);
    put("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_quota_us", "250000\n");
    assert_int_equal(ftl_cpu_quota(root), 0); /* without a period it says nothing */
    put("/sys/fs/cgroup/cpu,cpuacct/x/cpu.cfs_period_us", "100000\n");
    assert_int_equal(ftl_cpu_quota(root), 3);
    put("/proc/self/cgroup", "4:cpuacct,cpu:/z\n");
    put("/sys/fs/cgroup/cpu/z/cpu.cfs_quota_us", "100000\n");
    put("/sys/fs/cgroup/cpu/z/cpu.cfs_period_us", "50000\n");
    assert_int_equal(ftl_cpu_quota(root), 2);
    put("/proc/self/cgroup", "5:cpuset,cpuacct:/z\n"); /* neither of them is cpu */
    assert_int_equal(ftl_cpu_quota(root), 0);
}

static void nonsense_is_no_quota(void **unused)
{
    (void)unused;
    static const char *const quotas[] = {"",
                                         "\n",
                                         " ",
                                         "0 100000\n",
                                         "100000\n",
                                         "100000 0\n",
                                         "100000 -1\n",
                                         "-100000 100000\n",
                                         "+1 1\n",
                                         "1 1 1\n",
                                         "1e5 100000\n",
                                         "99999999999999999999999 1\n",
                                         "18446744073709551615 1\n",
                                         "100000 99999999999999999999999\n",
                                         "100000 100000x\n"};
    put("/proc/self/cgroup", "0::/n\n");
    for (size_t i = 0; i < FTL_ARRAY_LEN(quotas); i++) {
        put("/sys/fs/cgroup/n/cpu.max", quotas[i]);
        assert_int_equal(ftl_cpu_quota(root), 0);
    }
    put("/sys/fs/cgroup/n/cpu.max", "100000 100000\n");
    static const char *const groups[] = {"",      "\n\n\n", "0",       "0:",     "0:\n",
                                         ":::\n", "0::n\n", "x::/n\n", "7:cpu\n"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(groups); i++) {
        put("/proc/self/cgroup", groups[i]);
        assert_int_equal(ftl_cpu_quota(root), 0);
    }
    /* A path that no buffer holds is left out; the next line counts. */
    static char lines[10000];
    snprintf(lines, sizeof lines, "0::/%09000d\n0::/n\n", 0);
    put("/proc/self/cgroup", lines);
    assert_int_equal(ftl_cpu_quota(root), 1);
}

static void this_process_has_a_processor(void **unused)
{
    (void)unused;
    uint32_t n = ftl_cpu_count();
    assert_true(n >= 1 && (long)n <= sysconf(_SC_NPROCESSORS_CONF));
}

static int make_root(void **unused)
{
    (void)unused;
    return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **unused)
{
    (void)unused;
    char command[128];
    snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_files_mean_no_quota),
        cmocka_unit_test(version_2_takes_the_least_of_the_ancestors),
        cmocka_unit_test(version_1_has_a_file_each),
        cmocka_unit_test(nonsense_is_no_quota),
        cmocka_unit_test(this_process_has_a_processor),
    };
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
