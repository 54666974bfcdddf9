/* SPDX-License-Identifier: MIT */
/*
 * Runs a test that expects nothing and prints what the host sends: the recording that
 * `tapline convert --record` makes its expectations of.
 */
#ifndef TAPLINE_CONVERT_DRIVE_H
#define TAPLINE_CONVERT_DRIVE_H

#include "base/strbuf.h"

/* A segment that our host sent while it was driven. */
struct heard {
	u64 time; /* since the test's start */
	u32 header_len; /* 20 to 60 */
	u32 len; /* of its data */
	u8 header[60];
};

struct recording {
	struct heard *list;
	size_t count;
	u64 delivered; /* bytes that the application had in the end */
	bool other_bytes; /* not those that the test has for them */
};

/*
 * Runs the first test of this file and reads its lines "heard TIME LENGTH HEADER" and "received
 * N same" (or "other"). False with a message: it did not get through.
 */
bool drive(const struct strbuf *text, struct recording *out, struct strbuf *error);

#endif
