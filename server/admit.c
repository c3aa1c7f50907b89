/* Who may have a route, and when. */
#include "server.h"

void srv_admit(srv_request *request)
{
    int phase = request->server->phase;
    if (phase == SRV_STARTING && !(request->route->flags & SRV_PROBE)) {
        srv_add_header(request, "Retry-After", "1");
        srv_reply_error(request, 503, "the server is starting: its models are being opened");
    }
}
