/* SPDX-License-Identifier: MIT */
/*
 * TCP conversations as tests in the short notation of docs/lua.md.
 */
#ifndef TAPLINE_CONVERT_TCP_H
#define TAPLINE_CONVERT_TCP_H

#include "base/strbuf.h"
#include "converse/conversation.h"

/*
 * Writes a test of its own for each conversation that has `host` as one of its ends; of the others,
 * and of those that can not be converted, a comment. `file` names the capture. `record`: what our
 * own stack sends is expected, with remarks where the capture has other things. How many tests.
 */
u32 tcp_write(struct strbuf *out, const struct conversations *all, const u8 *host, bool raw,
	      const char *file, bool record);

#endif
