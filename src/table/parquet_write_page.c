#include "table/parquet_write_page.h"

#include "io/thrift_write.h"

#include <limits.h>
#include <string.h>

void ftl_parquet_press_init(ftl_parquet_press *press, ftl_account *account, const char *compression)
{
    *press = (ftl_parquet_press){.account = account, .compression = compression};
    ftl_strbuf_init(&press->body, account, SIZE_MAX);
}

void ftl_parquet_press_free(ftl_parquet_press *press)
{
    for (size_t i = 0; i < FTL_GROUP_WIDTH; i++)
        ftl_parquet_packer_destroy(press->packers[i]);
    for (size_t i = 0; i < press->n_spare; i++)
        ftl_strbuf_free(&press->spare[i]);
    ftl_strbuf_free(&press->body);
    *press = (ftl_parquet_press){0};
}

void ftl_parquet_page_free(ftl_parquet_page *page)
{
    if (!page)
        return;
    ftl_account *account = page->press->account;
    ftl_strbuf_free(&page->body);
    ftl_free(account, page->bytes);
    ftl_free(account, page);
}

/* ---- One page -------------------------------------------------------------------------------- */

enum { PAGE_DATA = 0, PAGE_DICTIONARY = 2 }; /* PageType */

static void put_header(ftl_strbuf *out, const ftl_parquet_page *page, size_t packed)
{
    ftl_thrift_writer writer;
    ftl_thrift_begin_write(&writer, out);
    ftl_thrift_put_i32(&writer, 1, page->dictionary ? PAGE_DICTIONARY : PAGE_DATA);
    ftl_thrift_put_i32(&writer, 2, (int32_t)page->unpacked);
    ftl_thrift_put_i32(&writer, 3, (int32_t)packed);
    ftl_thrift_put_struct(&writer, page->dictionary ? 7 : 5);
    ftl_thrift_put_i32(&writer, 1, (int32_t)page->values);
    ftl_thrift_put_i32(&writer, 2, page->encoding);
    if (!page->dictionary) {
        ftl_thrift_put_i32(&writer, 3, FTL_PARQUET_RLE);
        ftl_thrift_put_i32(&writer, 4, FTL_PARQUET_RLE);
    }
    ftl_thrift_put_end(&writer);
    ftl_thrift_put_end(&writer);
}

static ftl_status pack(ftl_parquet_page *page, uint32_t slot)
{
    ftl_parquet_press *press = page->press;
    ftl_parquet_packer **packer = &press->packers[slot];
    const void *packed;
    size_t size;
    if (!*packer)
        FTL_TRY(ftl_parquet_packer_create(press->account, press->compression, packer, NULL));
    FTL_TRY(ftl_parquet_pack(*packer, page->body.data, page->unpacked, &packed, &size, NULL));
    if (size > INT32_MAX)
        return FTL_LIMIT;
    ftl_strbuf header;
    ftl_strbuf_init(&header, press->account, 0);
    put_header(&header, page, size);
    page->header = header.size;
    page->size = header.size + size;
    page->bytes = header.failed ? NULL : ftl_alloc(press->account, page->size);
    if (page->bytes) {
        memcpy(page->bytes, header.data, page->header);
        memcpy(page->bytes + page->header, packed, size);
    }
    ftl_strbuf_free(&header);
    return page->bytes ? FTL_OK : FTL_NOMEM;
}

/* A task. */
static void pack_page(void *user, uint32_t slot)
{
    ftl_parquet_page *page = user;
    page->status = pack(page, slot);
}

static ftl_status say_what_failed(ftl_status status, ftl_error *error)
{
    switch (status) {
    case FTL_OK:
        return FTL_OK;
    case FTL_NOMEM:
        return FTL_OOM(error);
    case FTL_LIMIT:
        return FTL_FAIL(error, FTL_LIMIT, "a page of more than 2 GiB, which Parquet cannot hold");
    default:
        return FTL_FAIL(error, status, "a page of the Parquet file cannot be compressed");
    }
}

/* ---- Pages on their way ---------------------------------------------------------------------- */

enum { USUAL_BODY = 4 << 20 }; /* larger ones, of very long texts, are not kept */

/* The body of a page that is packed is filled again. */
static void retire(ftl_parquet_press *press, ftl_parquet_page *page)
{
    page->done = true;
    if (press->n_spare < FTL_PARQUET_PRESS_ROOM && page->body.room <= USUAL_BODY)
        press->spare[press->n_spare++] = page->body;
    else
        ftl_strbuf_free(&page->body);
    ftl_strbuf_init(&page->body, press->account, SIZE_MAX);
}

static void retire_oldest(ftl_parquet_press *press)
{
    ftl_parquet_page *page = press->on_way[press->tail++ % FTL_PARQUET_PRESS_ROOM];
    ftl_group_wait(press->group, &page->task);
    retire(press, page);
}

void ftl_parquet_press_share(ftl_parquet_press *press, ftl_task_group *group, uint32_t width)
{
    while (press->tail != press->head)
        retire_oldest(press);
    press->group = group;
    press->most = 2 * (size_t)width;
    if (press->most > FTL_PARQUET_PRESS_ROOM)
        press->most = FTL_PARQUET_PRESS_ROOM;
}

static void send(ftl_parquet_press *press, ftl_parquet_page *page)
{
    if (!press->group) {
        pack_page(page, 0);
        retire(press, page);
        return;
    }
    while (press->head - press->tail >= press->most)
        retire_oldest(press);
    page->task = (ftl_task){.run = pack_page, .user = page};
    press->on_way[press->head++ % FTL_PARQUET_PRESS_ROOM] = page;
    ftl_group_submit(press->group, &page->task);
}

ftl_status ftl_parquet_press_put(ftl_parquet_press *press, bool dictionary, size_t values,
                                 ftl_parquet_encoding encoding, ftl_parquet_page **out,
                                 ftl_error *error)
{
    if (press->body.failed)
        return FTL_OOM(error);
    if (press->body.size > INT32_MAX)
        return say_what_failed(FTL_LIMIT, error);
    ftl_parquet_page *page = ftl_alloc_zero(press->account, 1, sizeof *page);
    if (!page)
        return FTL_OOM(error);
    page->dictionary = dictionary;
    page->values = values;
    page->encoding = encoding;
    page->unpacked = press->body.size;
    page->press = press;
    page->body = press->body;
    ftl_strbuf_init(&press->body, press->account, SIZE_MAX);
    send(press, page);
    if (press->n_spare)
        press->body = press->spare[--press->n_spare];
    ftl_strbuf_clear(&press->body);
    *out = page;
    return FTL_OK;
}

ftl_status ftl_parquet_press_wait(ftl_parquet_press *press, ftl_parquet_page *page,
                                  ftl_error *error)
{
    while (!page->done)
        retire_oldest(press);
    return say_what_failed(page->status, error);
}
