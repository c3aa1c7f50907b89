/* What CatBoost models are made of: the hash of categories, and FlatBuffers that lie. */
#include "base/cityhash.h"
#include "io/flatbuf.h"
#include "unit.h"

#include <string.h>

static uint32_t category(const char *text) { return (uint32_t)ftl_cityhash64(text, strlen(text)); }

/* A text of n letters. */
static uint32_t letters(char letter, size_t n)
{
    char text[256];
    memset(text, letter, n);
    return (uint32_t)ftl_cityhash64(text, n);
}

/* What CatBoost 1.2.10 itself writes for these categories; every length mixes in another way. */
static void hashes_are_those_of_the_library(void **state)
{
    (void)state;
    assert_int_equal(category(""), 797982799);
    assert_int_equal(category("a"), 3489901818U);
    assert_int_equal(category("abc"), 978243121);
    assert_int_equal(category("abcd"), 345588365);
    assert_int_equal(category("12345678"), 1054993967);
    assert_int_equal(category("123456789"), 1389760245);
    assert_int_equal(category("sixteen letters!"), 1409682486);
    assert_int_equal(category("seventeen letters"), 3714021364U);
    assert_int_equal(category("\xe6\x97\xa5\xe6\x9c\xac"), 2454628577U);
    assert_int_equal(letters('x', 32), 664286079);
    assert_int_equal(letters('y', 33), 3368352023U);
    assert_int_equal(letters('z', 64), 2725922757U);
    assert_int_equal(letters('w', 65), 1141626801);
    assert_int_equal(letters('v', 128), 1639191936);
}

/* vtable {size 10, table 12, fields at 4, 0 (absent), 8}, table, text */
static const uint8_t good[] = {16, 0, 0, 0, 10, 0, 12, 0, 4, 0, 0, 0, 8, 0, 0,   0,   12, 0,
                               0,  0, 7, 0, 0,  0, 4,  0, 0, 0, 2, 0, 0, 0, 'h', 'i', 0,  0};

static void fields_are_found(void **state)
{
    (void)state;
    ftl_flatbuf buffer;
    ftl_fb_init(&buffer, good, sizeof good);
    ftl_fb_table root = ftl_fb_root(&buffer);
    assert_int_equal(ftl_fb_i32(&root, 0, -1), 7);
    assert_int_equal(ftl_fb_i32(&root, 1, -1), -1);
    assert_int_equal(ftl_fb_i32(&root, 3, -1), -1);
    ftl_fb_text text = ftl_fb_string(&root, 2);
    assert_int_equal(text.size, 2);
    assert_memory_equal(text.text, "hi", 2);
    assert_int_equal(ftl_fb_status(&buffer, "it", NULL), FTL_OK);
}

/* Any byte may say anything: nothing outside is read, and the same bytes end in an error or not. */
static void no_byte_leads_outside(void **state)
{
    (void)state;
    for (size_t at = 0; at < sizeof good; at++) {
        for (unsigned value = 0; value < 256; value += 3) {
            uint8_t bytes[sizeof good];
            memcpy(bytes, good, sizeof good);
            bytes[at] = (uint8_t)value;
            for (size_t size = sizeof good - 3; size <= sizeof good; size++) {
                ftl_flatbuf buffer;
                ftl_fb_init(&buffer, bytes, size);
                ftl_fb_table root = ftl_fb_root(&buffer), child = ftl_fb_child(&root, 2);
                ftl_fb_text text = ftl_fb_string(&root, 2);
                ftl_fb_vector items = ftl_fb_items(&root, 2, 4);
                (void)ftl_fb_i32(&child, 0, 0);
                (void)ftl_fb_f64(&root, 0, 0);
                for (uint32_t i = 0; i < text.size; i++)
                    assert_true(text.text + i < (const char *)bytes + size);
                for (uint32_t i = 0; i < items.count && i < 4; i++)
                    (void)ftl_fb_table_at(&items, i);
            }
        }
    }
}

static void what_is_cut_off_is_damaged(void **state)
{
    (void)state;
    for (size_t size = 0; size < 34; size++) {
        ftl_flatbuf buffer;
        ftl_error error;
        ftl_error_clear(&error);
        ftl_fb_init(&buffer, good, size);
        ftl_fb_table root = ftl_fb_root(&buffer);
        ftl_fb_text text = ftl_fb_string(&root, 2);
        assert_int_equal(text.size, 0);
        assert_int_equal(ftl_fb_status(&buffer, "the file", &error), FTL_CORRUPT);
        assert_non_null(strstr(error.message, "the file is damaged"));
    }
}

/* A vector that is used again and again runs into the budget. */
static void shared_vectors_do_not_unfold(void **state)
{
    (void)state;
    static uint8_t bytes[1 << 16];
    memcpy(bytes, good, sizeof good);
    uint32_t size = sizeof bytes - sizeof good;
    memcpy(bytes + 28, &size, sizeof size);
    ftl_flatbuf buffer;
    ftl_fb_init(&buffer, bytes, sizeof bytes);
    ftl_fb_table root = ftl_fb_root(&buffer);
    unsigned n = 0;
    while (ftl_fb_string(&root, 2).size && n < 1000)
        n++;
    assert_in_range(n, 60, 70);
    assert_int_equal(ftl_fb_status(&buffer, "it", NULL), FTL_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hashes_are_those_of_the_library),
        cmocka_unit_test(fields_are_found),
        cmocka_unit_test(no_byte_leads_outside),
        cmocka_unit_test(what_is_cut_off_is_damaged),
        cmocka_unit_test(shared_vectors_do_not_unfold),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
