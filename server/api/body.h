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
/* The same whatever the content type is: the caller has looked at it. */
bool srv_json_members(srv_request *request, srv_member *members, size_t n, srv_result *result);
/* The content type without its parameters; size 0: the request says none. */
srv_text srv_content_type(const srv_request *request);
/* A parameter of the content type, such as header of "text/csv; header=absent". */
srv_text srv_content_parameter(const srv_request *request, const char *name);
/*
 * JSON, or no content type at all, which scripts leave out, or the one that curl puts there. What a
 * browser sends to other sites without asking them first, a form, which says where from, is
 * refused: false, and *result is the reply.
 */
bool srv_body_may_be_json(srv_request *request, srv_result *result);
/* The member is a text / true or false; missing is an error when it is needed. */
bool srv_member_text(srv_request *request, const srv_member *member, bool needed, srv_text *out,
                     srv_result *result);
/* The text "method" of an object of parameters, if it has one; other members are passed over. */
bool srv_method_member(srv_request *request, const srv_member *parameters, srv_text *out,
                       srv_result *result);
bool srv_member_flag(srv_request *request, const srv_member *member, bool otherwise, bool *out,
                     srv_result *result);

#endif
