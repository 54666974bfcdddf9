/* SPDX-License-Identifier: MIT */
/* Command line of `tapline replay`. */
#ifndef TAPLINE_REPLAY_OPTIONS_H
#define TAPLINE_REPLAY_OPTIONS_H

#include <stdbool.h>

#include "stack/types.h"

/* What is done with frames that the snapshot length cut. */
enum replay_cut {
	CUT_PAD, /* zeros where bytes are missing; L4 checksum vouched for */
	CUT_DROP, /* left out */
	CUT_KEEP, /* injected as short as they are */
};

/* What is done when a frame is older than the one before. */
enum replay_backwards {
	BACKWARDS_HOLD, /* it comes at once: the clock stands still */
	BACKWARDS_ERROR, /* the replay ends there */
};

/* Who judges checksums. */
enum replay_checksums {
	CHECKSUMS_JUDGE, /* the stack, all of them */
	CHECKSUMS_TRUST_IP, /* those of ICMP, UDP, TCP only */
	CHECKSUMS_TRUST, /* none: the capture was made where offload had not finished them */
};

struct replay_sysctl {
	char *name;
	char *value;
};

struct replay_options {
	const char *file;
	const char *out; /* -w; NULL: none */
	const char *annotate; /* --annotate; NULL: none */
	bool any;
	u8 addr[4]; /* --as */
	u32 prefix_len;
	bool json;
	bool rfc; /* --profile rfc */
	bool digest;
	u32 given; /* bit n: option n of options.c was there */
	bool converse;
	bool server; /* --side server */
	u64 seed;
	enum replay_cut cut;
	enum replay_backwards backwards;
	enum replay_checksums checksums;
	u32 sysctl_count;
	struct replay_sysctl *sysctl; /* owned */
};

/*
 * Reads the command line. Returns -1 to go on, or the exit status: after --help, or after a
 * message on standard error. replay_options_free() either way.
 */
int replay_options_parse(struct replay_options *o, int argc, char **argv);
void replay_options_free(struct replay_options *o);

#endif
