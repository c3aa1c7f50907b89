/*
 * The Open Inference Protocol, version 2, over REST, with what Triton adds to it: binary tensors,
 * the repository, statistics and configurations. docs/SERVER-DIALECTS.md.
 */
#ifndef FTL_SERVER_API_V2_H
#define FTL_SERVER_API_V2_H

#include "serving/call.h"
#include "serving/tensor.h"

/* The model that the path of a request names, in its version if it says one. */
srv_model *srv_v2_model(srv_request *request, srv_result *result);

/*
 * Writes the reply of an inference: methods in the order of wanted (n_wanted 0: the call's only
 * one). False: *result is the reply.
 */
typedef struct srv_v2_wanted {
    ftl_method method;
    bool binary;
} srv_v2_wanted;
bool srv_v2_write(srv_call *call, const srv_v2_request *request, const srv_v2_wanted *wanted,
                  size_t n_wanted, srv_result *result);

#endif
