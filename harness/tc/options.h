/* SPDX-License-Identifier: MIT */
/* The words of the kinds of disciplines (tc/q_*.c of iproute2). */
#ifndef TAPLINE_TC_OPTIONS_H
#define TAPLINE_TC_OPTIONS_H

#include "tc/tc.h"

/* The words behind a kind become c->options. False: *error has what tc would print. */
bool tc_read_options(struct tc_command *c, int argc, const char *const *argv, struct strbuf *error);

#endif
