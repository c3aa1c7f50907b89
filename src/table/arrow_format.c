#include "table/arrow_format.h"

#include <string.h>

bool ftl_arrow_format_parse(const char *format, ftl_type *out)
{
    static const struct {
        char format[4];
        ftl_type type;
    } formats[] = {
        {"n", FTL_NULL}, {"b", FTL_BIT},    {"c", FTL_I8},           {"C", FTL_U8},
        {"s", FTL_I16},  {"S", FTL_U16},    {"i", FTL_I32},          {"I", FTL_U32},
        {"l", FTL_I64},  {"L", FTL_U64},    {"e", FTL_F16},          {"f", FTL_F32},
        {"g", FTL_F64},  {"u", FTL_STRING}, {"U", FTL_LARGE_STRING}, {"vu", FTL_STRING_VIEW},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(formats); i++) {
        if (strcmp(format, formats[i].format) == 0) {
            *out = formats[i].type;
            return true;
        }
    }
    return false;
}

const char *ftl_arrow_format_words(const char *format)
{
    static const struct {
        const char *prefix, *words;
    } others[] = {
        {"vz", "a view of bytes"}, {"z", "bytes"},
        {"Z", "large bytes"},      {"w:", "bytes of a fixed size"},
        {"d:", "a decimal"},       {"tdD", "a date"},
        {"tdm", "a date"},         {"tt", "a time of day"},
        {"ts", "a timestamp"},     {"tD", "a duration"},
        {"ti", "an interval"},     {"+vl", "a list view"},
        {"+vL", "a list view"},    {"+l", "a list"},
        {"+L", "a list"},          {"+w:", "a list"},
        {"+s", "a struct"},        {"+m", "a map"},
        {"+u", "a union"},         {"+r", "a run-end encoded array"},
    };
    for (size_t i = 0; i < FTL_ARRAY_LEN(others); i++) {
        if (strncmp(format, others[i].prefix, strlen(others[i].prefix)) == 0)
            return others[i].words;
    }
    return NULL;
}
