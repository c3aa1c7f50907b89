/*
 * Writes rows of an invented phone company's customers as CSV, the same ones for the same
 * arguments.
 *
 *   make_rows COUNT [FIRST_ID]
 *
 * Text columns, missing values (empty cells and NA), quoted names with commas, and a plan in one
 * row of 5,000 that the model has never seen (only from customer 100,000 on, so that the training
 * rows are free of it).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* SplitMix64 over (customer, column): a row does not depend on the rows before it. */
static uint64_t mix(uint64_t customer, uint64_t column)
{
    uint64_t z = (customer * 16 + column + 1) * 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static double unit(uint64_t customer, uint64_t column)
{
    return (double)(mix(customer, column) >> 11) * 0x1p-53;
}

static const char *pick(const char *const *names, size_t count, double at)
{
    return names[(size_t)(at * (double)count)];
}

static void write_row(uint64_t id)
{
    static const char *const first[] = {"Ana",  "Björn",  "Chloé", "Dmitri",
                                        "Emre", "Fatima", "Goran", "Hana"};
    static const char *const last[] = {"Ito",    "Kowalski", "Lindström",
                                       "Müller", "Nguyen",   "O'Brien"};
    static const char *const plans[] = {"basic", "basic", "basic", "family", "family", "premium"};
    static const char *const regions[] = {"north", "south", "east", "west", "centre"};
    static const char *const payments[] = {"card",         "card",         "invoice",
                                           "direct debit", "direct debit", ""};
    double tenure = unit(id, 0) * unit(id, 1) * 120;
    printf("%llu,\"%s, %s\",", (unsigned long long)id, pick(last, 6, unit(id, 2)),
           pick(first, 8, unit(id, 3)));
    if (unit(id, 4) < 0.06)
        printf("NA,");
    else
        printf("%d,", 18 + (int)(unit(id, 5) * 65));
    printf("%d,", (int)tenure);
    if (unit(id, 6) < 0.04)
        printf(",");
    else
        printf("%.2f,", 9 + unit(id, 7) * 60 + (unit(id, 8) < 0.1 ? 40 : 0));
    printf("%d,", (int)(unit(id, 9) * unit(id, 10) * 9));
    printf("%s,", id >= 100000 && unit(id, 11) < 0.0002 ? "student" : pick(plans, 6, unit(id, 12)));
    printf("%s,%s\n", pick(regions, 5, unit(id, 13)), pick(payments, 6, unit(id, 14)));
}

int main(int argc, char **argv)
{
    static char buffer[1 << 16];
    char *end = NULL;
    uint64_t count = argc > 1 ? strtoull(argv[1], &end, 10) : 0;
    uint64_t first_id = argc > 2 ? strtoull(argv[2], NULL, 10) : 100000;
    if (argc < 2 || *end) {
        fprintf(stderr, "usage: make_rows COUNT [FIRST_ID]\n");
        return 2;
    }
    setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
    printf("customer_id,name,age,tenure_months,monthly_charge,support_calls,plan,region,payment\n");
    for (uint64_t i = 0; i < count; i++)
        write_row(first_id + i);
    return fflush(stdout) == 0 ? 0 : 1;
}
