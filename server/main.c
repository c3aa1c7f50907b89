/* foretell-server: serves models over HTTP. */
#include "server.h"

#include <openssl/crypto.h>
#include <stdio.h>

static int print_version(void)
{
    printf("foretell-server %s (libuv %s, llhttp %d.%d.%d, OpenSSL %s)\n", ftl_version(),
           uv_version_string(), LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH,
           OpenSSL_version(OPENSSL_VERSION_STRING));
    const char *web = ftl_server_web_root();
    if (web)
        printf("web assets: %s\n", web);
    else
        puts("web assets: none; /docs and /redoc need share/foretell/web beside the program's "
             "folder");
    return 0;
}

int main(int argc, char **argv)
{
    srv_config config;
    ftl_error error;
    ftl_account account;
    int code = 0;
    ftl_account_init(&account, NULL, 0);
    ftl_error_clear(&error);
    ftl_status status = srv_config_read(&account, argc, argv, &config, &error);
    if (status != FTL_OK) {
        fprintf(stderr, "foretell: error: %s\n", error.message);
        return status == FTL_ARG ? 2 : 1;
    }
    if (config.version)
        code = print_version();
    else if (config.help)
        srv_config_help();
    else if (config.list)
        srv_config_list();
    else if (config.check)
        srv_config_print(&config);
    else
        code = srv_run(&config);
    srv_config_free(&config);
    return code;
}
