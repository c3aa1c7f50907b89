/* Which names are one file: links, spellings, descriptors, and places where nothing is yet. */
#include "unit.h"

#include "io/file_id.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static void make_file(const char *name)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int begin(void **unused)
{
    (void)unused;
    snprintf(folder, sizeof folder, "/tmp/test_file_id_XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int end(void **unused)
{
    (void)unused;
    static const char *const names[] = {"a",    "b",      "hard", "soft", "sub/up", "sub",
                                        "fifo", "dangle", "far",  "x",    "y"};
    for (size_t i = 0; i < FTL_ARRAY_LEN(names); i++)
        (void)remove(names[i]);
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static bool same(const char *a, const char *b)
{
    ftl_file_id left, right;
    ftl_file_id_of_path(a, &left);
    ftl_file_id_of_path(b, &right);
    assert_true(ftl_file_id_equal(&left, &right) == ftl_file_id_equal(&right, &left));
    return ftl_file_id_equal(&left, &right);
}

static void files_by_whatever_name(void **unused)
{
    (void)unused;
    char whole[128];
    make_file("a");
    make_file("b");
    assert_int_equal(mkdir("sub", 0700), 0);
    assert_int_equal(link("a", "hard") | symlink("a", "soft") | symlink("../soft", "sub/up"), 0);
    assert_int_equal(mkfifo("fifo", 0600), 0);
    snprintf(whole, sizeof whole, "%s/a", folder);
    assert_true(same("a", "./a") && same("a", "sub/../a") && same("a", whole) && same("a", "hard"));
    assert_true(same("a", "soft") && same("sub/up", "hard") && same("fifo", "./fifo"));
    assert_false(same("a", "b") || same("a", "fifo") || same("a", "new") || same("a", "sub"));
    assert_false(same("/dev/null", "/dev/null") || same("/dev/tty", "/dev/tty"));
    ftl_file_id by_name, by_number;
    int fd = open("hard", O_RDONLY);
    ftl_file_id_of_descriptor(fd, &by_number);
    ftl_file_id_of_path("soft", &by_name);
    assert_true(ftl_file_id_equal(&by_name, &by_number));
    close(fd);
    ftl_file_id_of_descriptor(fd, &by_number);
    assert_false(by_number.known);
}

static void places_where_nothing_is(void **unused)
{
    (void)unused;
    char out[PATH_MAX], longer[PATH_MAX + 8];
    assert_int_equal(symlink("sub/new", "far") | symlink("far", "dangle"), 0);
    assert_true(same("new", "./new") && same("new", "sub/../new") && same("dangle", "sub/new"));
    assert_false(same("new", "newer") || same("new", "sub/new") || same("no/new", "no/new"));
    assert_true(ftl_follow_links("dangle", out));
    assert_string_equal(out, "sub/new");
    assert_int_equal(symlink("y", "x") | symlink("x", "y"), 0);
    assert_false(ftl_follow_links("x", out));
    assert_int_equal(errno, ELOOP);
    assert_false(same("x", "y") || same("", ""));
    memset(longer, 'a', sizeof longer);
    longer[sizeof longer - 1] = 0;
    assert_false(ftl_follow_links(longer, out) || same(longer, longer));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_by_whatever_name),
        cmocka_unit_test(places_where_nothing_is),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
