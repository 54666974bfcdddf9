/* SPDX-License-Identifier: MIT */
/* `tapline convert x.pkt`: a packetdrill script as a Lua test. */
#ifndef TAPLINE_CONVERT_PKT_H
#define TAPLINE_CONVERT_PKT_H

#include "base/strbuf.h"

struct sut_ops;

/*
 * Runs the script in each of the address families (0: as tapline.args or the script say), with the
 * options that tapline.args files give it, and writes a test for each: its calls, packets, commands
 * and assertions as Lua. False with a message when it does not pass, or has something for which
 * there is no Lua.
 */
bool pkt_convert(const char *path, u8 families, struct strbuf *out, struct strbuf *error);

/*
 * The script itself, with what the host does in the place of what it expects (packetdrill/record.h)
 * in its first family. `sut`: NULL for tapline's own.
 */
bool pkt_record(const char *path, u8 families, const struct sut_ops *sut, bool info,
		struct strbuf *out, struct strbuf *error);

#endif
