/*
 * What pickles of models name: Python's own types, and the packages of data and models. Everything
 * else is told to whoever inspects the file, because Python would import it and may call it.
 */
#include "pickle/vm.h"

#include <stdlib.h>

/* Packages whose classes and functions make up models; what is dangerous in them stands in
 * danger.c. */
static const char *const packages[] = {
    "catboost", "category_encoders", "imblearn", "joblib",  "lightgbm",       "numpy",   "pandas",
    "polars",   "pyarrow",           "scipy",    "sklearn", "sklearn2pmml",   "skops",   "sklearn_pandas",
    "xgboost"};

/* Python's own that only hold or make data. A name of NULL: all of the module. */
static const struct harmless {
    const char *module, *name;
} harmless[] = {
    {"_codecs", "encode"},
    {"_io", "BytesIO"},
    {"_io", "StringIO"},
    {"_operator", "itemgetter"},
    {"_random", NULL},
    {"_sre", "compile"},
    {"abc", NULL},
    {"array", NULL},
    {"argparse", "Namespace"},
    {"calendar", NULL},
    {"cmath", NULL},
    {"collections", NULL},
    {"copy", NULL},
    {"copy_reg", NULL},
    {"copyreg", NULL},
    {"dataclasses", NULL},
    {"datetime", NULL},
    {"decimal", NULL},
    {"enum", NULL},
    {"exceptions", NULL},
    {"fractions", NULL},
    {"functools", "partial"},
    {"hashlib", NULL},
    {"io", "BytesIO"},
    {"io", "StringIO"},
    {"inspect", "_ParameterKind"},
    {"inspect", "_empty"},
    {"inspect", "Parameter"},
    {"inspect", "Signature"},
    {"ipaddress", NULL},
    {"itertools", NULL},
    {"logging", "Formatter"},
    {"logging", "Logger"},
    {"logging", "RootLogger"},
    {"logging", "StreamHandler"},
    {"logging", "getLogger"},
    {"math", NULL},
    {"numbers", NULL},
    {"operator", "itemgetter"},
    {"pathlib", NULL},
    {"pathlib._local", NULL},
    {"random", NULL},
    {"re", NULL},
    {"sets", NULL},
    {"statistics", NULL},
    {"string", NULL},
    {"time", "struct_time"},
    {"types", "MappingProxyType"},
    {"types", "NoneType"},
    {"types", "SimpleNamespace"},
    {"typing", NULL},
    {"unicodedata", NULL},
    {"uuid", "SafeUUID"},
    {"uuid", "UUID"},
    {"zoneinfo", NULL},
};

/* Built-in types, and functions that only compute. */
static const char *const builtin_names[] = {
    "Ellipsis", "NotImplemented", "abs", "all", "any", "bool", "bytearray", "bytes", "chr",
    "classmethod", "complex", "dict", "divmod", "enumerate", "filter", "float", "frozenset",
    "hash", "int", "len", "list", "long", "map", "max", "min", "object", "ord", "pow", "property",
    "range", "repr", "reversed", "round", "set", "slice", "sorted", "staticmethod", "str", "sum",
    "super", "tuple", "type", "unichr", "unicode", "xrange", "zip"};

/* Top-level modules of the standard library, of Python 2 and 3, in the order of strcmp. */
static const char *const standard[] = {
    "BaseHTTPServer", "CGIHTTPServer", "ConfigParser", "Cookie", "Queue", "SimpleHTTPServer",
    "SocketServer", "StringIO", "UserDict", "__builtin__", "__future__", "_abc", "_aix_support",
    "_android_support", "_apple_support", "_ast", "_asyncio", "_bisect", "_blake2",
    "_bootsubprocess", "_bz2", "_codecs", "_codecs_cn", "_codecs_hk", "_codecs_iso2022",
    "_codecs_jp", "_codecs_kr", "_codecs_tw", "_collections", "_collections_abc",
    "_compat_pickle", "_compression", "_contextvars", "_crypt", "_csv", "_ctypes", "_curses",
    "_curses_panel", "_datetime", "_dbm", "_decimal", "_elementtree", "_frozen_importlib",
    "_frozen_importlib_external", "_functools", "_gdbm", "_hashlib", "_heapq", "_imp", "_io",
    "_ios_support", "_json", "_locale", "_lsprof", "_lzma", "_markupbase", "_md5", "_msi",
    "_multibytecodec", "_multiprocessing", "_opcode", "_operator", "_osx_support",
    "_overlapped", "_pickle", "_posixshmem", "_posixsubprocess", "_py_abc", "_pydecimal",
    "_pyio", "_pyrepl", "_queue", "_random", "_scproxy", "_sha1", "_sha256", "_sha3", "_sha512",
    "_signal", "_sitebuiltins", "_socket", "_sqlite3", "_sre", "_ssl", "_stat", "_statistics",
    "_string", "_strptime", "_struct", "_symtable", "_thread", "_threading_local", "_tkinter",
    "_tokenize", "_tracemalloc", "_typing", "_uuid", "_warnings", "_weakref", "_weakrefset",
    "_winapi", "_winreg", "_zoneinfo", "abc", "aifc", "annotationlib", "antigravity", "anydbm",
    "argparse", "array", "ast", "asynchat", "asyncio", "asyncore", "atexit", "audioop",
    "base64", "bdb", "binascii", "binhex", "bisect", "builtins", "bz2", "cPickle", "cProfile",
    "cStringIO", "calendar", "cgi", "cgitb", "chunk", "cmath", "cmd", "code", "codecs",
    "codeop", "collections", "colorsys", "commands", "compileall", "compiler", "compression",
    "concurrent", "configparser", "contextlib", "contextvars", "cookielib", "copy", "copy_reg",
    "copyreg", "crypt", "csv", "ctypes", "curses", "dataclasses", "datetime", "dbm", "decimal",
    "difflib", "dircache", "dis", "distutils", "doctest", "dumbdbm", "dummy_threading", "email",
    "encodings", "ensurepip", "enum", "errno", "exceptions", "faulthandler", "fcntl", "filecmp",
    "fileinput", "fnmatch", "formatter", "fpformat", "fractions", "ftplib", "functools",
    "future_builtins", "gc", "genericpath", "getopt", "getpass", "gettext", "glob", "graphlib",
    "grp", "gzip", "hashlib", "heapq", "hmac", "hotshot", "html", "htmllib", "http", "httplib",
    "idlelib", "ihooks", "imaplib", "imghdr", "imp", "importlib", "imputil", "inspect", "io",
    "ipaddress", "itertools", "json", "keyword", "lib2to3", "linecache", "locale", "logging",
    "lzma", "macpath", "mailbox", "mailcap", "marshal", "math", "md5", "mimetools", "mimetypes",
    "mmap", "modulefinder", "msilib", "msvcrt", "multifile", "multiprocessing", "mutex",
    "netrc", "new", "nis", "nntplib", "nt", "ntpath", "nturl2path", "numbers", "opcode",
    "operator", "optparse", "os", "os2", "ossaudiodev", "parser", "pathlib", "pdb", "pickle",
    "pickletools", "pipes", "pkgutil", "platform", "plistlib", "popen2", "poplib", "posix",
    "posixfile", "posixpath", "pprint", "profile", "pstats", "pty", "pwd", "py_compile",
    "pyclbr", "pydoc", "pydoc_data", "pyexpat", "queue", "quopri", "random", "re", "readline",
    "reprlib", "resource", "rexec", "rfc822", "rlcompleter", "robotparser", "runpy", "sched",
    "secrets", "select", "selectors", "sets", "sgmllib", "sha", "shelve", "shlex", "shutil",
    "signal", "site", "smtpd", "smtplib", "sndhdr", "socket", "socketserver", "spwd", "sqlite3",
    "sre_compile", "sre_constants", "sre_parse", "ssl", "stat", "statistics", "statvfs",
    "string", "stringprep", "struct", "subprocess", "sunau", "symtable", "sys", "sysconfig",
    "syslog", "tabnanny", "tarfile", "telnetlib", "tempfile", "termios", "textwrap", "this",
    "thread", "threading", "time", "timeit", "tkinter", "token", "tokenize", "tomllib", "trace",
    "traceback", "tracemalloc", "tty", "turtle", "turtledemo", "types", "typing", "unicodedata",
    "unittest", "urllib", "urllib2", "urlparse", "user", "uu", "uuid", "venv", "warnings",
    "wave", "weakref", "webbrowser", "whichdb", "winreg", "winsound", "wsgiref", "xdrlib",
    "xml", "xmlrpc", "xmlrpclib", "zipapp", "zipfile", "zipimport", "zlib", "zoneinfo"};

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool ftl_module_is_standard(const char *module)
{
    char top[32];
    size_t n = strcspn(module, ".");
    if (n >= sizeof top)
        return false;
    memcpy(top, module, n);
    top[n] = '\0';
    const char *key = top;
    return bsearch(&key, standard, FTL_ARRAY_LEN(standard), sizeof *standard, compare_texts);
}

static bool in_package(const char *module)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(packages); i++) {
        size_t n = strlen(packages[i]);
        if (strncmp(module, packages[i], n) == 0 && (module[n] == '.' || module[n] == '\0'))
            return true;
    }
    return false;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static bool is_harmless_builtin(const char *name)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(builtin_names); i++) {
        if (strcmp(name, builtin_names[i]) == 0)
            return true;
    }
    return !strchr(name, '.') &&
           (ends_with(name, "Error") || ends_with(name, "Warning") || ends_with(name, "Exception"));
}

bool ftl_global_is_known(const char *module, const char *name)
{
    if (strcmp(module, "builtins") == 0 || strcmp(module, "__builtin__") == 0)
        return is_harmless_builtin(name);
    for (size_t i = 0; i < FTL_ARRAY_LEN(harmless); i++) {
        if (strcmp(module, harmless[i].module) == 0 &&
            (!harmless[i].name || strcmp(name, harmless[i].name) == 0))
            return true;
    }
    return in_package(module);
}
