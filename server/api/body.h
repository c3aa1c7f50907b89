/* JSON bodies: an object whose members are looked for. */
#ifndef FTL_SERVER_API_BODY_H
#define FTL_SERVER_API_BODY_H

#include "http/http.h"
#include "io/json.h"

/* The value of a member, where it stands in the body. */
typedef struct srv_member {
    const char *name;
    /* the value, an array or object, is read by who asks: here it is not looked into */
    bool passed;
    bool found;
    ftl_json_token token; /* the kind of the value: OBJECT, ARRAY, STRING, ... */
    size_t at, size;      /* the value's bytes in the body */
    bool flag;            /* TRUE */
    srv_text text;        /* STRING: escapes resolved, in the request's scratch */
} srv_member;

/*
 * Finds the members that are asked for, the last of those that are there twice is refused. Others
 * are passed over. False: *result is the reply. The content type must be JSON.
 */
bool srv_body_members(srv_request *request, srv_member *members, size_t n, srv_result *result);
/* The member is a text / true or false; missing is an error when it is needed. */
bool srv_member_text(srv_request *request, const srv_member *member, bool needed, srv_text *out,
                     srv_result *result);
bool srv_member_flag(srv_request *request, const srv_member *member, bool otherwise, bool *out,
                     srv_result *result);

#endif
