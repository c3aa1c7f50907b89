/*
 * The CSV kernels, included once per instruction set with CSV_NAME(name) defined and these:
 *
 *     csv_bytes csv_find(const uint8_t *data, uint8_t delimiter)
 *         what each of 64 bytes is
 *     void csv_put_ends(uint64_t bits, size_t base, uint32_t *ends)
 *         the bits' offsets in order; room for 64
 *     bool csv_short(const uint8_t *end, size_t size, char decimal, double *out)
 *         a number of a plain form, which ends there; size > 0; false: another form
 *     CSV_TOGETHER, if there is
 *     uint32_t csv_together(const uint8_t *data, const uint32_t *const *ends, char decimal,
 *                           double *out)
 *         the same for so many cells of any size, which end at *ends[i] and begin behind the ends
 *         before; a bit for each of another form
 */

/* The last bit of each is that of all quotes up to it. */
CSV_INLINE uint64_t csv_parity(uint64_t quotes)
{
    for (unsigned shift = 1; shift < 64; shift *= 2)
        quotes ^= quotes << shift;
    return quotes;
}

/* Line ends of 64 bytes: of the ends so far, s are new; inside are line ends in quotes. */
CSV_INLINE void csv_put_lines(uint64_t lines, uint64_t s, uint64_t inside, ftl_csv_index *index)
{
    for (; lines; lines &= lines - 1) {
        uint64_t upto = lines ^ (lines - 1);
        index->lines[index->n_lines++] = (ftl_csv_line){
            .ends = (uint32_t)(index->n_ends + (size_t)__builtin_popcountll(s & upto)),
            .quoted = index->quoted_lines +
                      (inside ? (uint32_t)__builtin_popcountll(inside & upto) : 0)};
    }
    if (inside)
        index->quoted_lines += (uint32_t)__builtin_popcountll(inside);
}

size_t CSV_NAME(index)(const uint8_t *data, size_t from, size_t to, uint8_t delimiter,
                       ftl_csv_index *into)
{
    ftl_csv_index index = *into;
    uint64_t quoted = index.quoted ? ~UINT64_C(0) : 0;
    /* Whether a quote may open at the next byte, and whether a line feed there ends no line. */
    uint64_t opens = from == 0 || data[from - 1] == delimiter || data[from - 1] == '\n' ||
                     data[from - 1] == '\r' || data[from - 1] == '"';
    uint64_t after_return = from && data[from - 1] == '\r';
    size_t at = from;
    for (; at < to; at += 64) {
        uint8_t tail[64];
        const uint8_t *p = data + at;
        if (to - at < 64) {
            memset(tail, 0, sizeof tail);
            memcpy(tail, p, to - at);
            p = tail;
        }
        csv_bytes b = csv_find(p, delimiter);
        uint64_t special = b.delimiters | b.feeds | b.returns | b.quotes, inside = 0;
        if (b.quotes | quoted) {
            inside = csv_parity(b.quotes) ^ quoted;
            if (b.quotes & inside & ~(special << 1 | opens))
                break;
            quoted = (uint64_t)((int64_t)inside >> 63);
        }
        uint64_t lines = b.returns | (b.feeds & ~(b.returns << 1 | after_return));
        uint64_t s = (b.delimiters | lines) & ~inside;
        csv_put_ends(s, at, index.ends + index.n_ends);
        if (lines)
            csv_put_lines(lines & ~inside, s, lines & inside, &index);
        index.n_ends += (size_t)__builtin_popcountll(s);
        opens = special >> 63;
        after_return = b.returns >> 63;
    }
    index.quoted = quoted != 0;
    *into = index;
    return at < to ? at : to;
}

/* What is no short number: with an exponent, a sign +, many digits; a word; in quotes; empty. */
static __attribute__((noinline)) bool csv_other(const uint8_t *text, size_t size, char decimal,
                                                double *out)
{
    *out = (double)NAN;
    if (size >= 2 && text[0] == '"' && text[size - 1] == '"') {
        text++;
        size -= 2;
        if (size && csv_short(text + size, size, decimal, out))
            return true;
    }
    return size == 0 || ftl_parse_f64((const char *)text, size, decimal, out);
}

/* lead: the column is the first one, whose cells begin where their records do. */
CSV_INLINE size_t csv_number(const ftl_csv_cells *in, size_t r, size_t column, bool lead,
                             char decimal, double *out, uint32_t *left, size_t n_left)
{
    const uint32_t *end = in->ends + column + in->rows[r].first;
    size_t begin = lead ? in->rows[r].start : end[-1] + (size_t)1;
    size_t size = *end - begin;
    if (FTL_LIKELY(size && csv_short(in->data + *end, size, decimal, &out[r])))
        return n_left;
    if (!csv_other(in->data + begin, size, decimal, &out[r]))
        left[n_left++] = (uint32_t)r;
    return n_left;
}

CSV_INLINE size_t csv_numbers(const ftl_csv_cells *cells, size_t column, bool lead, char decimal,
                              double *out, uint32_t *left)
{
    const ftl_csv_cells in = *cells;
    size_t n_left = 0, r = 0;
#if defined(CSV_TOGETHER)
    const uint32_t *ends = in.ends + column, *some[CSV_TOGETHER];
    for (; !lead && r + CSV_TOGETHER <= in.n_rows; r += CSV_TOGETHER) {
#pragma GCC unroll 8
        for (size_t i = 0; i < CSV_TOGETHER; i++)
            some[i] = ends + in.rows[r + i].first;
        uint32_t others = csv_together(in.data, some, decimal, out + r);
        for (; FTL_UNLIKELY(others); others &= others - 1)
            n_left = csv_number(&in, r + (size_t)__builtin_ctz(others), column, lead, decimal, out,
                                left, n_left);
    }
#endif
    for (; r < in.n_rows; r++)
        n_left = csv_number(&in, r, column, lead, decimal, out, left, n_left);
    return n_left;
}

size_t CSV_NAME(numbers)(const ftl_csv_cells *cells, size_t column, char decimal, double *out,
                         uint32_t *left)
{
    return column ? csv_numbers(cells, column, false, decimal, out, left)
                  : csv_numbers(cells, 0, true, decimal, out, left);
}
