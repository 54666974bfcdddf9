/* SPDX-License-Identifier: MIT */
/* `tapline replay --converse`: the TCP conversations of a capture, each played with a host. */
#ifndef TAPLINE_CONVERSE_CONVERSE_H
#define TAPLINE_CONVERSE_CONVERSE_H

#include "replay/options.h"

/*
 * Reads the whole capture, plays each conversation, prints one line each (or JSON). Returns the
 * exit status: 0 all came through whole; 1 one did not; 2 a file that can not be read or written
 * to its end (what came before is played all the same); 3 an invariant of the stack broke.
 */
int converse_run(const struct replay_options *o);

#endif
