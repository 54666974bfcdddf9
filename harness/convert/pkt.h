/* SPDX-License-Identifier: MIT */
/* `tapline convert x.pkt`: a packetdrill script as a Lua test. */
#ifndef TAPLINE_CONVERT_PKT_H
#define TAPLINE_CONVERT_PKT_H

#include "base/strbuf.h"

/*
 * Runs the script in each of its address families, with the options that tapline.args files give
 * it, and writes a test for each that it passes in: every op at its place, and the digest of all
 * that happened. False with a message when it does not pass, or can not be run.
 */
bool pkt_convert(const char *path, struct strbuf *out, struct strbuf *error);

#endif
