/* ftl_session_read: rows in memory as what a session runs. */
#include "base/options.h"
#include "engine/session.h"
#include "engine/whole_table.h"
#include "table/json_cut.h"

#include <string.h>

/* What a session that has read something keeps. */
typedef struct ftl_session_reader {
    ftl_session *session;
    ftl_whole_table whole; /* what it read last, if that was no plain JSON */
} ftl_session_reader;

/* ---- Life ------------------------------------------------------------------------------------ */

/* Nothing refers to the caller's memory any more. */
static void forget(ftl_session *session)
{
    ftl_whole_table_free(&session->reader->whole);
    session->read = (ftl_session_rows){0};
    if (session->wide)
        session->wide->read = (ftl_session_rows){0};
}

static void free_reader(ftl_session *session)
{
    forget(session);
    ftl_free(&session->account, session->reader);
    session->reader = NULL;
}

static ftl_status explain(const ftl_session *session, size_t row, ftl_error *error)
{
    return ftl_whole_table_explain(&session->reader->whole, row, error);
}

static ftl_status make_reader(ftl_session *session, ftl_error *error)
{
    static const ftl_session_reader_ops ops = {forget, free_reader, explain};
    if (session->reader)
        return FTL_OK;
    ftl_session_reader *reader = ftl_alloc_zero(&session->account, 1, sizeof *reader);
    if (!reader)
        return FTL_OOM(error);
    reader->session = session;
    session->reader = reader;
    session->reader_ops = &ops;
    return FTL_OK;
}

/* ---- Reading --------------------------------------------------------------------------------- */

/* How far the JSON value at the beginning reaches. */
static ftl_status find_end(const char *data, size_t size, size_t *end, ftl_error *error)
{
    size_t at = size >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    ftl_json_scan scan = {0};
    while (at < size && memchr(" \t\r\n", data[at], 4))
        at++;
    if (at == size || !ftl_json_scan_value(&scan, (const uint8_t *)data + at, size - at, true))
        return FTL_FAIL_AT(error, FTL_CORRUPT, size, "the JSON ends too early");
    *end = at + scan.at;
    return FTL_OK;
}

static ftl_status read_whole(ftl_session *session, const char *data, size_t size,
                             const ftl_read_options *options, ftl_error *error)
{
    ftl_whole_table *whole = &session->reader->whole;
    bool fail = session->on_error != FTL_ON_ERROR_NULL;
    FTL_TRY(ftl_whole_table_read(whole, &session->account, session->model, data, size, options,
                                 fail, error));
    session->read = (ftl_session_rows){
        .batch = {.rows = whole->rows,
                  .n_columns = whole->binding.n_inputs,
                  .columns = whole->inputs},
        .bad = whole->bad,
        .reader = session,
    };
    return FTL_OK;
}

static ftl_status read_options(ftl_read_options *out, const ftl_read_options *in,
                               const size_t *taken, ftl_error *error)
{
    FTL_TRY(ftl_options_read(out, sizeof *out, in, "ftl_read_options", error));
    if (taken && out->format && strcmp(out->format, "json") != 0)
        return FTL_FAIL_OPTION(error, FTL_ARG, FTL_REASON_BAD_OPTION, "format",
                               "only JSON tells where it ends; options.format '%.40s' is read "
                               "without taken",
                               out->format);
    return FTL_OK;
}

ftl_status ftl_session_read(ftl_session *session, const void *data, size_t size,
                            const ftl_read_options *options, size_t *taken, ftl_batch *out,
                            ftl_error *error)
{
    ftl_read_options chosen;
    if (!session || !out || (!data && size))
        return FTL_FAIL(error, FTL_ARG,
                        "ftl_session_read needs a session, data and a place for the rows");
    FTL_TRY(read_options(&chosen, options, taken, error));
    FTL_TRY(make_reader(session, error));
    forget(session);
    size_t end = size;
    if (taken)
        FTL_TRY(find_end(data, size, &end, error));
    ftl_status status = read_whole(session, data, end, &chosen, error);
    if (status != FTL_OK) {
        forget(session);
        return status;
    }
    *out = session->read.batch;
    if (taken)
        *taken = end;
    return FTL_OK;
}
