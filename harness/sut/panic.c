/* SPDX-License-Identifier: MIT */
/*
 * What happens in the harness when an invariant of the stack breaks (stack/assert.h): the message
 * goes to standard error and the process aborts; in a test's child process the parent reports it as
 * that test's verdict.
 */
#include "stack/assert.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void stack_panic(const char *file, int line, const char *what)
{
	fflush(stdout);
	fprintf(stderr, "tapline: invariant broken at %s:%d: %s\n", file, line, what);
	abort();
}
