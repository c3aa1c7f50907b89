/*
 * A body of rows that becomes a body of predictions while it comes, with a few hundred kilobytes
 * on their way: the loop puts what it receives into a queue, a thread predicts from there into
 * another one, and the loop sends that. When the client reads slowly the queues fill, and its own
 * bytes wait in its socket.
 */
#ifndef FTL_SERVER_SERVING_STREAM_H
#define FTL_SERVER_SERVING_STREAM_H

#include "serving/catalog.h"
#include "serving/media.h"
#include "serving/score.h"

typedef struct srv_stream srv_stream;
typedef struct srv_streams srv_streams;

FTL_MUST_USE ftl_status srv_streams_create(srv_server *server, srv_streams **out, ftl_error *error);
/* Streams end with an error; waits for them. NULL is allowed. */
void srv_streams_stop(srv_streams *streams);
void srv_streams_destroy(srv_streams *streams);

/* A stream to be described: NULL: no memory. It is begun or dropped. */
srv_stream *srv_stream_make(srv_streams *streams);
void srv_stream_drop(srv_stream *stream);
srv_score *srv_stream_score(srv_stream *stream);
ftl_arena *srv_stream_arena(srv_stream *stream);
/*
 * Takes the request's body and replies to it, in its time. By name, where data is set, or else by
 * path. score's input_format is set. On the loop; the result is the handler's.
 */
srv_result srv_stream_serve(srv_stream *stream, srv_request *request, srv_text name, srv_text path,
                            const srv_media *answer);

#endif
