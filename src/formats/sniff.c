/*
 * Signatures come from the formats' own descriptions. None is the beginning of a valid pickle:
 * those begin with 80 (protocol 2 and later) or with one of the few opcodes that can stand on an
 * empty stack.
 */
#include "formats/sniff.h"

#include "model/file.h"

#include <string.h>

enum { LOOK = 512 };

typedef struct signature {
    const char *bytes;
    size_t size;
    size_t offset;
    ftl_status code; /* OK: a model of that kind */
    ftl_file_kind kind;
    const char *message;
} signature;

#define AT(offset_, bytes_, code_, message_) \
    {bytes_, sizeof bytes_ - 1, offset_, code_, FTL_FILE_PICKLE, message_}
#define IS_MODEL(bytes_, kind_) {bytes_, sizeof bytes_ - 1, 0, FTL_OK, kind_, NULL}
#define MODEL(what) "this is " what ", which this version does not read"
#define TABLE(what) "this is " what ", not a model; give the model first, then the data"

static const signature signatures[] = {
    AT(0, "version https://git-lfs", FTL_CORRUPT,
       "this is a Git LFS pointer, not the model itself; run git lfs pull to fetch it"),
    AT(0, "PAR1", FTL_UNSUPPORTED, TABLE("a Parquet table")),
    AT(0, "ARROW1", FTL_UNSUPPORTED, TABLE("an Arrow table")),
    AT(0, "FEA1", FTL_UNSUPPORTED, TABLE("a Feather table")),
    AT(0, "\x93NUMPY", FTL_UNSUPPORTED, TABLE("a NumPy array (.npy)")),
    AT(0, "SQLite format 3", FTL_UNSUPPORTED, TABLE("an SQLite database")),
    AT(0, "\x89HDF\r\n\x1a\n", FTL_UNSUPPORTED, MODEL("an HDF5 file (such as a Keras model)")),
    AT(4, "TFL3", FTL_UNSUPPORTED, MODEL("a TensorFlow Lite model")),
    AT(0, "GGUF", FTL_UNSUPPORTED, MODEL("a GGUF language model")),
    AT(8, "{\"", FTL_UNSUPPORTED, MODEL("a safetensors file")),
    IS_MODEL(FTL_FILE_MAGIC, FTL_FILE_FORETELL),
    IS_MODEL("CBM1", FTL_FILE_CATBOOST),
    IS_MODEL("tree\nversion=", FTL_FILE_LIGHTGBM),
    IS_MODEL("tree\r\nversion=", FTL_FILE_LIGHTGBM),
    AT(0, "tree\nnum_class=", FTL_UNSUPPORTED,
       "this is a model of LightGBM before 2.1, which this version does not read; train it again "
       "with a newer LightGBM"),
    AT(0, "gbdt\n", FTL_UNSUPPORTED,
       "this is a model of LightGBM before 2.1, which this version does not read; train it again "
       "with a newer LightGBM"),
    IS_MODEL("binf", FTL_FILE_XGBOOST),
    IS_MODEL("CONFIG-offset:", FTL_FILE_XGBOOST),
    IS_MODEL("{L", FTL_FILE_XGBOOST),
    /* torch.save before its zip format: protocol 2 with a magic number of ten bytes */
    AT(0, "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", FTL_UNSUPPORTED,
       MODEL("a PyTorch file (old format)")),
    AT(0, "RDX2\n", FTL_UNSUPPORTED, MODEL("an R workspace (.RData)")),
    AT(0, "RDX3\n", FTL_UNSUPPORTED, MODEL("an R workspace (.RData)")),
    AT(0, "X\n\0\0\0", FTL_UNSUPPORTED, MODEL("an R object (.rds)")),
    AT(0,
       "\x7f"
       "ELF",
       FTL_UNSUPPORTED, "this is a program, not a model"),
    AT(0, "MZ", FTL_UNSUPPORTED, "this is a Windows program, not a model"),
    AT(0, "%PDF-", FTL_UNSUPPORTED, "this is a PDF document, not a model"),
    AT(0, "\x89PNG", FTL_UNSUPPORTED, "this is a picture, not a model"),
    AT(257, "ustar", FTL_UNSUPPORTED, "this is a tar archive; unpack it and give the model in it"),
    AT(0, "7z\xbc\xaf", FTL_UNSUPPORTED,
       "this is a 7z archive; unpack it and give the model in it"),
    AT(0, "Rar!", FTL_UNSUPPORTED, "this is a RAR archive; unpack it and give the model in it"),
};

static bool begins(const uint8_t *data, size_t size, size_t offset, const char *bytes, size_t n)
{
    return size >= offset + n && memcmp(data + offset, bytes, n) == 0;
}

/* True when text occurs in data[0..size). */
static bool holds(const uint8_t *data, size_t size, const char *text)
{
    return memmem(data, size, text, strlen(text)) != NULL;
}

/* A zip archive tells its kind by the name of its first member (offset 30, length at 26). */
static ftl_status zip_kind(const uint8_t *data, size_t size, ftl_error *error)
{
    size_t length = size >= 30 ? (size_t)data[26] | (size_t)data[27] << 8 : 0;
    const uint8_t *name = size >= 30 ? data + 30 : data;
    if (length > size - (size >= 30 ? 30 : 0))
        length = size >= 30 ? size - 30 : 0;
    bool digits = length > 4;
    for (size_t i = 0; i + 4 < length; i++)
        digits = digits && name[i] >= '0' && name[i] <= '9';
    bool npy = length > 4 && memcmp(name + length - 4, ".npy", 4) == 0;
    if (holds(name, length, "/data.pkl") || holds(name, length, "/version") ||
        holds(name, length, "/byteorder"))
        return FTL_FAIL(error, FTL_UNSUPPORTED, MODEL("a PyTorch zip archive"));
    if (holds(name, length, "model.weights.h5") || holds(name, length, "config.json") ||
        holds(name, length, "metadata.json"))
        return FTL_FAIL(error, FTL_UNSUPPORTED, MODEL("a Keras zip archive"));
    if (holds(name, length, "schema.json") || (npy && digits))
        return FTL_FAIL(error, FTL_UNSUPPORTED, MODEL("a skops archive"));
    if (npy)
        return FTL_FAIL(error, FTL_UNSUPPORTED, TABLE("a NumPy archive (.npz)"));
    if (holds(name, length, "[Content_Types].xml"))
        return FTL_FAIL(error, FTL_UNSUPPORTED, TABLE("an Office document"));
    return FTL_FAIL(error, FTL_UNSUPPORTED,
                    "this is a zip archive; unpack it and give the model in it");
}

/* ONNX: protobuf field 1 (ir_version, one byte), then field 2 (producer_name) or 7 (graph) or 8
 * (opset_import). */
static bool is_onnx(const uint8_t *data, size_t size)
{
    return size >= 4 && data[0] == 0x08 && data[1] >= 1 && data[1] <= 32 &&
           (data[2] == 0x12 || data[2] == 0x3a || data[2] == 0x42);
}

/*
 * Core ML begins as ONNX does: its version, then field 2, which is a message here, of the inputs
 * first (field 1), and no producer's name.
 */
static bool is_core_ml(const uint8_t *data, size_t size)
{
    size_t i = 3;
    if (size < 4 || data[0] != 0x08 || data[2] != 0x12)
        return false;
    while (i < size && data[i] & 0x80) /* its length */
        i++;
    return i + 1 < size && data[i] != 0 && data[i + 1] == 0x0a;
}

/*
 * XGBoost's binary format as 0.x wrote it, without a header: 136 bytes of parameters, then the
 * objective's name, "reg:linear", with its length in 8 bytes.
 */
static bool is_old_xgboost(const uint8_t *data, size_t size)
{
    enum { name = 144, longest = 40 };
    static const char *const kinds[] = {
        "reg:", "binary:", "multi:", "count:", "rank:", "survival:"};
    if (size < name + longest || data[136] < 5 || data[136] > longest)
        return false;
    for (size_t i = 137; i < name; i++) {
        if (data[i])
            return false;
    }
    for (size_t i = 0; i < FTL_ARRAY_LEN(kinds); i++) {
        if (begins(data, size, name, kinds[i], strlen(kinds[i])))
            return true;
    }
    return false;
}

static bool is_text(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t c = data[i];
        if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* The length of a dotted name ended by a newline, which is included; 0: there is none. */
static size_t name_line(const uint8_t *data, size_t size)
{
    size_t i = 0;
    for (; i < size && data[i] != '\n' && data[i] != '\r'; i++) {
        uint8_t c = data[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        if (!letter && (i == 0 || (c != '.' && c != '<' && c != '>' && (c < '0' || c > '9'))))
            return 0;
    }
    i += i < size && data[i] == '\r';
    return i > 0 && i < size && data[i] == '\n' ? i + 1 : 0;
}

/* Protocol 0 is text itself: an opcode that may come first, with an argument of its form. */
static bool may_be_protocol_0(const uint8_t *data, size_t size)
{
    uint8_t next = size > 1 ? data[1] : 0;
    bool number = (next >= '0' && next <= '9') || next == '-' || next == '+' || next == '.';
    switch (data[0]) {
    case '(':
    case ')':
    case ']':
    case '}':
        return true;
    case 'N':
        return next == '.';
    case 'S':
        return next == '\'' || next == '"';
    case 'I':
    case 'L':
        return number;
    case 'F':
        return number || begins(data, size, 1, "nan\n", 4) || begins(data, size, 1, "inf\n", 4);
    case 'c': {
        size_t module = name_line(data + 1, size - 1);
        return module && name_line(data + 1 + module, size - 1 - module);
    }
    default:
        return false;
    }
}

/*
 * What boosters write for people, or for other programs, and do not read back: told by how the text
 * begins and by a word in it. The message says what to save instead.
 */
#define DUMP(what, instead) \
    "this is what " what " writes, which lacks what predicting needs; save it with " instead
#define EXPORT(what) \
    "this is CatBoost's " what ", which is not read; save it with model.save_model('model.cbm')"
static const struct {
    const char *begins, *holds, *message;
} dumps[] = {
    {"{", "\"num_tree_per_iteration\"",
     DUMP("LightGBM's dump_model", "booster.save_model('model.txt')")},
    {"booster[", "booster[0]:", DUMP("XGBoost's dump_model", "booster.save_model('model.json')")},
    {"[", "\"nodeid\"", DUMP("XGBoost's dump_model", "booster.save_model('model.json')")},
    {"0:", "leaf=", DUMP("XGBoost's get_dump", "booster.save_model('model.json')")},
    {"0:[", "yes=", DUMP("XGBoost's get_dump", "booster.save_model('model.json')")},
    {"[", "\"0:leaf=", DUMP("XGBoost's get_dump", "booster.save_model('model.json')")},
    {"[", "\"digraph", DUMP("XGBoost's get_dump", "booster.save_model('model.json')")},
    {"digraph", "{",
     "this is the drawing of a tree (Graphviz), which lacks what predicting needs; save the model "
     "itself, as booster.save_model('model.json') does"},
    {"Tree,Node,ID,", ",Split",
     DUMP("XGBoost's trees_to_dataframe", "booster.save_model('model.json')")},
    {",Tree,Node,ID,", ",Split",
     DUMP("XGBoost's trees_to_dataframe", "booster.save_model('model.json')")},
    {"tree_index,", "node_depth",
     DUMP("LightGBM's trees_to_dataframe", "booster.save_model('model.txt')")},
    {",tree_index,", "node_depth",
     DUMP("LightGBM's trees_to_dataframe", "booster.save_model('model.txt')")},
    {"[", "\"0:[", DUMP("XGBoost's get_dump", "booster.save_model('model.json')")},
    {"{", "\"features_info\"", EXPORT("JSON export")},
    {"{", "\"oblivious_trees\"", EXPORT("JSON export")},
    {"{", "\"ctr_data\"", EXPORT("JSON export")},
    {"#", "CatboostModel", EXPORT("C++ export")},
    {"#", "catboost_model", EXPORT("Python export")},
};

static const char *dump_message(const uint8_t *text, size_t size)
{
    for (size_t i = 0; i < FTL_ARRAY_LEN(dumps); i++) {
        if (begins(text, size, 0, dumps[i].begins, strlen(dumps[i].begins)) &&
            holds(text, size, dumps[i].holds))
            return dumps[i].message;
    }
    return NULL;
}

/* Files that are text and no pickle: OK when they are a model in text. */
static ftl_status text_kind(const uint8_t *data, size_t size, ftl_file_kind *kind, ftl_error *error)
{
    size_t i = begins(data, size, 0, "\xef\xbb\xbf", 3) ? 3 : 0;
    while (i < size && (data[i] == ' ' || data[i] == '\n' || data[i] == '\r' || data[i] == '\t'))
        i++;
    const uint8_t *text = data + i;
    size_t left = size - i;
    if (begins(text, left, 0, "<", 1) && holds(text, left, "PMML"))
        return FTL_FAIL(error, FTL_UNSUPPORTED, MODEL("a PMML file"));
    if (begins(text, left, 0, "<!", 2) || begins(text, left, 0, "<h", 2) ||
        begins(text, left, 0, "<H", 2))
        return FTL_FAIL(error, FTL_CORRUPT,
                        "this is a web page, not a model; the download probably asked for a login, "
                        "get the file again");
    if (begins(text, left, 0, "{", 1) && holds(text, left, "\"learner\"")) {
        *kind = FTL_FILE_XGBOOST;
        return FTL_OK;
    }
    const char *dump = dump_message(text, left);
    if (dump)
        return FTL_FAIL(error, FTL_UNSUPPORTED, "%s", dump);
    if (begins(text, left, 0, "{", 1) || begins(text, left, 0, "[", 1))
        return FTL_FAIL(error, FTL_UNSUPPORTED,
                        "this is a JSON file, but not a model of XGBoost's; give the model first, "
                        "then the data");
    return FTL_FAIL(error, FTL_CORRUPT,
                    "this is a text file, not a saved model; give the model's file (.joblib, .pkl, "
                    "a booster's own) first, then the data");
}

/* A pickle's or a zlib stream's first byte, which is no UTF-8, after a program read it as text. */
static bool was_text(const uint8_t *data, size_t size)
{
    return begins(data, size, 0, "\xef\xbf\xbd", 3);
}

ftl_status ftl_sniff(ftl_stream *stream, ftl_file_kind *kind, ftl_error *error)
{
    const uint8_t *data;
    size_t size;
    FTL_TRY(ftl_stream_ahead(stream, LOOK, &data, &size, error));
    if (size > LOOK)
        size = LOOK;
    if (size == 0)
        return FTL_FAIL_AT(error, FTL_CORRUPT, 0, "the file is empty; get it again");
    for (size_t i = 0; i < FTL_ARRAY_LEN(signatures); i++) {
        const signature *s = &signatures[i];
        if (!begins(data, size, s->offset, s->bytes, s->size))
            continue;
        *kind = s->kind;
        return s->code == FTL_OK ? FTL_OK : FTL_FAIL_AT(error, s->code, 0, "%s", s->message);
    }
    *kind = FTL_FILE_PICKLE;
    if (is_old_xgboost(data, size)) {
        *kind = FTL_FILE_XGBOOST;
        return FTL_OK;
    }
    if (begins(data, size, 0, "PK\3\4", 4) || begins(data, size, 0, "PK\5\6", 4))
        return zip_kind(data, size, error);
    if (was_text(data, size))
        return FTL_FAIL_AT(error, FTL_CORRUPT, 0,
                           "this file was copied as text, which replaced every byte that is no "
                           "UTF-8; it cannot be repaired, copy it again as binary");
    if (is_core_ml(data, size))
        return FTL_FAIL_AT(error, FTL_UNSUPPORTED, 0, MODEL("a Core ML model"));
    if (is_onnx(data, size))
        return FTL_FAIL_AT(error, FTL_UNSUPPORTED, 0, MODEL("an ONNX model"));
    if (data[0] != 0x80 && is_text(data, size) && !may_be_protocol_0(data, size))
        return text_kind(data, size, kind, error);
    return FTL_OK;
}
