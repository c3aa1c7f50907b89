/*
 * The inside of a cache: names, entries, who may touch them.
 *
 * A name is a request that was made; it leads to an entry, which is an open model of one state of
 * its files. Several names may lead to one entry (links, other spellings). An entry's model and
 * files never change: when a file does, its names move on to another entry.
 *
 * Locks: `lock` belongs to whoever looks up or changes anything the slow way. A hit takes no more
 * than the mutex of one stripe, of which every thread has one, so that threads do not wait for one
 * another; what hits read is changed by holders of `lock` who have all stripes besides. What a hit
 * counts is the stripe's own. Models are opened, and released, without locks.
 */
#ifndef FTL_ENGINE_CACHE_TABLE_H
#define FTL_ENGINE_CACHE_TABLE_H

#include "base/arena.h"
#include "engine/cache_key.h"
#include "engine/context.h"
#include "foretell/cache.h"
#include "io/file_mark.h"
#include "model/model.h"

#include <pthread.h>

enum {
    FTL_CACHE_STRIPES = 16,
    FTL_CACHE_NAMES = 16 /* of an entry: requests may spell a path in endless ways */
};

typedef struct ftl_cache_file {
    const char *path;
    ftl_file_mark mark;
    struct ftl_cache_file *next;
} ftl_cache_file;

/* What the threads of a stripe did with an entry; in a cache line of its own. */
typedef struct ftl_cache_use {
    uint64_t hits;
    int64_t last;   /* when, in ticks of ftl_cache_clock; 0: never */
    uint64_t order; /* among the hits of the stripe */
    char padding[40];
} ftl_cache_use;

typedef struct ftl_cache_entry {
    ftl_model *model;
    ftl_arena arena;          /* of what is below */
    ftl_cache_request *asked; /* by whom it was opened: path without ":ENTRY", options */
    ftl_file_mark mark;       /* of that path, before it was opened */
    ftl_cache_file *files;    /* beside it */
    bool young;               /* a file may have changed while it was read */
    int64_t loaded;
    double load_seconds;
    ftl_cache_use *use; /* [FTL_CACHE_STRIPES] */
    /* under the lock: */
    bool outdated; /* its files have changed: no name will come to it */
    bool removed;  /* not in the table */
    uint32_t pins; /* users without the lock */
    uint32_t n_names;
    uint64_t loads, failures;
    struct ftl_cache_entry *next; /* in the table, or among those to be freed */
} ftl_cache_entry;

typedef struct ftl_cache_name {
    ftl_cache_request *request;
    ftl_cache_entry *entry;
    _Atomic int64_t check_at; /* when the files are to be looked at next */
    _Atomic int64_t due_at;   /* then, who does not wait is told so again */
    bool stale;               /* they have changed, and the entry is that of before */
    /* under the lock: the files' state that could not be opened, 0: none; and why not */
    uint64_t failed_state;
    ftl_status failed_status;
    char *message; /* NULL: there was no memory for it */
} ftl_cache_name;

/* Opening a file, and those who wait for it. */
typedef struct ftl_cache_flight {
    const ftl_cache_request *asked; /* while it flies */
    ftl_file_mark mark;
    bool landed;
    ftl_status status;
    ftl_error error;
    ftl_model *model; /* held */
    bool side_files;  /* the folder of the path mattered */
    uint32_t waiters;
    struct ftl_cache_flight *next;
} ftl_cache_flight;

typedef struct ftl_cache_stripe {
    pthread_mutex_t lock;
    uint64_t hits, stale, order;
    char padding[176 - sizeof(pthread_mutex_t)]; /* no line holds parts of two */
} ftl_cache_stripe;

struct ftl_cache {
    ftl_account account;
    ftl_context *context;
    ftl_spare spare; /* of the context's: models that nobody uses */
    uint32_t cache_size;
    uint64_t max_bytes;
    int64_t interval; /* between looks at files, in ns; 0: always */
    ftl_cache_stripe *stripes;
    /* names by hash, open addressing; under the lock and all stripes: */
    ftl_cache_name **slots;
    size_t n_slots, n_names;
    /* under the lock: */
    pthread_mutex_t lock;
    pthread_cond_t landed;
    ftl_cache_entry *entries;
    uint32_t n_entries;
    ftl_cache_entry *garbage; /* out of the table, to be freed when nobody has the lock */
    ftl_cache_flight *flights;
    ftl_cache_stats counts; /* but hits */
};

/* A steady clock, in ns, read in a few of them; its grain is some milliseconds. Never 0. */
int64_t ftl_cache_clock(void);

void ftl_cache_lock(ftl_cache *cache);
/* Frees what became garbage after the lock is given back. */
void ftl_cache_unlock(ftl_cache *cache);

/*
 * What a hit is: the model of the request when its name is there and its files need no look. The
 * caller's reference; NULL otherwise.
 */
ftl_model *ftl_cache_hit(ftl_cache *cache, const ftl_cache_request *request, bool *stale);
/* The same whenever its name is there. *due: somebody should look at its files. */
ftl_model *ftl_cache_hit_at_once(ftl_cache *cache, const ftl_cache_request *request, bool *stale,
                                 bool *due);

/* All below: under the lock. */

ftl_cache_name *ftl_cache_find(const ftl_cache *cache, const ftl_cache_request *request);
/* The caller's reference to the entry's model, which is used now; hit, stale: counted as such. */
ftl_model *ftl_cache_take(ftl_cache *cache, const ftl_cache_entry *entry, bool hit, bool stale);
void ftl_cache_set_stale(ftl_cache *cache, ftl_cache_name *name, bool stale);
void ftl_cache_unpin(ftl_cache *cache, ftl_cache_entry *entry);
/* An entry of the file in this state; the path counts where side files do. */
ftl_cache_entry *ftl_cache_find_entry(const ftl_cache *cache, const ftl_cache_request *asked,
                                      const ftl_file_mark *mark);
/*
 * The request's name leads to the entry from now on. An entry without names leaves, and what it
 * counted goes to the new one.
 */
FTL_MUST_USE ftl_status ftl_cache_set_name(ftl_cache *cache, const ftl_cache_request *request,
                                           ftl_cache_entry *entry, ftl_error *error);
/* The request leads nowhere any more. */
void ftl_cache_forget(ftl_cache *cache, const ftl_cache_request *request);
void ftl_cache_remove(ftl_cache *cache, ftl_cache_entry *entry);
/* The entry is in the table, without names yet. */
void ftl_cache_insert(ftl_cache *cache, ftl_cache_entry *entry);
/* Frees an entry that is not in the table, without the lock. NULL is allowed. */
void ftl_cache_free_entry(ftl_cache *cache, ftl_cache_entry *entry);

uint64_t ftl_cache_entry_bytes(const ftl_cache_entry *entry);
/* The hits of all stripes, and when the last use was. */
ftl_cache_use ftl_cache_used(ftl_cache *cache, const ftl_cache_entry *entry);
/*
 * Whether a was used before b: exact for uses of one thread, and to the grain of the clock between
 * threads.
 */
bool ftl_cache_used_before(const ftl_cache_use *a, const ftl_cache_use *b);
void ftl_cache_count_hits(ftl_cache *cache, uint64_t *hits, uint64_t *stale); /* of the cache */
/* Removes what is too much, never `keep` unless it is too large alone. */
void ftl_cache_fit(ftl_cache *cache, ftl_cache_entry *keep);
/* Removes up to n models that nobody uses, for their memory; returns how many. */
uint32_t ftl_cache_spare(ftl_cache *cache, uint32_t n);

#endif
