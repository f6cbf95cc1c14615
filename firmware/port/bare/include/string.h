/* SPDX-License-Identifier: Apache-2.0
 *
 * string.h: the part of it that this firmware uses, so that both compilers build the same image
 * without a C library.
 */
#ifndef STRING_H
#define STRING_H

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int value, size_t count);
int memcmp(const void *left, const void *right, size_t count);
size_t strlen(const char *text);

#endif
