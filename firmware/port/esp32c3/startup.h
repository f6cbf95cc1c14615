/* SPDX-License-Identifier: Apache-2.0
 *
 * startup.h: the stack's paint, put on before main() and read back as a high-water mark.
 */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdint.h>

/* Paints the stack below the caller. */
void startup_paint_stack(void);

/* Bytes of stack that were ever written. */
uint32_t startup_stack_used(void);

#endif
