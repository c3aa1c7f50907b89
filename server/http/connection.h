/* A client's connection; shared by the files of http/ alone. */
#ifndef FTL_SERVER_HTTP_CONNECTION_H
#define FTL_SERVER_HTTP_CONNECTION_H

#include "http/http.h"

typedef enum srv_state {
    SRV_IDLE,      /* between requests: nothing of the next one has come */
    SRV_HEAD,      /* a request's head is coming */
    SRV_BODY,      /* its body is coming */
    SRV_WORKING,   /* a handler has it */
    SRV_SENDING,   /* the reply is on its way */
    SRV_LINGERING, /* the last reply is sent; what still comes is thrown away */
    SRV_CLOSING
} srv_state;

struct srv_connection {
    uv_tcp_t tcp;
    srv_loop *loop;
    struct srv_tls *tls;             /* NULL: the connection is not encrypted */
    srv_connection *previous, *next; /* in the loop's list */
    srv_state state;
    llhttp_t parser;
    srv_request *request; /* NULL between requests */
    ftl_strbuf ahead;     /* what came while it could not be parsed */
    size_t ahead_at;      /* the first of its bytes that is not parsed */
    uint64_t deadline;    /* of the state, uv_hrtime; 0: none */
    uint64_t complete_by; /* the whole request must be here; 0: any time */
    uint64_t state_since; /* when it entered its state */
    size_t queue_seen;    /* bytes that waited for the socket at the last look */
    uint64_t discarded;   /* lingering */
    bool reading;         /* the socket is being read */
    bool ended;           /* the client will send no more */
    bool parsing;         /* inside llhttp_execute */
    bool dispatching;     /* inside a call of a handler from parse */
    bool head_done;       /* what still comes of fields are trailers */
    bool message_done;    /* the request is complete */
    bool body_waits;      /* the reader of the body has enough for now */
    bool in_turn;         /* waits in the loop's list of turns */
    bool keep_alive;      /* what the request said */
    bool continues;       /* the client waits for 100 Continue */
    bool chunked;         /* the reply is sent in pieces */
    int refused;          /* status of what the parser's callbacks refused; 0: nothing */
    const char *why;
    size_t value_open; /* a header's value is coming: 1 + its index */
    size_t unsent;     /* bytes of writes that are on their way */
    unsigned writes;   /* how many */
    void (*sent)(srv_request *request);
    srv_body_reader reader;
    uint64_t body_size; /* bytes of the body that came, kept or not */
    srv_connection *next_turn;
};

/* Bytes of the client, decrypted. */
void srv_connection_receive(srv_connection *connection, const char *data, size_t size);
/* The client will send no more. */
void srv_connection_ended(srv_connection *connection);
/* Sends bytes (encrypted where the connection is); what the socket does not take is copied. */
void srv_connection_send(srv_connection *connection, const uv_buf_t *buffers, unsigned n);
/* The same for the socket itself. */
void srv_socket_send(srv_connection *connection, const uv_buf_t *buffers, unsigned n);
void srv_connection_close(srv_connection *connection);
/* Says that nothing more is sent, and reads for a while what still comes, which nobody wants. */
void srv_connection_linger(srv_connection *connection);
void srv_connection_read(srv_connection *connection, bool on);
/* Goes on with what came ahead, once the state allows it. */
void srv_connection_continue(srv_connection *connection);
void srv_connection_set_state(srv_connection *connection, srv_state state);

/* TLS, where the server has it (tls.c). False: there is no memory. */
bool srv_tls_begin(srv_connection *connection);
void srv_tls_free(srv_connection *connection);
/* Bytes of the socket. */
void srv_tls_receive(srv_connection *connection, const char *data, size_t size);
void srv_tls_send(srv_connection *connection, const uv_buf_t *buffers, unsigned n);
/* Tells the client that nothing more comes. */
void srv_tls_end(srv_connection *connection);
/* Bytes are here that were not decrypted, since the connection did not read. */
bool srv_tls_waits(const srv_connection *connection);

extern const llhttp_settings_t *srv_parser_settings(void);

/* Finds the known ones among the header fields. */
void srv_headers_note(srv_request *request);
/* The body is packed; unpacks it, which takes a while. False: the request has its reply. */
bool srv_body_is_packed(const srv_request *request);
bool srv_body_unpack(srv_request *request);
/* Finds the route of a request whose head is complete; what must be refused has its reply then. */
void srv_request_route(srv_request *request);
/* A request that is complete, or whose head is for a route that streams. */
void srv_request_dispatch(srv_request *request);
/* Writes the reply of a request. */
void srv_reply_send(srv_request *request);

/* A request that is given is nobody's, and used again. */
srv_request *srv_request_take(srv_loop *loop, srv_connection *connection);
void srv_request_give(srv_request *request);

#endif
