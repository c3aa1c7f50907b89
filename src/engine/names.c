#include "engine/names.h"

bool ftl_equal_but_for_spaces(const char *header, const char *name)
{
    for (; *header && (*header == *name || (*header == ' ' && *name == '_')); header++)
        name++;
    return *header == *name;
}
