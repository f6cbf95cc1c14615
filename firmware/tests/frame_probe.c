/* SPDX-License-Identifier: Apache-2.0
 *
 * The framing on the host, for tests/firmware/test_frame.py:
 *   frame_probe decode   bytes on stdin; prints "TYPE SEQ BODY" in hex per frame, then the four counters
 *   frame_probe encode   lines "TYPE SEQ BODY" in hex on stdin ("-": no body); prints the frames in hex
 */
#include "frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_hex(const uint8_t *data, size_t length) {
    for (size_t i = 0; i < length; i++) {
        printf("%02x", data[i]);
    }
}

static int decode(void) {
    struct frame_decoder decoder = {0};
    int byte;

    while ((byte = getchar()) != EOF) {
        size_t length = frame_take(&decoder, (uint8_t)byte);
        if (length) {
            printf("%02x %02x ", decoder.content[0], decoder.content[1]);
            print_hex(decoder.content + FRAME_HEADER, length - FRAME_HEADER);
            putchar('\n');
        }
    }
    printf("%u %u %u %u\n", decoder.bytes, decoder.good, decoder.damaged, decoder.wrong_length);
    return EXIT_SUCCESS;
}

static size_t parse_hex(const char *text, uint8_t *into) {
    size_t count = 0;
    unsigned value;
    for (; sscanf(text + 2 * count, "%2x", &value) == 1; count++) {
        into[count] = (uint8_t)value;
    }
    return count;
}

static int encode(void) {
    char text[2 * FRAME_BODY_MAX + 1];
    unsigned type, seq;

    while (scanf("%x %x %512s", &type, &seq, text) == 3) {
        /* On the heap and exactly as long as promised, so that the sanitizer sees one byte too many. */
        uint8_t *body = malloc(FRAME_BODY_MAX), *wire = malloc(FRAME_WIRE_MAX);
        size_t length = frame_encode(wire, (uint8_t)type, (uint8_t)seq, body, parse_hex(text, body));
        print_hex(wire, length);
        putchar('\n');
        free(body);
        free(wire);
    }
    return EXIT_SUCCESS;
}

int main(int argc, char **argv) {
    return argc == 2 && strcmp(argv[1], "encode") == 0 ? encode() : decode();
}
