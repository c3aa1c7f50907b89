/*
 * Requests of the Open Inference Protocol. The first two bytes are the size of the JSON in front,
 * 0xffff for all. Beyond memory safety: what is read lies within the body and the arena, a tensor
 * has the values that its shape says, columns pass the library's own check, a matrix has the
 * numbers of its columns, and the body is as it was.
 */
#include "base/column.h"
#include "serving/tensor.h"

#include <stdlib.h>
#include <string.h>

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* Every value is looked at, so that a sanitizer sees what lies outside. */
static uint64_t touch_column(const ftl_column *column, size_t rows)
{
    uint64_t sum = 0;
    must(ftl_column_check(column, rows, NULL) == FTL_OK);
    for (size_t row = 0; row < rows; row++) {
        const ftl_column *at = column;
        size_t index, size = 0;
        if (!ftl_column_find(&at, row, &index))
            continue;
        if (ftl_type_is_text(at->type)) {
            const char *text = ftl_column_text(at, index, &size);
            for (size_t i = 0; i < size; i++)
                sum += (unsigned char)text[i];
        } else {
            double number = ftl_column_number(at, index);
            sum += number > 0;
        }
    }
    return sum;
}

static bool same_number(const ftl_matrix *matrix, size_t i, double number)
{
    double other = matrix->dtype == FTL_F64 ? ((const double *)matrix->data)[i]
                                            : (double)((const float *)matrix->data)[i];
    return other == number || (other != other && number != number);
}

static void check_matrix(ftl_arena *arena, const srv_v2_request *request, const srv_tensor *tensor)
{
    ftl_matrix matrix;
    if (srv_tensor_matrix(arena, tensor, &matrix, NULL) != FTL_OK)
        abort();
    must((uintptr_t)matrix.data % ftl_type_size(matrix.dtype) == 0);
    for (size_t c = 0; c < tensor->width; c++) {
        ftl_column column = srv_tensor_column(request, tensor, c);
        for (size_t row = 0; row < tensor->rows; row++)
            must(same_number(&matrix, row * tensor->width + c, ftl_column_number(&column, row)));
    }
}

static void check_tensor(ftl_arena *arena, const srv_v2_request *request, const srv_tensor *tensor)
{
    must(tensor->name.data && (tensor->rank == 1 || tensor->rank == 2));
    must(*srv_datatype_name(tensor->type, false) && *srv_datatype_name(tensor->type, true));
    if (tensor->rows == 0)
        return;
    for (size_t c = 0; c < tensor->width; c++) {
        ftl_column column = srv_tensor_column(request, tensor, c);
        touch_column(&column, tensor->rows);
    }
    if (tensor->type == FTL_F64 || tensor->type == FTL_F32)
        check_matrix(arena, request, tensor);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    size_t head = (size_t)data[0] | (size_t)data[1] << 8;
    size -= 2;
    /* a body of its own size, so that a byte too far is seen, at every address */
    size_t shift = head & 7;
    char *room = malloc(size + shift + 1 - (size + shift > 0));
    char *before = malloc(size + 1), *body = room + shift;
    ftl_account account;
    ftl_arena arena;
    srv_v2_request request;
    ftl_error error;
    if (!room || !before)
        abort();
    if (size) {
        memcpy(body, data + 2, size);
        memcpy(before, data + 2, size);
    }
    ftl_account_init(&account, NULL, 0);
    ftl_arena_init(&arena, &account);
    ftl_error_clear(&error);
    ftl_status status = srv_v2_read(&arena, body, size, head == 0xffff ? size : head, &request,
                                    &error);
    must(status == FTL_OK || error.message[0]);
    for (size_t i = 0; status == FTL_OK && i < request.n_inputs; i++)
        check_tensor(&arena, &request, &request.inputs[i]);
    if (srv_v2_read_raw(&arena, body, size, 1 + (head & 3), &request, NULL) == FTL_OK)
        check_tensor(&arena, &request, &request.inputs[0]);
    must(memcmp(before, body, size) == 0);
    ftl_arena_free(&arena);
    must(ftl_account_used(&account) == 0);
    free(room);
    free(before);
    return 0;
}
