/* "Did you mean": how far apart a typed and a known name are. */
#include "foretell/experimental.h"

#include <string.h>

enum { LONGEST = 64, MOST_COMPARED = 1000 };

static unsigned char folded(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

/*
 * Optimal string alignment: insertions, deletions, replacements and swaps of neighbours, by rows of
 * the table of distances between beginnings.
 */
static size_t edits(const char *a, size_t n, const char *b, size_t m)
{
    size_t rows[3][LONGEST + 1], *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        above[j] = before[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t same = folded(a[i - 1]) == folded(b[j - 1]) ? 0 : 1;
            row[j] = least(above[j - 1] + same, least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && folded(a[i - 1]) == folded(b[j - 2]) &&
                folded(a[i - 2]) == folded(b[j - 1]))
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[m];
}

size_t ftl_name_distance(const char *typed, const char *known)
{
    if (!typed || !known)
        return SIZE_MAX;
    size_t n = strnlen(typed, LONGEST + 1), m = strnlen(known, LONGEST + 1);
    if (n == 0 || m == 0 || n > LONGEST || m > LONGEST)
        return SIZE_MAX;
    size_t allowed = n < m ? n / 3 : m / 3;
    allowed = allowed ? allowed : 1;
    if ((n > m ? n - m : m - n) > allowed)
        return SIZE_MAX;
    size_t distance = edits(typed, n, known, m);
    return distance <= allowed && distance < n ? distance : SIZE_MAX;
}

/* The next letter or digit in lower case, 0 at the end: spaces, case and punctuation go. */
static char next_sign(const char **name)
{
    for (; **name; (*name)++) {
        char c = (char)folded(**name);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (unsigned char)c >= 0x80)
            return (*name)++, c;
    }
    return 0;
}

static bool nearly_equal(const char *a, const char *b)
{
    size_t signs = 0;
    for (;; signs++) {
        char left = next_sign(&a), right = next_sign(&b);
        if (left != right || !left)
            return left == right && signs > 0;
    }
}

const char *ftl_name_nearest(const char *typed, ftl_known_name known, const void *user, size_t n)
{
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; typed && n <= MOST_COMPARED && i < n; i++) {
        const char *name = known(user, i);
        if (name && nearly_equal(typed, name))
            return name;
        size_t distance = ftl_name_distance(typed, name);
        if (distance < best) {
            best = distance;
            nearest = name;
        }
    }
    return nearest;
}
