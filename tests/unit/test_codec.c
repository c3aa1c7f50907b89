/* Codecs: round trips, members in a row, nesting, damage of every kind, budgets, bids, allocation
 * failures. */
#include "compress.h"
#include "io/codec.h"
#include "torture.h"
#include "unit.h"

typedef struct format {
    const char *name;
    compress_fn compress; /* NULL: not compiled in */
    bool members;         /* several may follow each other */
} format;

#if FTL_HAVE_ZLIB
#define ZLIB(f) f
#else
#define ZLIB(f) NULL
#endif
#if FTL_HAVE_BZIP2
#define BZIP2(f) f
#else
#define BZIP2(f) NULL
#endif
#if FTL_HAVE_LZMA
#define LZMA(f) f
#else
#define LZMA(f) NULL
#endif
#if FTL_HAVE_LZ4
#define LZ4(f) f
#else
#define LZ4(f) NULL
#endif
#if FTL_HAVE_ZSTD
#define ZSTD(f) f
#else
#define ZSTD(f) NULL
#endif

static const format formats[] = {
    {"zlib", ZLIB(compress_zlib), true},    {"gzip", ZLIB(compress_gzip), true},
    {"bzip2", BZIP2(compress_bzip2), true}, {"xz", LZMA(compress_xz), true},
    {"lzma", LZMA(compress_lzma), false},   {"lz4", LZ4(compress_lz4), true},
    {"zstd", ZSTD(compress_zstd), true},    {"joblib-zf", ZLIB(compress_joblib_zf), false},
};

#define EACH_FORMAT(f)                                                         \
    for (const format *f = formats; f < formats + FTL_ARRAY_LEN(formats); f++) \
        if (f->compress)

enum { ROOM = 4 << 20 };

/* Compressible, but not trivially: a few hundred bytes of structure and some noise. */
static void make_plain(uint8_t *out, size_t size)
{
    uint32_t seed = 12345;
    for (size_t i = 0; i < size; i++) {
        seed = seed * 1664525u + 1013904223u;
        out[i] = i % 7 ? (uint8_t)(i / 64) : (uint8_t)(seed >> 24);
    }
}

static void *must_alloc(size_t size)
{
    void *block = malloc(size ? size : 1);
    assert_non_null(block);
    return block;
}

/*
 * Decodes data wholly. Gives the status; *size bytes in out (at most room, LIMIT beyond). The bytes
 * are in a block of exactly their size so that AddressSanitizer sees any read beyond.
 */
static ftl_status decode(ftl_account *account, const uint8_t *data, size_t data_size, uint8_t *out,
                         size_t room, size_t *size, char *names, size_t names_size,
                         ftl_error *error)
{
    uint8_t *exact = must_alloc(data_size);
    memcpy(exact, data, data_size);
    ftl_stream *stream = NULL;
    *size = 0;
    ftl_status status = ftl_stream_open_memory(account, exact, data_size, &stream, error);
    if (status == FTL_OK)
        status = ftl_codec_decode(account, &stream, room, names, names_size, error);
    while (status == FTL_OK) {
        size_t got;
        uint8_t spare;
        bool full = *size == room;
        status = ftl_stream_read_some(stream, full ? &spare : out + *size, full ? 1 : room - *size,
                                      &got, error);
        if (status != FTL_OK || got == 0)
            break;
        *size += got;
    }
    ftl_stream_close(stream);
    free(exact);
    return status;
}

static void round_trips(void **state)
{
    (void)state;
    static const size_t sizes[] = {0, 1, 100, 65536, 1000003};
    uint8_t *plain = must_alloc(ROOM), *packed = must_alloc(ROOM), *out = must_alloc(ROOM);
    make_plain(plain, ROOM);
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    EACH_FORMAT(f)
    {
        for (size_t s = 0; s < FTL_ARRAY_LEN(sizes); s++) {
            size_t made = f->compress(plain, sizes[s], packed, ROOM), size;
            assert_true(made > 0);
            char names[64];
            ftl_error error;
            ftl_error_clear(&error);
            ftl_status status = decode(&account, packed, made, out, ROOM, &size, names,
                                       sizeof names, &error);
            if (status != FTL_OK)
                fail_msg("%s of %zu bytes: %s", f->name, sizes[s], error.message);
            assert_string_equal(names, f->name);
            assert_int_equal(size, sizes[s]);
            assert_memory_equal(out, plain, size);
        }
    }
    assert_int_equal(ftl_account_used(&account), 0);
    free(plain);
    free(packed);
    free(out);
}

static void members_follow_each_other(void **state)
{
    (void)state;
    uint8_t plain[3000], packed[32768], out[8192];
    make_plain(plain, sizeof plain);
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    EACH_FORMAT(f)
    {
        size_t first = f->compress(plain, 1000, packed, sizeof packed), size;
        size_t all = first + f->compress(plain + 1000, 2000, packed + first, sizeof packed - first);
        ftl_error error;
        ftl_status status = decode(&account, packed, all, out, sizeof out, &size, NULL, 0, &error);
        assert_int_equal(status, f->members ? FTL_OK : FTL_CORRUPT);
        if (f->members) {
            assert_int_equal(size, 3000);
            assert_memory_equal(out, plain, 3000);
        }
        memset(packed + first, 0, 512); /* padding with zeros is let pass, anything else is not */
        assert_int_equal(
            decode(&account, packed, first + 512, out, sizeof out, &size, NULL, 0, NULL), FTL_OK);
        assert_int_equal(size, 1000);
        packed[first + 511] = 'x';
        assert_int_equal(
            decode(&account, packed, first + 512, out, sizeof out, &size, NULL, 0, &error),
            FTL_CORRUPT);
        assert_non_null(strstr(error.message, "follow its end"));
    }
    assert_int_equal(ftl_account_used(&account), 0);
}

/* Cut anywhere, a file is an error, unless the rest is too short to be known as compressed. */
static void every_truncation_is_found(void **state)
{
    (void)state;
    uint8_t plain[600], packed[4096], out[4096];
    make_plain(plain, sizeof plain);
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    EACH_FORMAT(f)
    {
        size_t made = f->compress(plain, sizeof plain, packed, sizeof packed);
        for (size_t cut = 0; cut < made; cut++) {
            size_t size;
            char names[64];
            ftl_error error;
            ftl_error_clear(&error);
            ftl_status status = decode(&account, packed, cut, out, sizeof out, &size, names,
                                       sizeof names, &error);
            if (names[0] == '\0') {
                assert_int_equal(status, FTL_OK);
                assert_true(cut < 40); /* not known: plain bytes */
                assert_memory_equal(out, packed, cut);
                continue;
            }
            if (status != FTL_CORRUPT)
                fail_msg("%s cut at %zu of %zu: %s", f->name, cut, made, ftl_status_name(status));
            assert_non_null(strstr(error.message, strcmp(f->name, "joblib-zf") ? f->name : "zlib"));
        }
    }
    assert_int_equal(ftl_account_used(&account), 0);
}

/* Flipped bits: an error or, where the format has no checksum, other bytes; never a crash, never
 * more than the budget. */
static void flipped_bits_do_no_harm(void **state)
{
    (void)state;
    uint8_t plain[600], packed[4096], out[8192];
    make_plain(plain, sizeof plain);
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    EACH_FORMAT(f)
    {
        size_t made = f->compress(plain, sizeof plain, packed, sizeof packed);
        for (size_t bit = 0; bit < made * 8; bit++) {
            size_t size;
            packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
            ftl_status status = decode(&account, packed, made, out, sizeof out, &size, NULL, 0,
                                       NULL);
            assert_true(status == FTL_OK || status == FTL_CORRUPT || status == FTL_LIMIT ||
                        status == FTL_UNSUPPORTED);
            assert_true(size <= sizeof out);
            packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
    assert_int_equal(ftl_account_used(&account), 0);
}

static void random_damage_does_no_harm(void **state)
{
    (void)state;
    enum { PLAIN = 20000 };
    uint8_t *plain = must_alloc(PLAIN), *packed = must_alloc(PLAIN * 2),
            *broken = must_alloc(PLAIN * 2);
    uint8_t *out = must_alloc(PLAIN * 4);
    make_plain(plain, PLAIN);
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    uint32_t seed = 99;
    EACH_FORMAT(f)
    {
        size_t made = f->compress(plain, PLAIN, packed, PLAIN * 2);
        for (int round = 0; round < 200; round++) {
            memcpy(broken, packed, made);
            for (int hits = 1 + round % 5; hits > 0; hits--) {
                seed = seed * 1664525u + 1013904223u;
                broken[(seed >> 8) % made] = (uint8_t)seed;
            }
            size_t size;
            ftl_status status = decode(&account, broken, made, out, PLAIN * 4, &size, NULL, 0,
                                       NULL);
            assert_true(status != FTL_INTERNAL && status != FTL_NOMEM && size <= PLAIN * 4);
        }
    }
    assert_int_equal(ftl_account_used(&account), 0);
    free(plain);
    free(packed);
    free(broken);
    free(out);
}

static void bombs_end_at_the_budget(void **state)
{
    (void)state;
    uint8_t *zeros = calloc(1, ROOM), *packed = must_alloc(2 * ROOM), *out = must_alloc(100000);
    assert_non_null(zeros);
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    EACH_FORMAT(f)
    {
        size_t made = f->compress(zeros, ROOM, packed, 2 * ROOM), size;
        ftl_error error;
        ftl_status status = decode(&account, packed, made, out, 100000, &size, NULL, 0, &error);
        assert_int_equal(status, FTL_LIMIT);
        assert_true(size <= 100000);
        assert_non_null(strstr(error.message, "100000"));
    }
    assert_int_equal(ftl_account_used(&account), 0);
    free(zeros);
    free(packed);
    free(out);
}

static void layers_are_peeled_up_to_four(void **state)
{
    (void)state;
    const format *f = NULL;
    EACH_FORMAT(any) f = any->members ? any : f;
    if (!f)
        skip();
    uint8_t plain[200], a[8192], b[8192];
    make_plain(plain, sizeof plain);
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    memcpy(a, plain, sizeof plain);
    size_t made = sizeof plain;
    for (int layers = 1; layers <= 5; layers++) {
        made = f->compress(a, made, b, sizeof b);
        memcpy(a, b, made);
        size_t size;
        char names[64];
        ftl_error error;
        ftl_status status = decode(&account, a, made, b, sizeof b, &size, names, sizeof names,
                                   &error);
        assert_int_equal(status, layers <= 4 ? FTL_OK : FTL_LIMIT);
        char twice[64];
        snprintf(twice, sizeof twice, "%s+%s", f->name, f->name);
        if (layers == 2)
            assert_string_equal(names, twice);
        if (layers <= 4)
            assert_memory_equal(b, plain, sizeof plain);
    }
    assert_int_equal(ftl_account_used(&account), 0);
}

/* What only looks compressed is left alone. */
static void plain_bytes_are_left_alone(void **state)
{
    (void)state;
#define BYTES(s) {s, sizeof s - 1}
    static const struct {
        const char *data;
        size_t size;
    } cases[] = {
        BYTES(""),
        BYTES("x"),
        BYTES("x^2,y^2\n1.5,2.5\n3.25,4.5\n1,2\n3,4\n"),
        BYTES("BZh9 is a name,1\n2,3\n"),
        BYTES("ZF0xyz is not a header     \x78\x9c"),
        BYTES("ZF,b\n1,2\n"),
        BYTES("]q\0(K\1K\2e."), /* a pickled list, protocol 1 */
        BYTES("]q\0."),
        BYTES("\x80\x04]\x94."),
        BYTES("(lp0\n."), /* protocol 0 */
        BYTES("\x1f\x8b"),
        BYTES("(\xb5/\xfd"),
        BYTES("\x04\x22\x4d\x18"),
        BYTES("PK\3\4"),
    };
#undef BYTES
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    for (size_t i = 0; i < FTL_ARRAY_LEN(cases); i++) {
        uint8_t out[64];
        size_t size;
        char names[64];
        const uint8_t *data = (const uint8_t *)cases[i].data;
        ftl_status status = decode(&account, data, cases[i].size, out, sizeof out, &size, names,
                                   sizeof names, NULL);
        assert_int_equal(status, FTL_OK);
        assert_string_equal(names, "");
        assert_int_equal(size, cases[i].size);
        assert_memory_equal(out, data, size);
    }
}

/* Codecs bid whether or not they are compiled in; those that are not are named with their switch.
 */
static void fixed_headers_are_known(void **state)
{
    (void)state;
    static const struct {
        const ftl_codec *codec;
        uint8_t data[32];
    } cases[] = {
        {&ftl_codec_zlib, {0x78, 0x9c, 0x03}},
        {&ftl_codec_zlib, {0x78, 0x5e, 0x63, 0x60}},
        {&ftl_codec_gzip, {0x1f, 0x8b, 0x08, 0x08}},
        {&ftl_codec_bzip2, {'B', 'Z', 'h', '9', 0x31, 0x41, 0x59, 0x26, 0x53, 0x59}},
        {&ftl_codec_bzip2, {'B', 'Z', 'h', '1', 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 1}},
        {&ftl_codec_xz, {0xfd, '7', 'z', 'X', 'Z', 0, 0, 4}},
        {&ftl_codec_lzma, {0x5d, 0, 0, 0x80, 0, 255, 255, 255, 255, 255, 255, 255, 255}},
        {&ftl_codec_lzma, {0x5d, 0, 0, 0x10, 0, 100, 0, 0, 0, 0, 0, 0, 0}},
        {&ftl_codec_lz4, {0x04, 0x22, 0x4d, 0x18, 0x60, 0x40}},
        {&ftl_codec_zstd, {0x28, 0xb5, 0x2f, 0xfd, 0x24, 0x05}},
    };
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    for (size_t i = 0; i < FTL_ARRAY_LEN(cases); i++) {
        assert_true(cases[i].codec->bid(cases[i].data, 32) > 0);
        uint8_t out[64];
        size_t size;
        ftl_error error;
        ftl_error_clear(&error);
        ftl_status status = decode(&account, cases[i].data, 32, out, sizeof out, &size, NULL, 0,
                                   &error);
        assert_int_equal(status, cases[i].codec->open ? FTL_CORRUPT : FTL_UNSUPPORTED);
        assert_non_null(strstr(error.message, cases[i].codec->name));
        if (!cases[i].codec->open)
            assert_non_null(strstr(error.message, cases[i].codec->option));
    }
    assert_int_equal(ftl_account_used(&account), 0);
}

#if FTL_HAVE_ZLIB
static void old_joblib_headers(void **state)
{
    (void)state;
    uint8_t plain[300], packed[1024], out[512];
    make_plain(plain, sizeof plain);
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    static const struct {
        const char *header;
        ftl_status status;
    } cases[] = {
        {"ZF0x12c            ", FTL_OK}, /* padded below to 21 */
        {"ZF0x12c             ", FTL_OK},     {"ZF0x12b            ", FTL_CORRUPT},
        {"ZF0x12d            ", FTL_CORRUPT}, {"ZF0xfffffffffffffff", FTL_LIMIT},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(cases); i++) {
        for (size_t width = 21; width <= 22; width++) { /* 22: Python 2 before joblib 0.8.4 */
            memset(packed, ' ', width);
            memcpy(packed, cases[i].header, strnlen(cases[i].header, 21));
            size_t made = width +
                          compress_zlib(plain, sizeof plain, packed + width, sizeof packed - width),
                   size;
            ftl_error error;
            ftl_status status = decode(&account, packed, made, out, sizeof out, &size, NULL, 0,
                                       &error);
            assert_int_equal(status, cases[i].status);
            if (status == FTL_OK)
                assert_memory_equal(out, plain, sizeof plain);
            else
                assert_non_null(strstr(error.message, "ZF header"));
        }
    }
    static const uint8_t bare[24] = "ZF0x12c              no";
    size_t size;
    assert_int_equal(decode(&account, bare, 23, out, sizeof out, &size, NULL, 0, NULL),
                     FTL_CORRUPT);
    assert_int_equal(ftl_account_used(&account), 0);
}
#endif

#if FTL_HAVE_LZMA
/* A header that asks for a 4 GiB dictionary gets no memory. */
static void lzma_memory_is_bounded(void **state)
{
    (void)state;
    uint8_t data[32] = {0x5d, 0, 0, 0, 0x80, 255, 255, 255, 255, 255, 255, 255, 255};
    uint8_t out[64];
    size_t size;
    ftl_error error;
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    assert_int_equal(decode(&account, data, sizeof data, out, sizeof out, &size, NULL, 0, &error),
                     FTL_LIMIT);
    assert_non_null(strstr(error.message, "MiB"));
}
#endif

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint8_t plain[3000], packed[16384], out[8192];
    make_plain(plain, sizeof plain);
    EACH_FORMAT(f)
    {
        size_t made = f->compress(plain, sizeof plain, packed, sizeof packed), size;
        made += f->members ? f->compress(plain, sizeof plain, packed + made, sizeof packed - made)
                           : 0;
        for (long n = 1;; n++) {
            torture t;
            ftl_account account;
            torture_begin(&t, &account, n);
            ftl_status status = decode(&account, packed, made, out, sizeof out, &size, NULL, 0,
                                       NULL);
            assert_int_equal(t.held, 0);
            assert_int_equal(ftl_account_used(&account), 0);
            if (torture_over(&t)) {
                assert_int_equal(status, FTL_OK);
                break;
            }
            if (status != FTL_NOMEM)
                fail_msg("%s: allocation %ld failed, yet the status is %s", f->name, n,
                         ftl_status_name(status));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trips),
        cmocka_unit_test(members_follow_each_other),
        cmocka_unit_test(every_truncation_is_found),
        cmocka_unit_test(flipped_bits_do_no_harm),
        cmocka_unit_test(random_damage_does_no_harm),
        cmocka_unit_test(bombs_end_at_the_budget),
        cmocka_unit_test(layers_are_peeled_up_to_four),
        cmocka_unit_test(plain_bytes_are_left_alone),
        cmocka_unit_test(fixed_headers_are_known),
#if FTL_HAVE_ZLIB
        cmocka_unit_test(old_joblib_headers),
#endif
#if FTL_HAVE_LZMA
        cmocka_unit_test(lzma_memory_is_bounded),
#endif
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
