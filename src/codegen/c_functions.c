/*
 * Functions that generated code calls: those of kernels/vmath.h, number by number with the same
 * arithmetic; looking texts and numbers up; sums in numpy's order. $ stands for the prefix.
 */
#include "codegen/c_code.h"

/* ---- Exponentials ---------------------------------------------------------------------------- */

static const char vmath_f64[] =
    "\n/* x = n ln 2 + r; returns r, and n + 2048 in the lowest bits of *bits. */\n"
    "static double $_reduce(double x, uint64_t *bits)\n"
    "{\n"
    "    double sum = x * 0x1.71547652b82fep+0 + (0x1.8p52 + 2048), n = sum - (0x1.8p52 + 2048);\n"
    "    memcpy(bits, &sum, sizeof sum);\n"
    "    return (x - n * 0x1.62e42fefa3800p-1) - n * 0x1.ef35793c76730p-45;\n"
    "}\n"
    "\n/* (exp(r) - 1 - r) / r^2 */\n"
    "static double $_polynomial(double r)\n"
    "{\n"
    "    double r2 = r * r, r4 = r2 * r2;\n"
    "    double low = (0.5 + 0x1.5555555555557p-3 * r) +\n"
    "                 (0x1.5555555555556p-5 + 0x1.11111111100bep-7 * r) * r2;\n"
    "    double middle = (0x1.6c16c16c162c3p-10 + 0x1.a01a01abf7ed6p-13 * r) +\n"
    "                    (0x1.a01a01a6e1a43p-16 + 0x1.71de01ff19a6bp-19 * r) * r2;\n"
    "    double high = (0x1.27e4db47938d1p-22 + 0x1.af4e5274a366cp-26 * r) +\n"
    "                  0x1.1f733f411b727p-29 * r2;\n"
    "    return low + (middle + high * r4) * r4;\n"
    "}\n"
    "\nstatic double $_power(uint64_t exponent)\n"
    "{\n"
    "    double value;\n"
    "    uint64_t bits = (exponent + 1023) << 52;\n"
    "    memcpy(&value, &bits, sizeof value);\n"
    "    return value;\n"
    "}\n";

static const char exp_f64[] =
    "\nstatic double $_exp(double x)\n"
    "{\n"
    "    uint64_t bits, half;\n"
    "    double limited = x > 710.0 ? 710.0 : x, r, value;\n"
    "    limited = limited < -746.0 ? -746.0 : limited;\n"
    "    r = $_reduce(limited, &bits);\n"
    "    value = 1 + (r + r * r * $_polynomial(r));\n"
    "    half = bits >> 1;\n"
    "    return value * $_power(half - 1024) * $_power(bits - half - 1024);\n"
    "}\n";

static const char logistic_f64[] =
    "\nstatic double $_logistic(double x) { return 1 / (1 + $_exp(-x)); }\n";

static const char tanh_f64[] =
    "\nstatic double $_tanh(double x)\n"
    "{\n"
    "    uint64_t bits;\n"
    "    double size = fabs(x), limited = size > 20.0 ? 20.0 : size, r, scale, e;\n"
    "    r = $_reduce(limited + limited, &bits);\n"
    "    scale = $_power(bits - 2048);\n"
    "    e = (scale * r + (scale - 1)) + scale * (r * r * $_polynomial(r));\n"
    "    e = e / (e + 2);\n"
    "    return signbit(x) ? -e : e;\n"
    "}\n";

static const char vmath_f32[] =
    "\n/* x = n ln 2 + r; returns r, and n + 512 in the lowest bits of *bits. */\n"
    "static float $_reducef(float x, uint32_t *bits)\n"
    "{\n"
    "    float sum = x * 0x1.715476p+0f + (0x1.8p23f + 512), n = sum - (0x1.8p23f + 512);\n"
    "    memcpy(bits, &sum, sizeof sum);\n"
    "    return (x - n * 0x1.62e4p-1f) - n * 0x1.7f7d1cp-20f;\n"
    "}\n"
    "\n/* (exp(r) - 1 - r) / r^2 */\n"
    "static float $_polynomialf(float r)\n"
    "{\n"
    "    float r2 = r * r;\n"
    "    float low = 0.5f + 0x1.555556p-3f * r;\n"
    "    float middle = 0x1.5554e8p-5f + 0x1.1110ep-7f * r;\n"
    "    float high = 0x1.6d43acp-10f + 0x1.a1256ap-13f * r;\n"
    "    return low + (middle + high * r2) * r2;\n"
    "}\n"
    "\nstatic float $_powerf(uint32_t exponent)\n"
    "{\n"
    "    float value;\n"
    "    uint32_t bits = (exponent + 127) << 23;\n"
    "    memcpy(&value, &bits, sizeof value);\n"
    "    return value;\n"
    "}\n";

static const char exp_f32[] =
    "\nstatic float $_expf(float x)\n"
    "{\n"
    "    uint32_t bits, half;\n"
    "    float limited = x > 89.0f ? 89.0f : x, r, value;\n"
    "    limited = limited < -104.0f ? -104.0f : limited;\n"
    "    r = $_reducef(limited, &bits);\n"
    "    value = 1 + (r + r * r * $_polynomialf(r));\n"
    "    half = bits >> 1;\n"
    "    return value * $_powerf(half - 256) * $_powerf(bits - half - 256);\n"
    "}\n";

static const char logistic_f32[] =
    "\nstatic float $_logisticf(float x) { return 1 / (1 + $_expf(-x)); }\n";

static const char tanh_f32[] =
    "\nstatic float $_tanhf(float x)\n"
    "{\n"
    "    uint32_t bits;\n"
    "    float size = fabsf(x), limited = size > 10.0f ? 10.0f : size, r, scale, e;\n"
    "    r = $_reducef(limited + limited, &bits);\n"
    "    scale = $_powerf(bits - 512);\n"
    "    e = (scale * r + (scale - 1)) + scale * (r * r * $_polynomialf(r));\n"
    "    e = e / (e + 2);\n"
    "    return signbit(x) ? -e : e;\n"
    "}\n";

/* ---- Looking up ------------------------------------------------------------------------------ */

static const char find_text[] =
    "\n/* The number that belongs to a text among n ascending ones, or -1. */\n"
    "static int $_find_text(const char *const *texts, const int *numbers, int n, const char "
    "*text)\n"
    "{\n"
    "    int low = 0, high = n;\n"
    "    while (low < high) {\n"
    "        int middle = low + (high - low) / 2, order = strcmp(texts[middle], text);\n"
    "        if (order == 0)\n"
    "            return numbers[middle];\n"
    "        if (order < 0)\n"
    "            low = middle + 1;\n"
    "        else\n"
    "            high = middle;\n"
    "    }\n"
    "    return -1;\n"
    "}\n";

static const char find_number[] =
    "\n/* The same for a number. */\n"
    "static int $_find_number(const double *values, const int *numbers, int n, double x)\n"
    "{\n"
    "    int low = 0, high = n;\n"
    "    while (low < high) {\n"
    "        int middle = low + (high - low) / 2;\n"
    "        if (values[middle] < x)\n"
    "            low = middle + 1;\n"
    "        else\n"
    "            high = middle;\n"
    "    }\n"
    "    return low < n && values[low] == x ? numbers[low] : -1;\n"
    "}\n";

static const char cells[] =
    "\n/* A value of any kind: kind 0 is missing, 1 a text, 2 a number. */\n"
    "typedef struct $_cell {\n"
    "    int kind;\n"
    "    double number;\n"
    "    const char *text;\n"
    "} $_cell;\n";

static const char of_text[] = "\nstatic $_cell $_of_text(const char *text)\n"
                              "{\n"
                              "    $_cell cell = {0, 0.0, NULL};\n"
                              "    cell.kind = text != NULL;\n"
                              "    cell.text = text;\n"
                              "    return cell;\n"
                              "}\n";

static const char of_number[] = "\nstatic $_cell $_of_number(double x)\n"
                                "{\n"
                                "    $_cell cell = {0, 0.0, NULL};\n"
                                "    cell.kind = x == x ? 2 : 0;\n"
                                "    cell.number = x;\n"
                                "    return cell;\n"
                                "}\n";

static const char text_number[] =
    "\nstatic int $_is_one_of(const char *text, size_t size, const char *words)\n"
    "{\n"
    "    size_t n;\n"
    "    for (; *words; words += n + 1) {\n"
    "        n = strcspn(words, \"|\");\n"
    "        if (n == size && memcmp(words, text, n) == 0)\n"
    "            return 1;\n"
    "        if (!words[n])\n"
    "            break;\n"
    "    }\n"
    "    return 0;\n"
    "}\n"
    "\nstatic int $_is_digit(char c) { return c >= '0' && c <= '9'; }\n"
    "\n/* Whether it is a decimal number, inf or nan, as strtod then reads it. */\n"
    "static int $_is_decimal(const char *text, size_t size)\n"
    "{\n"
    "    size_t i = 0, digits = 0;\n"
    "    char word[9] = {0};\n"
    "    if (i < size && (text[i] == '+' || text[i] == '-'))\n"
    "        i++;\n"
    "    if (size - i <= 8) {\n"
    "        for (digits = i; digits < size; digits++)\n"
    "            word[digits - i] = (char)(text[digits] >= 'A' && text[digits] <= 'Z'\n"
    "                                          ? text[digits] - 'A' + 'a' : text[digits]);\n"
    "        if ($_is_one_of(word, size - i, \"inf|infinity|nan\"))\n"
    "            return 1;\n"
    "    }\n"
    "    for (digits = 0; i < size && $_is_digit(text[i]); i++)\n"
    "        digits++;\n"
    "    if (i < size && text[i] == '.')\n"
    "        for (i++; i < size && $_is_digit(text[i]); i++)\n"
    "            digits++;\n"
    "    if (digits && i < size && (text[i] == 'e' || text[i] == 'E')) {\n"
    "        i++;\n"
    "        if (i < size && (text[i] == '+' || text[i] == '-'))\n"
    "            i++;\n"
    "        for (digits = 0; i < size && $_is_digit(text[i]); i++)\n"
    "            digits++;\n"
    "    }\n"
    "    return digits && i == size;\n"
    "}\n"
    "\n/*\n"
    " * The number that a text stands for, in the C locale: 0 where it is none. NULL is missing, "
    "and\n"
    " * with `words` so are the texts that tables have for it. Blanks around it do not count.\n"
    " */\n"
    "static int $_text_number(const char *text, int words, double *out)\n"
    "{\n"
    "    size_t size = text ? strlen(text) : 0;\n"
    "    *out = NAN;\n"
    "    if (!text)\n"
    "        return 1;\n"
    "    for (; *text == ' ' || *text == '\\t'; text++)\n"
    "        size--;\n"
    "    while (size && (text[size - 1] == ' ' || text[size - 1] == '\\t'))\n"
    "        size--;\n"
    "    if (words && (size == 0 || $_is_one_of(text, size,\n"
    "            \"NA|N/A|n/a|NaN|nan|-nan|-NaN|NULL|null|None|<NA>|#N/A|#NA|#N/A N/A|\"\n"
    "            \"1.#IND|-1.#IND|1.#QNAN|-1.#QNAN\")))\n"
    "        return 1;\n"
    "    if ($_is_one_of(text, size, \"True|TRUE|true\"))\n"
    "        *out = 1;\n"
    "    else if ($_is_one_of(text, size, \"False|FALSE|false\"))\n"
    "        *out = 0;\n"
    "    else if ($_is_decimal(text, size))\n"
    "        *out = strtod(text, NULL);\n"
    "    else\n"
    "        return 0;\n"
    "    return 1;\n"
    "}\n";

static const char cell_number[] = "\nstatic int $_cell_number(const $_cell *cell, double *out)\n"
                                  "{\n"
                                  "    if (cell->kind == 1)\n"
                                  "        return $_text_number(cell->text, 0, out);\n"
                                  "    *out = cell->kind == 2 ? cell->number : NAN;\n"
                                  "    return 1;\n"
                                  "}\n";

/* ---- Sums ------------------------------------------------------------------------------------ */

static const char dot_f64[] =
    "\n/* The sum of x[j] w[j] in eight lanes. */\n"
    "static double $_dot(const double *x, const double *w, int n)\n"
    "{\n"
    "    double v[8] = {0};\n"
    "    int j, k;\n"
    "    for (j = 0; j + 8 <= n; j += 8)\n"
    "        for (k = 0; k < 8; k++)\n"
    "            v[k] += (double)x[j + k] * w[j + k];\n"
    "    for (k = 0; j + k < n; k++)\n"
    "        v[k] += (double)x[j + k] * w[j + k];\n"
    "    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));\n"
    "}\n";

static const char dot_f32[] =
    "\n/* The sum of x[j] w[j] in eight lanes. */\n"
    "static double $_dotf(const float *x, const double *w, int n)\n"
    "{\n"
    "    double v[8] = {0};\n"
    "    int j, k;\n"
    "    for (j = 0; j + 8 <= n; j += 8)\n"
    "        for (k = 0; k < 8; k++)\n"
    "            v[k] += (double)x[j + k] * w[j + k];\n"
    "    for (k = 0; j + k < n; k++)\n"
    "        v[k] += (double)x[j + k] * w[j + k];\n"
    "    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));\n"
    "}\n";

static const char abs_sum_f64[] =
    "\n/* The sum of |x| in numpy's pairwise order. */\n"
    "static double $_abs_sum(const double *x, int n)\n"
    "{\n"
    "    double r[8], sum = 0;\n"
    "    int i = 0, k;\n"
    "    if (n > 128) {\n"
    "        int half = n / 2 - n / 2 % 8;\n"
    "        return $_abs_sum(x, half) + $_abs_sum(x + half, n - half);\n"
    "    }\n"
    "    if (n >= 8) {\n"
    "        for (k = 0; k < 8; k++)\n"
    "            r[k] = fabs(x[k]);\n"
    "        for (i = 8; i < n - n % 8; i += 8)\n"
    "            for (k = 0; k < 8; k++)\n"
    "                r[k] += fabs(x[i + k]);\n"
    "        sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));\n"
    "    }\n"
    "    for (; i < n; i++)\n"
    "        sum += fabs(x[i]);\n"
    "    return sum;\n"
    "}\n";

static const char abs_sum_f32[] =
    "\n/* The sum of |x| in numpy's pairwise order. */\n"
    "static float $_abs_sumf(const float *x, int n)\n"
    "{\n"
    "    float r[8], sum = 0;\n"
    "    int i = 0, k;\n"
    "    if (n > 128) {\n"
    "        int half = n / 2 - n / 2 % 8;\n"
    "        return $_abs_sumf(x, half) + $_abs_sumf(x + half, n - half);\n"
    "    }\n"
    "    if (n >= 8) {\n"
    "        for (k = 0; k < 8; k++)\n"
    "            r[k] = fabsf(x[k]);\n"
    "        for (i = 8; i < n - n % 8; i += 8)\n"
    "            for (k = 0; k < 8; k++)\n"
    "                r[k] += fabsf(x[i + k]);\n"
    "        sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));\n"
    "    }\n"
    "    for (; i < n; i++)\n"
    "        sum += fabsf(x[i]);\n"
    "    return sum;\n"
    "}\n";

static const char gaussian[] =
    "\n/* The sum of (x - mean)^2 / variance in numpy's pairwise order. */\n"
    "static double $_term(double x, double mean, double variance)\n"
    "{\n"
    "    double off = x - mean;\n"
    "    return off * off / variance;\n"
    "}\n"
    "\nstatic double $_distance(const double *x, const double *mean, const double *variance, int "
    "n)\n"
    "{\n"
    "    double r[8], sum = 0;\n"
    "    int i = 0, k;\n"
    "    if (n > 128) {\n"
    "        int half = n / 2 - n / 2 % 8;\n"
    "        return $_distance(x, mean, variance, half) +\n"
    "               $_distance(x + half, mean + half, variance + half, n - half);\n"
    "    }\n"
    "    if (n >= 8) {\n"
    "        for (k = 0; k < 8; k++)\n"
    "            r[k] = $_term(x[k], mean[k], variance[k]);\n"
    "        for (i = 8; i < n - n % 8; i += 8)\n"
    "            for (k = 0; k < 8; k++)\n"
    "                r[k] += $_term(x[i + k], mean[i + k], variance[i + k]);\n"
    "        sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));\n"
    "    }\n"
    "    for (; i < n; i++)\n"
    "        sum += $_term(x[i], mean[i], variance[i]);\n"
    "    return sum;\n"
    "}\n";

static const char same_cell[] =
    "\n/* Whether a cell is this one: of kind 0, 1 or 2, or 3, which is a bool. */\n"
    "static int $_same_cell($_cell c, int kind, double number, const char *text)\n"
    "{\n"
    "    double x = c.number;\n"
    "    if (kind == 1)\n"
    "        return c.kind == 1 ? strcmp(c.text, text) == 0 : c.kind == 0 && !text[0];\n"
    "    if (kind == 0 || c.kind == 0)\n"
    "        return kind == c.kind;\n"
    "    if (c.kind == 1 && kind == 3 && !$_is_one_of(c.text, strlen(c.text),\n"
    "                                                 \"True|TRUE|true|False|FALSE|false\"))\n"
    "        return 0;\n"
    "    return (c.kind == 2 || $_text_number(c.text, 0, &x)) && x == number;\n"
    "}\n";

/* ---- Curves ---------------------------------------------------------------------------------- */

static const char ranks[] =
    "\n/* numpy.interp(x, q, reference): where quantiles repeat, the last of them. */\n"
    "static double $_rank_below(const double *q, const double *reference, int n, double x)\n"
    "{\n"
    "    int low = 0, high = n;\n"
    "    if (x < q[0])\n"
    "        return reference[0];\n"
    "    while (high - low > 1) {\n"
    "        int middle = low + (high - low) / 2;\n"
    "        if (q[middle] <= x)\n"
    "            low = middle;\n"
    "        else\n"
    "            high = middle;\n"
    "    }\n"
    "    if (low == n - 1 || q[low] == x)\n"
    "        return reference[low];\n"
    "    return (reference[low + 1] - reference[low]) / (q[low + 1] - q[low]) * (x - q[low]) +\n"
    "           reference[low];\n"
    "}\n"
    "\n/* The same from above: the first of them. */\n"
    "static double $_rank_above(const double *q, const double *reference, int n, double x)\n"
    "{\n"
    "    int low = 0, high = n - 1;\n"
    "    if (x > q[n - 1])\n"
    "        return reference[n - 1];\n"
    "    while (low < high) {\n"
    "        int middle = low + (high - low) / 2;\n"
    "        if (q[middle] >= x)\n"
    "            high = middle;\n"
    "        else\n"
    "            low = middle + 1;\n"
    "    }\n"
    "    if (low == 0 || q[low] == x)\n"
    "        return reference[low];\n"
    "    return -((reference[low] - reference[low - 1]) / (q[low] - q[low - 1]) * (q[low] - x) -\n"
    "             reference[low]);\n"
    "}\n";

static const char normal[] =
    "\n/* The value below which a share p of a standard normal distribution lies, 0 < p < 1. */\n"
    "static double $_normal(double p)\n"
    "{\n"
    "    double tail = p < 0.5 ? p : 1.0 - p, t, x;\n"
    "    int i;\n"
    "    if (tail == 0.5)\n"
    "        return 0;\n"
    "    t = sqrt(-2.0 * log(tail));\n"
    "    x = (2.515517 + t * (0.802853 + t * 0.010328)) /\n"
    "            (1.0 + t * (1.432788 + t * (0.189269 + t * 0.001308))) - t;\n"
    "    for (i = 0; i < 3; i++) {\n"
    "        double over = tail > 0.25 ? 0.5 * erf(x * 0.70710678118654752440) - (tail - 0.5)\n"
    "                                  : 0.5 * erfc(-x * 0.70710678118654752440) - tail;\n"
    "        double step = over * 2.50662827463100050242 * exp(0.5 * x * x);\n"
    "        x -= step / (1.0 + 0.5 * x * step);\n"
    "    }\n"
    "    return p < 0.5 ? x : -x;\n"
    "}\n";

static const char find_point[] =
    "\n/* The last point that is not above a value within the points. */\n"
    "static int $_point(const double *x, int n, double value)\n"
    "{\n"
    "    int low = 0, high = n;\n"
    "    while (high - low > 1) {\n"
    "        int middle = low + (high - low) / 2;\n"
    "        if (x[middle] <= value)\n"
    "            low = middle;\n"
    "        else\n"
    "            high = middle;\n"
    "    }\n"
    "    return low;\n"
    "}\n";

static const char line_f64[] =
    "\nstatic double $_line(const double *x, const double *y, int n, double value)\n"
    "{\n"
    "    int j = $_point(x, n, value);\n"
    "    double slope, result;\n"
    "    if (j == n - 1 || x[j] == value)\n"
    "        return y[j];\n"
    "    slope = (y[j + 1] - y[j]) / (x[j + 1] - x[j]);\n"
    "    result = slope * (value - x[j]) + y[j];\n"
    "    if (result == result)\n"
    "        return result;\n"
    "    result = slope * (value - x[j + 1]) + y[j + 1];\n"
    "    return result != result && y[j] == y[j + 1] ? y[j] : result;\n"
    "}\n";

static const char line_f32[] =
    "\nstatic float $_linef(const double *x, const double *y, int n, float value)\n"
    "{\n"
    "    int low = $_point(x, n, (double)value);\n"
    "    float left, bottom, slope;\n"
    "    if (low > 0 && (low == n - 1 || x[low] == (double)value))\n"
    "        low--;\n"
    "    left = (float)x[low];\n"
    "    bottom = (float)y[low];\n"
    "    slope = ((float)y[low + 1] - bottom) / ((float)x[low + 1] - left);\n"
    "    return slope * (value - left) + bottom;\n"
    "}\n";

static const char median[] =
    "\n/*\n"
    " * The first of n values, in ascending order, at which the running sum of weights reaches "
    "half of\n"
    " * all; NaN is behind everything. order and other have room for n.\n"
    " */\n"
    "static double $_median(const double *values, const double *weights, int n, int *order, int "
    "*other)\n"
    "{\n"
    "    double total = 0, sum = 0;\n"
    "    int run, start, i;\n"
    "    for (i = 0; i < n; i++)\n"
    "        order[i] = i;\n"
    "    for (run = 1; run < n; run *= 2) {\n"
    "        int *swap = order;\n"
    "        for (start = 0; start < n; start += 2 * run) {\n"
    "            int middle = n - start < run ? n : start + run;\n"
    "            int end = n - start < 2 * run ? n : start + 2 * run, a = start, b = middle;\n"
    "            for (i = start; i < end; i++) {\n"
    "                int second = a == middle;\n"
    "                if (!second && b < end) {\n"
    "                    double x = values[order[b]], y = values[order[a]];\n"
    "                    second = x < y || (y != y && x == x);\n"
    "                }\n"
    "                other[i] = second ? order[b++] : order[a++];\n"
    "            }\n"
    "        }\n"
    "        order = other;\n"
    "        other = swap;\n"
    "    }\n"
    "    for (i = 0; i < n; i++)\n"
    "        total += weights[order[i]];\n"
    "    for (i = 0; i < n; i++) {\n"
    "        sum += weights[order[i]];\n"
    "        if (sum >= 0.5 * total)\n"
    "            return values[order[i]];\n"
    "    }\n"
    "    return values[order[0]];\n"
    "}\n";

/* ---- Writing --------------------------------------------------------------------------------- */

static const struct {
    uint32_t uses; /* any of them */
    const char *text;
} functions[] = {
    {FTL_C_EXP_F64 | FTL_C_TANH_F64, vmath_f64},
    {FTL_C_EXP_F64, exp_f64},
    {FTL_C_LOGISTIC_F64, logistic_f64},
    {FTL_C_TANH_F64, tanh_f64},
    {FTL_C_EXP_F32 | FTL_C_TANH_F32, vmath_f32},
    {FTL_C_EXP_F32, exp_f32},
    {FTL_C_LOGISTIC_F32, logistic_f32},
    {FTL_C_TANH_F32, tanh_f32},
    {FTL_C_DOT_F64, dot_f64},
    {FTL_C_DOT_F32, dot_f32},
    {FTL_C_ABS_SUM_F64, abs_sum_f64},
    {FTL_C_ABS_SUM_F32, abs_sum_f32},
    {FTL_C_GAUSSIAN, gaussian},
    {FTL_C_FIND_TEXT, find_text},
    {FTL_C_FIND_NUMBER, find_number},
    {FTL_C_CELLS, cells},
    {FTL_C_OF_TEXT, of_text},
    {FTL_C_OF_NUMBER, of_number},
    {FTL_C_TEXT_NUMBER, text_number},
    {FTL_C_CELL_NUMBER, cell_number},
    {FTL_C_SAME_CELL, same_cell},
    {FTL_C_RANKS, ranks},
    {FTL_C_NORMAL, normal},
    {FTL_C_LINE_F64 | FTL_C_LINE_F32, find_point},
    {FTL_C_LINE_F64, line_f64},
    {FTL_C_LINE_F32, line_f32},
    {FTL_C_MEDIAN, median},
};

void ftl_c_write_functions(ftl_c_code *code)
{
    if (code->uses & FTL_C_LOGISTIC_F64)
        code->uses |= FTL_C_EXP_F64;
    if (code->uses & FTL_C_LOGISTIC_F32)
        code->uses |= FTL_C_EXP_F32;
    for (size_t i = 0; i < FTL_ARRAY_LEN(functions); i++) {
        if (code->uses & functions[i].uses)
            ftl_c_text(code, functions[i].text);
    }
}
