/* PredictionResponse. */
#ifndef FTL_SERVER_API_NATIVE_ANSWER_H
#define FTL_SERVER_API_NATIVE_ANSWER_H

#include "serving/call.h"

/* The outputs of a method, and of predict_proba when it is wanted, as JSON; false: *result. */
bool srv_native_answer(srv_call *call, bool probabilities, ftl_method method, srv_result *result);

#endif
