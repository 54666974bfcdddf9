/* SPDX-License-Identifier: MIT */
/*
 * Packets in the notation of scripts (docs/lua.md).
 */
#ifndef TAPLINE_CONVERT_NOTATION_H
#define TAPLINE_CONVERT_NOTATION_H

#include "convert/scene.h"

/* Bytes as a Lua string; a long one goes over several lines. */
void notation_string(struct strbuf *out, const u8 *bytes, size_t len);
/* A text as a Lua string in one line. */
void notation_line(struct strbuf *out, const char *text);

/*
 * A packet that peer:send makes into exactly this frame; only what it would not fill in by itself
 * is written. False, and nothing written, when there is no such notation.
 */
bool notation_send(struct strbuf *out, const struct scene *s, const struct scene_frame *f);

/* What a frame of the host must be, without what a host is free to choose (ids, TTL, ...). */
void notation_expect(struct strbuf *out, const struct scene *s, const struct scene_frame *f);

#endif
