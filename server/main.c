/* foretell-server: serves models over HTTP. */
#include <foretell/foretell.h>
#include <llhttp.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "server.h"

static int print_version(void)
{
    printf("foretell-server %s (libuv %s, llhttp %d.%d.%d, OpenSSL %s)\n", ftl_version(),
           uv_version_string(), LLHTTP_VERSION_MAJOR, LLHTTP_VERSION_MINOR, LLHTTP_VERSION_PATCH,
           OpenSSL_version(OPENSSL_VERSION_STRING));
    const char *web = ftl_server_web_root();
    if (web) {
        printf("web assets: %s\n", web);
    } else {
        puts("web assets: none; /docs and /redoc need share/foretell/web beside the program's "
             "folder");
    }
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return print_version();
    }
    fputs("usage: foretell-server --version\n", stderr);
    return 2;
}
