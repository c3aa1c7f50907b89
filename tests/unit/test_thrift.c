/* Thrift's compact protocol: values of every type, skipping, damage, and no more depth than there
 * may be. */
#include "io/thrift.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

/* Fields: 1 i32 -3, 2 true, 3 binary "ab", 20 i64 2^40, 21 a list of 2 structs { 1 i16 7 }. */
static const uint8_t example[] = {0x15, 0x05, 0x11, 0x18, 0x02, 'a',  'b',  0x06,
                                  0x28, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40, 0x19,
                                  0x2c, 0x14, 0x0e, 0x00, 0x14, 0x0e, 0x00, 0x00};

typedef struct content {
    int32_t number;
    bool flag;
    uint32_t text_size;
    const uint8_t *text;
    int64_t big;
    int32_t items, sum;
} content;

static content read_example(ftl_thrift *in)
{
    content c = {0};
    ftl_thrift_struct s, item;
    ftl_thrift_items items;
    ftl_thrift_begin(in, &s);
    while (ftl_thrift_next(in, &s)) {
        switch (s.field) {
        case 1:
            c.number = ftl_thrift_i32(in, &s);
            break;
        case 2:
            c.flag = ftl_thrift_bool(in, &s);
            break;
        case 3:
            c.text = ftl_thrift_binary(in, &s, &c.text_size);
            break;
        case 20:
            c.big = ftl_thrift_i64(in, &s);
            break;
        case 21:
            items = ftl_thrift_list(in, &s, FTL_THRIFT_STRUCT);
            for (uint32_t i = 0; i < items.count; i++, c.items++) {
                ftl_thrift_begin(in, &item);
                while (ftl_thrift_next(in, &item))
                    c.sum += ftl_thrift_i32(in, &item);
            }
            break;
        default:
            ftl_thrift_skip(in, &s);
        }
    }
    return c;
}

static void reads_values(void **unused)
{
    (void)unused;
    ftl_thrift in;
    ftl_thrift_init(&in, example, sizeof example);
    content c = read_example(&in);
    assert_null(in.failed);
    assert_int_equal(in.at, sizeof example);
    assert_int_equal(in.depth, 0);
    assert_int_equal(c.number, -3);
    assert_true(c.flag);
    assert_int_equal(c.text_size, 2);
    assert_memory_equal(c.text, "ab", 2);
    assert_int_equal(c.big, INT64_C(1) << 40);
    assert_int_equal(c.items, 2);
    assert_int_equal(c.sum, 14);
    assert_int_equal(ftl_thrift_status(&in, "it", 0, NULL), FTL_OK);
}

static void skips_what_it_does_not_know(void **unused)
{
    (void)unused;
    /* a double, a set of bools, a map of i32 to binary, an empty map, a list of lists, a uuid */
    static const uint8_t other[] = {0x17, 1,    2,  3,    4,  5,  6,   7,  8,    0x1a, 0x21, 1,
                                    2,    0x1b, 2,  0x58, 2,  1,  'x', 4,  0,    0x1b, 0,    0x19,
                                    0x19, 0x13, 9,  0x1d, 0,  1,  2,   3,  4,    5,    6,    7,
                                    8,    9,    10, 11,   12, 13, 14,  15, 0x13, 7,    0x00};
    ftl_thrift in;
    ftl_thrift_struct s;
    ftl_thrift_init(&in, example, sizeof example);
    ftl_thrift_begin(&in, &s);
    while (ftl_thrift_next(&in, &s))
        ftl_thrift_skip(&in, &s);
    assert_null(in.failed);
    assert_int_equal(in.at, sizeof example);
    ftl_thrift_init(&in, other, sizeof other);
    ftl_thrift_begin(&in, &s);
    while (ftl_thrift_next(&in, &s))
        ftl_thrift_skip(&in, &s);
    assert_null(in.failed);
    assert_int_equal(in.at, sizeof other);
}

static void ends_at_every_place(void **unused)
{
    (void)unused;
    for (size_t size = 0; size < sizeof example; size++) {
        ftl_thrift in;
        uint8_t *exact = malloc(size ? size : 1);
        memcpy(exact, example, size);
        ftl_thrift_init(&in, exact, size);
        read_example(&in);
        assert_true(in.ended);
        ftl_error error;
        assert_int_equal(ftl_thrift_status(&in, "the footer", 100, &error), FTL_CORRUPT);
        assert_string_equal(error.message, "the footer is damaged: it ends too early");
        assert_true(error.offset >= 100);
        free(exact);
    }
}

static void fails(const char *bytes, size_t size, const char *message)
{
    ftl_thrift in;
    ftl_error error;
    ftl_thrift_init(&in, (const uint8_t *)bytes, size);
    read_example(&in);
    assert_int_equal(ftl_thrift_status(&in, "it", 0, &error), FTL_CORRUPT);
    assert_non_null(strstr(error.message, message));
    assert_false(in.ended);
}

static void tells_damage(void **unused)
{
    (void)unused;
    fails("\x18\x01x\x00", 4, "another type"); /* text for a number */
    fails("\x15\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 11, "longer than 64 bits");
    fails("\x15\x80\x80\x80\x80\x80\x01\x00", 8, "longer than 32 bits");
    fails("\x1f\x00", 2, "no number or type");
    fails("\x05\xff\xff\x7f\x00", 5, "no number or type");     /* a field's number */
    fails("\x25\x02\x00", 3, "another type");                  /* a number for a bool */
    fails("\x99\x10\x00\x00\x00", 5, "no type that there is"); /* a list, skipped */
    fails("\x09\x2a\x15\x00\x00\x00", 6, "another type");      /* a list of numbers */
}

static void does_not_go_too_deep(void **unused)
{
    (void)unused;
    enum { levels = 100000 };
    ftl_thrift in;
    ftl_thrift_struct s;
    char *bytes = malloc(levels);
    memset(bytes, 0x1c, levels); /* structs in structs */
    ftl_thrift_init(&in, (const uint8_t *)bytes, levels);
    ftl_thrift_begin(&in, &s);
    while (ftl_thrift_next(&in, &s))
        ftl_thrift_skip(&in, &s);
    assert_non_null(in.failed);
    assert_non_null(strstr(in.failed, "nested too deeply"));
    memset(bytes, 0x19, levels); /* lists of lists */
    ftl_thrift_init(&in, (const uint8_t *)bytes, levels);
    ftl_thrift_begin(&in, &s);
    while (ftl_thrift_next(&in, &s))
        ftl_thrift_skip(&in, &s);
    assert_non_null(in.failed);
    assert_non_null(strstr(in.failed, "nested too deeply"));
    free(bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_values),         cmocka_unit_test(skips_what_it_does_not_know),
        cmocka_unit_test(ends_at_every_place),  cmocka_unit_test(tells_damage),
        cmocka_unit_test(does_not_go_too_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
