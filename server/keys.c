#include "keys.h"

#include "base/number.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum { SHORTEST = 16, LONGEST = 512, LONGEST_NAME = 64, MOST_RATE = 1000000 };

static const uint64_t second = UINT64_C(1000000000);

struct srv_key {
    srv_key *next;
    srv_role role;
    uint32_t rate; /* requests a second; 0: any */
    /* when the requests of so far would be used up, if they came at the rate */
    _Atomic uint64_t used_until;
    char name[LONGEST_NAME + 1];
    size_t size;
    char text[LONGEST];
};

struct srv_keys {
    ftl_account *account;
    srv_key *first;
    srv_keys *before; /* those that these replaced */
};

/* ---- Reading --------------------------------------------------------------------------------- */

static ftl_status add_key(srv_keys *keys, srv_role role, const char *text, const char *name,
                          uint32_t rate, const char *origin, ftl_error *error)
{
    size_t size = strlen(text);
    if (size < SHORTEST || size > LONGEST)
        return FTL_FAIL(error, FTL_ARG, "%s: a key has %d to %d characters, not %zu", origin,
                        SHORTEST, LONGEST, size);
    for (const srv_key *key = keys->first; key; key = key->next) {
        if (key->size == size && memcmp(key->text, text, size) == 0)
            return FTL_FAIL(error, FTL_ARG, "%s: the key is there already", origin);
    }
    srv_key *key = ftl_alloc_zero(keys->account, 1, sizeof *key);
    if (!key)
        return FTL_OOM(error);
    key->role = role;
    key->rate = rate;
    key->size = size;
    memcpy(key->text, text, size);
    snprintf(key->name, sizeof key->name, "%s", name);
    key->next = keys->first;
    keys->first = key;
    return FTL_OK;
}

/* Keys of one setting, with commas between. */
static ftl_status add_setting(srv_keys *keys, srv_role role, const char *name, const char *text,
                              uint32_t rate, ftl_error *error)
{
    char key[LONGEST + 2];
    while (*text) {
        size_t size = strcspn(text, ",");
        snprintf(key, sizeof key, "%.*s", (int)(size < LONGEST + 1 ? size : LONGEST + 1), text);
        FTL_TRY(add_key(keys, role, key, name, rate, name, error));
        text += size;
        text += *text == ',';
    }
    return FTL_OK;
}

static bool role_of(const char *word, srv_role *out)
{
    static const struct {
        const char *word;
        srv_role role;
    } roles[] = {{"inference", SRV_INFERENCE}, {"admin", SRV_ADMIN}, {"metrics", SRV_METRICS}};
    for (size_t i = 0; i < FTL_ARRAY_LEN(roles); i++) {
        if (strcmp(word, roles[i].word) == 0) {
            *out = roles[i].role;
            return true;
        }
    }
    return false;
}

static ftl_status read_rate(const char *word, const char *origin, uint32_t *out, ftl_error *error)
{
    int64_t number;
    if (!ftl_parse_i64(word, strlen(word), &number) || number < 0 || number > MOST_RATE)
        return FTL_FAIL(error, FTL_ARG, "%s: requests a second are 0 (any) to %d", origin,
                        MOST_RATE);
    *out = (uint32_t)number;
    return FTL_OK;
}

static ftl_status read_line(srv_keys *keys, char *line, uint32_t rate, const char *origin,
                            ftl_error *error)
{
    char *words[5] = {NULL}, *rest = NULL;
    size_t n = 0;
    srv_role role;
    for (char *word = strtok_r(line, " \t\r\n", &rest); word && n < 5;
         word = strtok_r(NULL, " \t\r\n", &rest))
        words[n++] = word;
    if (n == 0 || words[0][0] == '#')
        return FTL_OK;
    if (n < 2 || n > 4 || !role_of(words[0], &role))
        return FTL_FAIL(error, FTL_ARG,
                        "%s: ROLE KEY [NAME [RATE]] is what a line holds, with inference, admin or "
                        "metrics for ROLE",
                        origin);
    if (n == 4)
        FTL_TRY(read_rate(words[3], origin, &rate, error));
    if (n > 2 && strlen(words[2]) > LONGEST_NAME)
        return FTL_FAIL(error, FTL_ARG, "%s: a name has %d characters at most", origin,
                        LONGEST_NAME);
    return add_key(keys, role, words[1], n > 2 ? words[2] : words[0], rate, origin, error);
}

static ftl_status read_file(srv_keys *keys, const srv_config *config, ftl_error *error)
{
    char line[2048], origin[300];
    FILE *file = fopen(config->keys_file, "re");
    if (!file)
        return FTL_FAIL(error, FTL_ARG, "keys-file: %s cannot be read: %s", config->keys_file,
                        strerror(errno));
    ftl_status status = FTL_OK;
    for (int number = 1; status == FTL_OK && fgets(line, sizeof line, file); number++) {
        snprintf(origin, sizeof origin, "keys-file %.200s, line %d", config->keys_file, number);
        if (!strchr(line, '\n') && !feof(file))
            status = FTL_FAIL(error, FTL_ARG, "%s: longer than 2 KB", origin);
        else
            status = read_line(keys, srv_config_line(line, number), config->key_rate, origin,
                               error);
    }
    if (status == FTL_OK && ferror(file))
        status = FTL_FAIL(error, FTL_ARG, "keys-file: %s cannot be read: %s", config->keys_file,
                          strerror(errno));
    fclose(file);
    OPENSSL_cleanse(line, sizeof line);
    return status;
}

static ftl_status read_all(srv_keys *keys, const srv_config *config, ftl_error *error)
{
    uint32_t rate = config->key_rate;
    FTL_TRY(add_setting(keys, SRV_INFERENCE, "inference-key", config->inference_key, rate, error));
    FTL_TRY(add_setting(keys, SRV_ADMIN, "admin-key", config->admin_key, rate, error));
    FTL_TRY(add_setting(keys, SRV_METRICS, "metrics-key", config->metrics_key, rate, error));
    return *config->keys_file ? read_file(keys, config, error) : FTL_OK;
}

ftl_status srv_keys_read(ftl_account *account, const srv_config *config, srv_keys **out,
                         ftl_error *error)
{
    srv_keys *keys = ftl_alloc_zero(account, 1, sizeof *keys);
    if (!keys)
        return FTL_OOM(error);
    keys->account = account;
    ftl_status status = read_all(keys, config, error);
    if (status == FTL_OK && *config->keys_file && !keys->first)
        status = FTL_FAIL(error, FTL_ARG, "keys-file: %s holds no key", config->keys_file);
    if (status == FTL_OK)
        *out = keys;
    else
        srv_keys_destroy(keys);
    return status;
}

void srv_keys_destroy(srv_keys *keys)
{
    while (keys) {
        srv_keys *before = keys->before;
        ftl_account *account = keys->account;
        while (keys->first) {
            srv_key *key = keys->first;
            keys->first = key->next;
            OPENSSL_cleanse(key->text, sizeof key->text);
            ftl_free(account, key);
        }
        ftl_free(account, keys);
        keys = before;
    }
}

static bool same_keys(const srv_key *a, const srv_key *b)
{
    while (a && b && a->role == b->role && a->rate == b->rate && a->size == b->size &&
           memcmp(a->text, b->text, a->size) == 0 && strcmp(a->name, b->name) == 0) {
        a = a->next;
        b = b->next;
    }
    return !a && !b;
}

srv_keys *srv_keys_replace(srv_keys *keys, srv_keys *before)
{
    if (same_keys(keys->first, before->first)) {
        srv_keys_destroy(keys);
        return before;
    }
    keys->before = before;
    return keys;
}

/* ---- Using ----------------------------------------------------------------------------------- */

bool srv_keys_are_needed(const srv_keys *keys) { return keys->first != NULL; }

srv_key *srv_keys_find(srv_keys *keys, srv_text text)
{
    srv_key *found = NULL;
    for (srv_key *key = keys->first; key; key = key->next) {
        if (key->size == text.size && CRYPTO_memcmp(key->text, text.data, text.size) == 0)
            found = key; /* and the others are looked at, too */
    }
    return found;
}

bool srv_key_may(const srv_key *key, srv_role role)
{
    return role == SRV_OPEN || key->role == role || key->role == SRV_ADMIN;
}

const char *srv_key_name(const srv_key *key) { return key->name; }

uint64_t srv_key_spend(srv_key *key, uint64_t now)
{
    if (!key->rate)
        return 0;
    uint64_t cost = second / key->rate;
    uint64_t used = atomic_load_explicit(&key->used_until, memory_order_relaxed), next;
    do {
        uint64_t from = used > now ? used : now;
        if (from + cost > now + second + cost / 2) /* a second's requests may come at once */
            return from + cost - now - second;
        next = from + cost;
    } while (!atomic_compare_exchange_weak_explicit(&key->used_until, &used, next,
                                                    memory_order_relaxed, memory_order_relaxed));
    return 0;
}
