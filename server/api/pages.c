/* Pages for people. */
#include "api/pages.h"

ftl_status srv_pages_init(srv_server *server, ftl_error *error)
{
    (void)error;
    if (!ftl_server_web_root())
        srv_log(server, "warning", "pages",
                "/docs and /redoc need share/foretell/web beside the program's folder");
    return FTL_OK;
}
