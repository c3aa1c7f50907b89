/*
 * A cache of open models: who asks for a path gets the model that is open already. Conventions:
 * foretell.h; docs/CACHE.md explains.
 *
 * Thread-safety: every function may be called from any thread at once, but for
 * ftl_cache_destroy. The child of a fork may go on with a cache, and with the models in it, when no
 * other thread was inside of one of its functions at the fork.
 */
#ifndef FORETELL_CACHE_H
#define FORETELL_CACHE_H

#include "foretell/foretell.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct ftl_cache ftl_cache;

typedef struct ftl_cache_options {
    size_t struct_size;
    uint32_t cache_size; /* models at most; 0: 15 */
    /*
     * milliseconds between two looks at a model's files: for at most so long, and as long as
     * opening takes, the model of before is given out after its file changed; 0: 1000
     */
    uint32_t check_interval_ms;
    bool check_always; /* looks at the files at every request instead, which takes microseconds */
    /*
     * bytes that the models, their plans and their sessions may take; 0: no limit. Looked at
     * whenever a model was opened and at every look at files, since plans and sessions are made in
     * between
     */
    uint64_t max_bytes;
} ftl_cache_options;

/* The cache is destroyed before its context, whose account and allocator it uses. */
FTL_API FTL_MUST_USE ftl_status ftl_cache_create(ftl_context *context,
                                                 const ftl_cache_options *options, ftl_cache **out,
                                                 ftl_error *error);
/* Nobody uses the cache any more; models that were given out stay their holders'. NULL is allowed.
 */
FTL_API void ftl_cache_destroy(ftl_cache *cache);

typedef struct ftl_cache_get_options {
    size_t struct_size;
    /* how to open it; other options are another model. NULL: the defaults */
    const ftl_model_options *model;
    /*
     * The model is opened for the caller alone: whatever is in the cache is neither given out nor
     * changed.
     */
    bool no_cache;
    /*
     * For a thread that may not wait, such as one with an event loop: a model that is open is given
     * out at once, without a look at its files; one that is not is END, which counts neither as a
     * hit nor as a miss. answer.due then says when somebody should ask without no_wait, on a thread
     * that may wait. ARG with no_cache, and for ftl_cache_warm.
     */
    bool no_wait;
} ftl_cache_get_options;

typedef struct ftl_cache_answer {
    size_t struct_size;  /* set by the caller */
    bool hit;            /* the model was in the cache */
    bool stale;          /* its file has changed since, and the new one is not open (yet) */
    double load_seconds; /* of this request: opening, or waiting for who opened; 0 for a hit */
    /*
     * with no_wait: it is time to look at the model's files, which a request without no_wait does;
     * one request in a check interval is told
     */
    bool due;
} ftl_cache_answer;

/*
 * The model of a path, as ftl_model_open would open it: "PATH" or "PATH:ENTRY". *out is a reference
 * of the caller's: ftl_model_release. It stays whole whatever becomes of the cache's own.
 *
 * A model that is not there is opened by the first who asks; others who ask meanwhile wait, and get
 * the same model or the same error. Errors are not kept: the next request tries again. Names that
 * lead to one file are one model. Standard input, pipes and the like are opened for the caller
 * alone.
 *
 * When the model's files have changed (device, inode, size, times; side files and those of
 * options.then and options.labels, too) they are opened again by the request that notices. Others
 * get the model of before meanwhile (with check_always they wait). While the new one cannot be
 * opened, because it is half-written, say, the model of before is given out as well, and
 * answer.stale says so; what failed by the file's fault is opened again only when the file has
 * changed again. A path without a file is an error at once, and its model leaves the cache.
 *
 * Errors: those of ftl_model_open. When memory runs out, models that nobody uses are given up, the
 * least recently used first, before NOMEM is returned. answer: NULL is allowed; not filled on
 * failure.
 */
FTL_API FTL_MUST_USE ftl_status ftl_cache_get(ftl_cache *cache, const char *path,
                                              const ftl_cache_get_options *options,
                                              ftl_cache_answer *answer, ftl_model **out,
                                              ftl_error *error);
/*
 * Opens the model unless it is in the cache, and makes a plan, so that the first prediction takes
 * no longer than others. plan: NULL: for the model's default method, and predict_proba if it has
 * that; a model that was opened for its only plan has it. The model is not given out.
 */
FTL_API FTL_MUST_USE ftl_status ftl_cache_warm(ftl_cache *cache, const char *path,
                                               const ftl_cache_get_options *options,
                                               const ftl_plan_options *plan,
                                               ftl_cache_answer *answer, ftl_error *error);
/*
 * Removes the models that were asked for by this very path, with whatever options; returns how many
 * there were. One that is being opened just now comes into the cache all the same.
 */
FTL_API size_t ftl_cache_evict(ftl_cache *cache, const char *path);
/* Removes all models; returns how many there were. Statistics stay. */
FTL_API size_t ftl_cache_clear(ftl_cache *cache);

/* Counts are since the cache was made. A moment's figures: others may change them meanwhile. */
typedef struct ftl_cache_stats {
    size_t struct_size;     /* set by the caller */
    uint32_t models;        /* in the cache now */
    uint32_t cache_size;    /* models at most */
    double utilization;     /* models / cache_size */
    uint64_t bytes;         /* of the models with their plans and sessions */
    uint64_t max_bytes;     /* 0: no limit */
    uint64_t hits;          /* requests that got a model of the cache, stale ones included */
    uint64_t misses;        /* all others, failed ones included; not those with no_cache */
    double hit_rate;        /* hits / (hits + misses); 0 before the first */
    uint64_t stale_hits;    /* of hits, those that got the model of a file that has changed */
    uint64_t evictions;     /* models that had to leave for others, for bytes or for memory */
    uint64_t invalidations; /* models that left because their file changed or is gone */
    uint64_t loads;         /* files opened, those that failed included */
    uint64_t failures;      /* of loads */
    uint64_t waits;         /* requests that waited for another one's load */
    uint64_t private_loads; /* requests with no_cache, and for what cannot be kept */
    double load_seconds;    /* all loads together */
} ftl_cache_stats;
FTL_API FTL_MUST_USE ftl_status ftl_cache_get_stats(ftl_cache *cache, ftl_cache_stats *out);

/* One model of the cache. Pointers are good during the call. */
typedef struct ftl_cache_model {
    size_t struct_size; /* set by the library */
    const char *path;   /* as first asked for, without ":ENTRY" */
    const char *select; /* the entry of the file; NULL: none was named */
    ftl_model *model;   /* for ftl_model_get_info; retain it to keep it */
    uint64_t bytes;     /* of the model with its plans and sessions */
    uint64_t hits;      /* those of the file's earlier versions included, as of what follows */
    uint64_t loads;
    uint64_t failures;         /* of loads */
    double load_seconds;       /* of the last load that succeeded */
    double age_seconds;        /* since then */
    double idle_seconds;       /* since it was last given out; to some milliseconds */
    uint32_t holders;          /* references of others than the cache: plans and sessions in use */
    bool stale;                /* its file has changed, and the new one could not be opened: */
    const char *error_message; /* why not; "" when not stale */
} ftl_cache_model;
/* return false to stop */
typedef bool (*ftl_cache_model_fn)(void *user, const ftl_cache_model *model);
/*
 * Calls fn for each model, the most recently used first. No lock is held meanwhile: fn may use the
 * cache.
 */
FTL_API FTL_MUST_USE ftl_status ftl_cache_each(ftl_cache *cache, ftl_cache_model_fn fn, void *user,
                                               ftl_error *error);

#ifdef __cplusplus
}
#endif
#endif
