/* SPDX-License-Identifier: MIT */
/*
 * The options of `tapline run`: what they are, how they are read from the command line, and how a
 * run's options are written out again so that one test can be run by itself.
 */
#ifndef TAPLINE_RUN_OPTIONS_H
#define TAPLINE_RUN_OPTIONS_H

#include "base/strbuf.h"
#include "packetdrill/settings.h"

#define RUN_DEFAULT_SEED	 1
#define RUN_DEFAULT_WALL_TIMEOUT 60
#define RUN_MAX_SHARDS		 10000u

struct script_setting;

/* The stack of that name (`--sut`); NULL with a message: there is none. */
const struct sut_ops *run_sut_by_name(const char *name, struct strbuf *error);

struct run_options {
	u64 seed;
	unsigned int jobs;
	const char *filter; /* NULL: all tests */
	const char *capture_dir; /* NULL: no captures */
	bool make; /* write the captures that scripts make */
	const char *profile; /* "linux" or "rfc" */
	const struct sut_ops *sut; /* NULL: not given, tapline's own */
	const char *nic; /* "ring" or "virtio"; NULL: not given */
	const char *offload; /* "gro=off,tso=on", checked; NULL: not given */
	unsigned int wall_timeout; /* seconds per test, 0: no watchdog */
	bool seed_given, profile_given, wall_timeout_given;
	unsigned int shard, shards; /* part `shard`, from 1, of `shards`; 0: no parts */
	bool list;
	bool digest;
	bool audit;
	bool help;
	struct script_setting *settings;
	size_t setting_count;
	/* For *.pkt files: packetdrill's own options; the first so many are of tapline.args. */
	struct pd_arguments packetdrill;
	size_t packetdrill_below;
	u8 families; /* of --family; 0: not given */
	char **paths;
	size_t path_count;
};

/* An option as the table has it. */
struct run_option {
	const char *name;
	const char *value; /* what its value is called; NULL: a flag */
	int id; /* of a command that adds options: below RUN_OPTION_OWN */
};

#define RUN_OPTION_OWN 1000
#define RUN_MAX_EXTRAS 16

/* The options that another command (tapline cover) has beside those of run. */
struct run_extras {
	const struct run_option *list;
	size_t count; /* at most RUN_MAX_EXTRAS */
	bool (*take)(void *ctx, int id, char *value, struct strbuf *error);
	void *ctx;
};

/*
 * Reads the arguments after the command's name; `extras` may be NULL. Returns false with a message
 * (without newline) in `error`. The strings of argv are borrowed; run_options_free gives the lists
 * back.
 */
bool run_options_parse(struct run_options *o, const struct run_extras *extras, int argc,
		       char **argv, struct strbuf *error);
void run_options_free(struct run_options *o);

/*
 * Sets one of the options that a tapline.args may hold (args.h); value NULL: none was written. The
 * value is borrowed. False with a message in `error`.
 */
bool run_options_apply(struct run_options *o, const char *name, char *value, struct strbuf *error);

/* Adds a --set; the key becomes the options' own, the value is borrowed. */
void run_options_add_setting(struct run_options *o, char *key, const char *value);

/* The text of `tapline run --help`. */
const char *run_options_help(void);

/* Adds the command that runs just this test of this file in the same way. */
void run_options_rerun(const struct run_options *o, const char *path, const char *name,
		       struct strbuf *out);

/* Strict number: decimal or 0x; false when it is not one, or above max. */
bool run_parse_u64(const char *text, u64 max, u64 *value);

#endif
