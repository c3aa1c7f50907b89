#include "table/csv.h"

enum { SNIFFED_RECORDS = 20 };

/* How a candidate splits the first records. */
typedef struct fit {
    size_t cells;    /* of the first record */
    size_t agreeing; /* records with as many cells */
    size_t records;
} fit;

static fit try_delimiter(const uint8_t *data, size_t size, bool final, char delimiter)
{
    fit out = {0};
    while (size && out.records < SNIFFED_RECORDS) {
        ftl_csv_scan scan = {0};
        size_t content = 0, total = 0;
        if (ftl_csv_scan_record(&scan, delimiter, data, size, final, &content, &total) !=
            FTL_CSV_RECORD) {
            if (out.records)
                break;
            content = total = size; /* not even one whole record: take what is there */
        }
        if (content) {
            size_t cells = ftl_csv_split(data, content, delimiter, NULL, 0);
            if (out.records++ == 0)
                out.cells = cells;
            out.agreeing += cells == out.cells;
        }
        data += total;
        size -= total;
    }
    return out;
}

char ftl_csv_sniff(const uint8_t *data, size_t size, bool final, char decimal)
{
    static const char candidates[] = {',', ';', '\t', '|'};
    char best = decimal == ',' ? ';' : ',';
    fit best_fit = {0};
    for (size_t i = 0; i < sizeof candidates; i++) {
        if (candidates[i] == decimal)
            continue;
        fit f = try_delimiter(data, size, final, candidates[i]);
        if (f.cells < 2)
            continue;
        /* Records that agree count first, then the number of cells; the order of the candidates
         * decides ties. */
        uint64_t share = (uint64_t)f.agreeing * (best_fit.records ? best_fit.records : 1);
        uint64_t best_share = (uint64_t)best_fit.agreeing * f.records;
        if (share > best_share || (share == best_share && f.cells > best_fit.cells)) {
            best = candidates[i];
            best_fit = f;
        }
    }
    return best;
}
