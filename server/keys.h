/*
 * Keys of the server's clients: what each may do, and how often. They come from the environment,
 * from the file of --config or from that of --keys-file, never from a command line.
 *
 * Thread-safe; what is read is not changed any more, but for how often a key was used.
 */
#ifndef FTL_SERVER_KEYS_H
#define FTL_SERVER_KEYS_H

#include "config.h"
#include "http/http.h"

typedef struct srv_keys srv_keys;
typedef struct srv_key srv_key;

/*
 * Reads the keys of the settings and of the file: lines "ROLE KEY [NAME [RATE]]", where ROLE is
 * inference, admin or metrics and RATE the requests a second. ARG with a message that names the
 * line, and never the key.
 */
FTL_MUST_USE ftl_status srv_keys_read(ftl_account *account, const srv_config *config,
                                      srv_keys **out, ftl_error *error);
/* With those that it replaced. NULL is allowed. */
void srv_keys_destroy(srv_keys *keys);
/*
 * Which of both are used from now on: before when they are the same, or else keys, and before is
 * kept: requests may hold one of its keys.
 */
srv_keys *srv_keys_replace(srv_keys *keys, srv_keys *before);
/* No keys: everybody may do anything. */
bool srv_keys_are_needed(const srv_keys *keys);
/* The key of this text, in a time that does not tell how much of it is right; NULL: none. */
srv_key *srv_keys_find(srv_keys *keys, srv_text text);
/* admin may do all */
bool srv_key_may(const srv_key *key, srv_role role);
const char *srv_key_name(const srv_key *key);
/* Counts a request at this time (uv_hrtime); 0, or the nanoseconds after which it may come again.
 */
uint64_t srv_key_spend(srv_key *key, uint64_t now);

#endif
