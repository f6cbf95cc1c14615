/* SPDX-License-Identifier: Apache-2.0 */
#include "mlperf.h"

#include "build.h"
#include "bytes.h"
#include "engine.h"
#include "frame.h"
#include "port.h"

#include <string.h>

enum {
    SAMPLE_MAX = 128, /* input channels of a model that only streams, and its output channels */
    BYTES_PER_LINE = 8,
    DEFAULT_WARM_UP = 10,
    NUMBER_MAX = 1000000000,
    OUT = 64, /* bytes sent at once */
};

static struct {
    char text[MLPERF_COMMAND_MAX + 1];
    uint8_t length;
    bool overlong;
    bool begun; /* a byte came since the last 0x00 */
    enum place {
        OUTSIDE, /* of frames: what comes may be a command */
        FRAME,   /* after the 0x00 that begins one, up to the one that ends it */
        NOISE,   /* neither text nor framed: to be ended by a 0x00 or a silence */
    } place;
    uint32_t heard_ms;
} line;

static struct {
    uint32_t size, filled; /* bytes of the input asked for by `db load`, and come so far */
} load;

static int16_t sample[SAMPLE_MAX], estimate[SAMPLE_MAX]; /* of a model that only streams; int8 or int16 */

static struct {
    uint8_t bytes[OUT];
    size_t length;
} out;

/* Text is no place for speed: copies of these in every caller would cost kilobytes. */
#define SMALL __attribute__((noinline))

static SMALL bool same(const char *one, const char *other) {
    while (*one && *one == *other) {
        one++, other++;
    }
    return *one == *other;
}

static SMALL void flush(void) {
    if (out.length) {
        port_send(out.bytes, out.length);
    }
    out.length = 0;
}

static SMALL void put_char(char character) {
    if (out.length == sizeof out.bytes) {
        flush();
    }
    out.bytes[out.length++] = (uint8_t)character;
}

static SMALL void put(const char *text) {
    while (*text) {
        put_char(*text++);
    }
}

/* `value` in decimal with at least `digits` digits. */
static SMALL void put_number(uint32_t value, unsigned digits) {
    char reversed[10];
    unsigned count = 0;
    do {
        reversed[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value || count < digits);
    while (count) {
        put_char(reversed[--count]);
    }
}

/* "e-[" or "m-" before, a number and the rest of the line. */
static SMALL void put_line(const char *before, uint32_t number, const char *after) {
    put(before);
    put_number(number, 1);
    put(after);
}

static SMALL void put_hex(uint8_t byte) {
    static const char digits[] = "0123456789abcdef";
    put_char(digits[byte >> 4]);
    put_char(digits[byte & 15]);
}

/* steps * scale with three decimals, as printf's %.3f but for ties, which go away from zero.  In integers:
 * not every core has an FPU, and text is not worth a floating-point library. */
static SMALL void put_real(float scale, int32_t steps) {
    uint32_t bits;
    memcpy(&bits, &scale, sizeof bits);
    uint32_t shift = 150 - (bits >> 23); /* scale = mantissa * 2^-shift; it is positive and finite */
    uint64_t product =
        (uint64_t)((bits & 0x7FFFFF) | 0x800000) * 1000u * (uint32_t)(steps < 0 ? -steps : steps);
    if (shift >= 1 && shift < 64) {
        product = (product + (1ull << (shift - 1))) >> shift;
    } else {
        product = shift >= 64 && shift <= 150 ? 0 : UINT32_MAX;
    }
    uint32_t thousandths = product < UINT32_MAX ? (uint32_t)product : UINT32_MAX;
    if (steps < 0) {
        put_char('-');
    }
    put_number(thousandths / 1000, 1);
    put_char('.');
    put_number(thousandths % 1000, 3);
}

static bool has_windows(void) {
    return engine_info()->modes & ENGINE_MODE_WINDOW;
}

/* What an inference takes: a whole window, or a sample of a model that only streams. */
static int8_t *input(void) {
    return has_windows() ? engine_info()->window_in : (int8_t *)sample;
}

/* Bytes. */
static uint32_t input_size(void) {
    const struct engine_info *info = engine_info();
    uint32_t samples = has_windows() ? info->window_samples : 1;
    if (!has_windows() && (info->input_channels > SAMPLE_MAX || info->output_channels > SAMPLE_MAX)) {
        return 0;
    }
    return samples * info->input_channels * engine_value_bytes();
}

static void infer_once(void) {
    if (has_windows()) {
        engine_window();
    } else {
        engine_step((const int8_t *)sample, (int8_t *)estimate);
    }
}

static void put_results(void) {
    const struct engine_info *info = engine_info();
    const uint8_t *values = (const uint8_t *)(has_windows() ? info->window_out : (const int8_t *)estimate);
    uint32_t count = info->output_channels;
    if (has_windows()) {
        count *= info->window_estimates;
    }
    put("m-results-[");
    for (uint32_t i = 0; i < count; i++) {
        if (i) {
            put_char(',');
        }
        int32_t value =
            engine_value_bytes() == 2 ? (int16_t)bytes_get_u16(values + 2 * i) : (int8_t)values[i];
        put_real(info->output_scale, value - info->output_zero_point);
    }
    put("]\r\n");
}

/* A point in time: milliseconds since boot, and microseconds beyond them. */
struct moment {
    uint32_t ms, us;
};

static SMALL void put_moment(struct moment moment) {
    put("m-lap-us-");
    if (moment.ms) {
        put_number(moment.ms, 1);
        put_number(moment.us, 3);
    } else {
        put_number(moment.us, 1);
    }
    put("\r\n");
}

/* Runs `count` inferences; returns when they ended, by the cycle counter if there is one. */
static struct moment run(uint32_t count, struct moment start) {
    uint32_t cycles_per_us = port_facts()->clock_hz / 1000000;
    uint32_t last = port_cycles(), cycles = 0, us = start.us;

    while (count--) {
        infer_once();
        port_watchdog_feed();
        uint32_t now = port_cycles();
        cycles += now - last;
        last = now;
        if (cycles_per_us) {
            us += cycles / cycles_per_us;
            cycles %= cycles_per_us;
        }
        start.ms += us / 1000;
        us %= 1000;
    }
    start.us = us;
    return cycles_per_us ? start : (struct moment){port_uptime_ms(), 0};
}

/* Reads a whole number up to NUMBER_MAX; false for anything else. */
static SMALL bool read_number(const char *text, uint32_t *number) {
    uint32_t value = 0;
    const char *at = text;
    for (; *at >= '0' && *at <= '9' && value <= NUMBER_MAX / 10; at++) {
        value = value * 10 + (uint32_t)(*at - '0');
    }
    *number = value;
    return at != text && !*at && value <= NUMBER_MAX;
}

/* The next word of the command, made a string of its own; NULL after the last. */
static SMALL char *next_word(char **rest) {
    char *word = *rest;
    while (*word == ' ') {
        word++;
    }
    char *end = word;
    while (*end && *end != ' ') {
        end++;
    }
    *rest = *end ? end + 1 : end;
    *end = 0;
    return *word ? word : NULL;
}

static void name(char *rest) {
    (void)rest;
    if (engine_info()->modes & ENGINE_MODE_STREAM) {
        engine_reset();
    }
    load.size = load.filled = 0;
    put("m-name-dut-[");
    put(build_board);
    put("]\r\n");
}

static void profile(char *rest) {
    (void)rest;
    put("m-profile-[edgegrf ");
    put(build_version);
    put("]\r\nm-model-[");
    put(engine_info()->model);
    put("]\r\n");
}

static void timestamp(char *rest) {
    (void)rest;
    put_moment((struct moment){port_uptime_ms(), 0});
}

static void help(char *rest) {
    (void)rest;
    put("name, profile, timestamp, results, help\r\n"
        "db load N | db HEX | db print\r\n"
        "infer N W: N inferences after W that warm up\r\n");
}

static void load_begin(const char *count) {
    uint32_t size;
    if (!count) {
        put("e-[Command 'db load' requires the # of bytes]\r\n");
    } else if (!read_number(count, &size) || size == 0) {
        put("e-[Command 'db load' must be >0 bytes]\r\n");
    } else if (size > input_size()) {
        put_line("e-[Command 'db load' takes at most ", input_size(), " bytes]\r\n");
    } else {
        load.size = size;
        load.filled = 0;
        put_line("m-[Expecting ", size, " bytes]\r\n");
    }
}

static SMALL int hex_digit(char digit) {
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    digit |= 0x20;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static void load_hex(const char *digits) {
    size_t count = strlen(digits);
    if (load.filled == load.size) {
        put("e-[Command 'db load' comes first]\r\n");
        return;
    }
    if (count % 2) {
        put("e-[Insufficient number of hex digits]\r\n");
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (hex_digit(digits[i]) < 0) {
            put("e-[Invalid hex digit '");
            put_char(digits[i]);
            put("']\r\n");
            return;
        }
    }
    for (size_t i = 0; i < count && load.filled < load.size; i += 2) {
        input()[load.filled++] = (int8_t)(hex_digit(digits[i]) << 4 | hex_digit(digits[i + 1]));
    }
    if (load.filled == load.size) {
        put("m-load-done\r\n");
    }
}

static void print_input(void) {
    for (uint32_t i = 0; i < load.size; i++) {
        put(i % BYTES_PER_LINE ? "-" : "m-buffer-");
        put_hex((uint8_t)input()[i]);
        if (i % BYTES_PER_LINE == BYTES_PER_LINE - 1 || i + 1 == load.size) {
            put("\r\n");
        }
    }
}

static void db(char *rest) {
    const char *what = next_word(&rest);
    if (!what) {
        put("e-[Command 'db' requires a subcommand]\r\n");
    } else if (same(what, "load")) {
        load_begin(next_word(&rest));
    } else if (same(what, "print")) {
        print_input();
    } else {
        load_hex(what);
    }
}

static void infer(char *rest) {
    uint32_t count = 1, warm_up = DEFAULT_WARM_UP;
    const char *count_word = next_word(&rest), *warm_up_word = next_word(&rest);
    if (count_word && (!read_number(count_word, &count) || count == 0)) {
        put("e-[Inference iterations must be >0]\r\n");
        return;
    }
    if (warm_up_word && !read_number(warm_up_word, &warm_up)) {
        put("e-[Inference warmup must be >=0]\r\n");
        return;
    }
    if (load.filled == 0 || load.filled != input_size()) {
        put_line("e-[Input has ", load.filled, " bytes, ");
        put_line("expected ", input_size(), "]\r\n");
        return;
    }
    put_line("m-warmup-start-", warm_up, "\r\n");
    flush();
    run(warm_up, (struct moment){0, 0});
    put("m-warmup-done\r\n");
    put_line("m-infer-start-", count, "\r\n");
    const struct moment start = {port_uptime_ms(), 0};
    put_moment(start);
    flush();
    const struct moment end = run(count, start);
    put_moment(end);
    put("m-infer-done\r\n");
    put_results();
}

static void results(char *rest) {
    (void)rest;
    put_results();
}

static const struct {
    const char *name;
    void (*run)(char *rest);
} commands[] = {
    {"name", name}, {"profile", profile}, {"timestamp", timestamp}, {"help", help},
    {"db", db},     {"infer", infer},     {"results", results},
};

static void execute(void) {
    char *rest = line.text;
    line.text[line.length] = 0;
    const char *word = next_word(&rest);
    size_t i = 0;
    const size_t known = sizeof commands / sizeof *commands;
    if (line.overlong) {
        put_line("e-[Command longer than ", MLPERF_COMMAND_MAX, " characters]\r\n");
    } else {
        while (i < known && !same(word ? word : "", commands[i].name)) {
            i++;
        }
        if (i < known) {
            commands[i].run(rest);
        } else {
            put("e-[Unknown command: ");
            put(word ? word : "");
            put("]\r\n");
        }
    }
    put("m-ready\r\n");
    flush();
}

static void begin_line(enum place place) {
    line.place = place;
    line.length = 0;
    line.overlong = line.begun = false;
}

void mlperf_listen(uint32_t now_ms) {
    if (line.place != OUTSIDE && now_ms - line.heard_ms >= MLPERF_SILENCE_MS) {
        begin_line(OUTSIDE);
    }
    line.heard_ms = now_ms;
}

/* Takes a byte between frames; true when it ended a command. */
static bool take_outside(uint8_t byte) {
    if (byte == '%') {
        bool some = line.length > 0;
        if (some) {
            execute();
        }
        begin_line(OUTSIDE);
        return some;
    }
    if ((byte == '\r' || byte == '\n') && line.length == 0) {
        return false;
    }
    if (byte < ' ' || byte > '~') {
        line.place = NOISE;
    } else if (line.length == MLPERF_COMMAND_MAX) {
        line.overlong = true;
    } else {
        line.text[line.length++] = (char)byte;
    }
    return false;
}

bool mlperf_take(uint8_t byte) {
    if (byte == 0) {
        begin_line(line.place == FRAME && line.begun ? OUTSIDE : FRAME);
        return false;
    }
    line.begun = true;
    return line.place == OUTSIDE && take_outside(byte);
}
