/* What files are that are not pickles, and that no pickle is taken for another file. */
#include "formats/sniff.h"
#include "unit.h"

#include <string.h>

typedef struct sample {
    const char *bytes;
    size_t size;
    ftl_status status;
    const char *says;
} sample;

#define IS(bytes_, status_, says_) {bytes_, sizeof bytes_ - 1, status_, says_}

static void check(const sample *samples, size_t n)
{
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    for (size_t i = 0; i < n; i++) {
        ftl_stream *stream;
        ftl_error error;
        ftl_error_clear(&error);
        assert_int_equal(
            ftl_stream_open_memory(&account, samples[i].bytes, samples[i].size, &stream, NULL),
            FTL_OK);
        ftl_file_kind kind;
        ftl_status status = ftl_sniff(stream, &kind, &error);
        if (status != samples[i].status || !strstr(error.message, samples[i].says))
            fail_msg("sample %zu: %s \"%s\", not %s \"%s\"", i, ftl_status_name(status),
                     error.message, ftl_status_name(samples[i].status), samples[i].says);
        assert_int_equal(ftl_stream_offset(stream), 0);
        ftl_stream_close(stream);
    }
    assert_int_equal(ftl_account_used(&account), 0);
}

static void other_files_are_named(void **state)
{
    (void)state;
    static const sample samples[] = {
        IS("", FTL_CORRUPT, "empty"),
        IS("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", FTL_CORRUPT,
           "git lfs pull"),
        IS("PAR1\x15\x04", FTL_UNSUPPORTED, "Parquet"),
        IS("\x93NUMPY\x01\0", FTL_UNSUPPORTED, "NumPy array"),
        IS("\x89HDF\r\n\x1a\n\0", FTL_UNSUPPORTED, "Keras"),
        IS("tree\nnum_class=1\n", FTL_UNSUPPORTED, "LightGBM before 2.1"),
        /* what boosters dump for people: the message says what to save instead */
        IS("{\"name\": \"tree\", \"version\": \"v4\", \"num_class\": 1, "
           "\"num_tree_per_iteration\": 1",
           FTL_UNSUPPORTED, "booster.save_model('model.txt')"),
        IS("booster[0]:\n0:[f0<0.5] yes=1,no=2,missing=2\n", FTL_UNSUPPORTED,
           "booster.save_model('model.json')"),
        IS("[\n  { \"nodeid\": 0, \"depth\": 0", FTL_UNSUPPORTED, "XGBoost's dump_model"),
        IS("[\"0:[f0<0.5] yes=1,no=2\\n\"]", FTL_UNSUPPORTED, "XGBoost's get_dump"),
        IS("{\n\"features_info\":\n{", FTL_UNSUPPORTED, "model.save_model('model.cbm')"),
        IS("###  Model data\nclass catboost_model(object):\n", FTL_UNSUPPORTED,
           "CatBoost's Python export"),
        IS("{\"a\": 1}", FTL_UNSUPPORTED, "JSON"),
        IS("\x08\x08\x12\x08skl2onnx", FTL_UNSUPPORTED, "ONNX"),
        IS("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.", FTL_UNSUPPORTED, "PyTorch"),
        IS("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10\0\0\0archive/data.pklxx",
           FTL_UNSUPPORTED, "PyTorch zip"),
        IS("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0d\0\0\0metadata.json",
           FTL_UNSUPPORTED, "Keras"),
        IS("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x0b\0\0\0schema.json",
           FTL_UNSUPPORTED, "skops"),
        IS("PK\3\4\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\0\0arr_0", FTL_UNSUPPORTED,
           "zip"),
        IS("PK\3\4", FTL_UNSUPPORTED, "zip"),
        IS("PK\5\6\0\0", FTL_UNSUPPORTED, "zip"),
        IS("<!DOCTYPE html><html>", FTL_CORRUPT, "web page"),
        IS("\n <html>", FTL_CORRUPT, "web page"),
        IS("<?xml version=\"1.0\"?><PMML>", FTL_UNSUPPORTED, "PMML"),
        IS("a,b\n1,2\n", FTL_CORRUPT, "text file"),
        IS("col1,col2\n1,2\n", FTL_CORRUPT, "text file"),
        IS("c", FTL_CORRUPT, "text file"),
        IS("import numpy\n", FTL_CORRUPT, "text file"),
        IS("Id,Price\n", FTL_CORRUPT, "text file"),
        IS("Value,First\n1,2\n", FTL_CORRUPT, "text file"),
        IS("First,Value\n1,2\n", FTL_CORRUPT, "text file"),
        IS("404: Not Found", FTL_CORRUPT, "text file"),
        IS("\xef\xbf\xbd\x04\xef\xbf\xbd", FTL_CORRUPT, "copied as text"),
    };
    check(samples, FTL_ARRAY_LEN(samples));
}

static void pickles_pass(void **state)
{
    (void)state;
    static const sample samples[] = {
        IS("\x80\x04\x95", FTL_OK, ""),
        IS("\x80\x02", FTL_OK, ""),
        IS("\x80", FTL_OK, ""),
        IS("(lp0\nI1\na.", FTL_OK, ""),
        IS("ccopy_reg\n_reconstructor\np0\n", FTL_OK, ""),
        IS("cos\nsystem\n(S'true'\ntR.", FTL_OK, ""),
        IS("I42\n.", FTL_OK, ""),
        IS("L42L\n.", FTL_OK, ""),
        IS("F-1.5\n.", FTL_OK, ""),
        IS("S'text'\n.", FTL_OK, ""),
        IS("Fnan\n.", FTL_OK, ""),
        IS("N.", FTL_OK, ""),
        IS("]q\0.", FTL_OK, ""),
        IS("}.", FTL_OK, ""),
        IS("csklearn.svm\nSVC\nq\0", FTL_OK, ""),
        IS("K\1.", FTL_OK, ""),
        IS("\0\0\0\0", FTL_OK, ""), /* the pickle reader says what is wrong */
    };
    check(samples, FTL_ARRAY_LEN(samples));
}

/* 136 bytes of parameters, then the objective's name: 0.x wrote no header. */
static void old_xgboost_passes(void **state)
{
    (void)state;
    char bytes[240] = "\0\0\0\x3f\x05";
    bytes[136] = 10;
    memcpy(bytes + 144, "reg:linear", 10);
    const sample good = {bytes, sizeof bytes, FTL_OK, ""};
    check(&good, 1);
}

static void boosters_files_pass(void **state)
{
    (void)state;
    static const sample samples[] = {
        IS("{L\0\0\0\0\0\0\0\x07learner", FTL_OK, ""),
        IS("{\"learner\":{\"attributes\":{}}}", FTL_OK, ""),
        IS("\n{ \"version\": [1, 7, 6], \"learner\": {", FTL_OK, ""),
        IS("binf\0\0\0\x3f", FTL_OK, ""),
        IS("tree\nversion=v4\n", FTL_OK, ""),
        IS("tree\r\nversion=v3\r\n", FTL_OK, ""),
    };
    check(samples, FTL_ARRAY_LEN(samples));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_files_are_named),
        cmocka_unit_test(pickles_pass),
        cmocka_unit_test(boosters_files_pass),
        cmocka_unit_test(old_xgboost_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
