/* Values of a JSON text that a server sent: where they stand, not what they are all worth. */
#ifndef FTL_CLI_JSON_H
#define FTL_CLI_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* A value in the text, as it stands there; size 0: none. */
typedef struct cli_json {
    const char *at;
    size_t size;
} cli_json;

/* The only value of a text; none when it is no JSON, or goes too deep. */
cli_json cli_json_of(const char *text, size_t size);
/* A member of an object. */
cli_json cli_json_member(cli_json object, const char *name);
/* The next value of an array (of an object: the next value, in *name its key); *state begins at 0;
 * none at the end. */
cli_json cli_json_next(cli_json array, size_t *state, cli_json *name);
/* A number; otherwise when it is none. */
double cli_json_number(cli_json value, double otherwise);
/* A text, without its quotes and escapes, as far as it fits. */
void cli_json_text(cli_json value, char *out, size_t room);
bool cli_json_is_text(cli_json value);
bool cli_json_is_array(cli_json value);
bool cli_json_is(cli_json value, const char *word);

#endif
