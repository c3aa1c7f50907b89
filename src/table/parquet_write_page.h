/*
 * Pages of a Parquet file being made: their bodies are compressed in place or, when a group of
 * tasks is lent, by its threads. One thread's, the tasks aside.
 */
#ifndef FTL_TABLE_PARQUET_WRITE_PAGE_H
#define FTL_TABLE_PARQUET_WRITE_PAGE_H

#include "base/executor.h"
#include "base/strbuf.h"
#include "table/parquet_write_pack.h"

/* enum Encoding */
typedef enum ftl_parquet_encoding {
    FTL_PARQUET_PLAIN = 0,
    FTL_PARQUET_RLE = 3, /* of levels */
    FTL_PARQUET_INDICES = 8
} ftl_parquet_encoding;

typedef struct ftl_parquet_page {
    struct ftl_parquet_page *next; /* of the chunk */
    bool dictionary;
    size_t values; /* nulls included; of a dictionary its entries */
    ftl_parquet_encoding encoding;
    size_t unpacked; /* bytes of the body */
    /* when it is packed: the header and what is behind it */
    uint8_t *bytes;
    size_t header, size;
    /* while it is on its way */
    struct ftl_parquet_press *press;
    ftl_strbuf body;
    ftl_task task;
    ftl_status status;
    bool done; /* the task has ended, and the owner knows */
} ftl_parquet_page;

enum { FTL_PARQUET_PRESS_ROOM = 2 * FTL_GROUP_WIDTH };

typedef struct ftl_parquet_press {
    ftl_account *account;
    const char *compression;                          /* one of ftl_parquet_codecs */
    ftl_strbuf body;                                  /* of the next page: the caller fills it */
    ftl_task_group *group;                            /* NULL: pages are packed in place */
    size_t most;                                      /* pages on their way at once */
    ftl_parquet_packer *packers[FTL_GROUP_WIDTH];     /* by slot; NULL: not made yet */
    ftl_parquet_page *on_way[FTL_PARQUET_PRESS_ROOM]; /* a ring */
    size_t head, tail;                                /* counters */
    ftl_strbuf spare[FTL_PARQUET_PRESS_ROOM];         /* bodies to fill anew */
    size_t n_spare;
} ftl_parquet_press;

void ftl_parquet_press_init(ftl_parquet_press *press, ftl_account *account,
                            const char *compression);
/* No page may be on its way. */
void ftl_parquet_press_free(ftl_parquet_press *press);
/* A group of that width, to which tasks are submitted; NULL: no more, and none is on its way. */
void ftl_parquet_press_share(ftl_parquet_press *press, ftl_task_group *group, uint32_t width);

/* Makes press->body, which is empty then, a page: its bytes come when it is waited for. */
FTL_MUST_USE ftl_status ftl_parquet_press_put(ftl_parquet_press *press, bool dictionary,
                                              size_t values, ftl_parquet_encoding encoding,
                                              ftl_parquet_page **out, ftl_error *error);
/* Waits until the page's bytes are there. */
FTL_MUST_USE ftl_status ftl_parquet_press_wait(ftl_parquet_press *press, ftl_parquet_page *page,
                                               ftl_error *error);
/* NULL is allowed. The page is not on its way, or its group has ended. */
void ftl_parquet_page_free(ftl_parquet_page *page);

#endif
