/* One thread reads blocks while others convert them and format what comes out: the same bytes as
 * one thread makes. */
#include "csv_rows.h"
#include "table_helper.h"

#include "table/sink.h"

#include <pthread.h>
#include <stdio.h>

enum { ROWS = 20000, WORKERS = 4, BLOCK_ROWS = 97 };

typedef struct task {
    const ftl_table *table;
    ftl_table_block *block;
    ftl_row_batch *batch;
    ftl_strbuf text;
    ftl_status status;
    pthread_t thread;
} task;

static void *work(void *user)
{
    task *t = user;
    ftl_row_view view;
    t->status = ftl_table_convert(t->table, t->block, t->batch, NULL);
    if (t->status != FTL_OK)
        return NULL;
    ftl_row_batch_view(t->batch, &view);
    for (size_t i = 0; i < view.n_bad; i++) {
        ftl_error error;
        ftl_row_batch_problem(t->table, t->block, t->batch, i, NULL, &error);
        ftl_strbuf_printf(&t->text, "# %s\n", error.message);
    }
    t->status = csv_rows(t->text.account, &view.batch, view.bad, &t->text, NULL);
    return NULL;
}

/* Up to workers blocks in flight; while they are converted the next ones are read. */
static void copy(ftl_account *account, const char *csv, size_t size, size_t workers,
                 ftl_strbuf *out)
{
    static const ftl_table_column_request requests[] = {
        {0, FTL_STRING, true}, {1, FTL_F64, false}, {2, FTL_STRING, false}};
    ftl_table *table;
    task tasks[WORKERS];
    bool running[WORKERS] = {false};
    assert_int_equal(open_table(account, csv, size, NULL, &table, NULL), FTL_OK);
    assert_int_equal(ftl_table_bind(table, requests, 3, NULL), FTL_OK);
    for (size_t i = 0; i < workers; i++) {
        tasks[i].table = table;
        ftl_strbuf_init(&tasks[i].text, account, 0);
        assert_int_equal(ftl_table_block_create(table, &tasks[i].block, NULL), FTL_OK);
        assert_int_equal(ftl_row_batch_create(table, &tasks[i].batch, NULL), FTL_OK);
    }
    bool more = true;
    for (size_t turn = 0, idle = 0; more || idle < workers; turn = (turn + 1) % workers) {
        task *t = &tasks[turn];
        if (running[turn]) {
            assert_int_equal(pthread_join(t->thread, NULL), 0);
            assert_int_equal(t->status, FTL_OK);
            ftl_strbuf_append(out, t->text.data, t->text.size);
            ftl_strbuf_clear(&t->text);
            running[turn] = false;
        }
        more = more && ftl_table_read(table, BLOCK_ROWS, t->block, NULL) == FTL_OK;
        idle = more ? 0 : idle + 1;
        if (more) {
            assert_int_equal(pthread_create(&t->thread, NULL, work, t), 0);
            running[turn] = true;
        }
    }
    for (size_t i = 0; i < workers; i++) {
        ftl_row_batch_destroy(tasks[i].batch);
        ftl_table_block_destroy(tasks[i].block);
        ftl_strbuf_free(&tasks[i].text);
    }
    ftl_table_close(table);
}

static void workers_do_not_change_the_result(void **unused)
{
    (void)unused;
    ftl_account account;
    ftl_account_init(&account, NULL, 0);
    ftl_strbuf csv, one, many;
    ftl_strbuf_init(&csv, &account, 0);
    ftl_strbuf_init(&one, &account, 0);
    ftl_strbuf_init(&many, &account, 0);
    ftl_strbuf_puts(&csv, "id,x,text\n");
    for (int i = 0; i < ROWS; i++) {
        if (i % 501 == 0)
            ftl_strbuf_printf(&csv, "%d,none such,\n", i);
        else
            ftl_strbuf_printf(&csv, "%d,%.3f,\"t,\n%d\"\n", i, i / 7.0, i % 13);
    }
    copy(&account, csv.data, csv.size, 1, &one);
    copy(&account, csv.data, csv.size, WORKERS, &many);
    assert_true(one.size > ROWS);
    assert_int_equal(one.size, many.size);
    assert_memory_equal(one.data, many.data, one.size);
    assert_non_null(
        strstr(ftl_strbuf_text(&one), "# line 1003, column 'x': 'none such' is not a number\n"));
    ftl_strbuf_free(&csv);
    ftl_strbuf_free(&one);
    ftl_strbuf_free(&many);
    assert_int_equal(ftl_account_used(&account), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(workers_do_not_change_the_result)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
