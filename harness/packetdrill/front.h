/* SPDX-License-Identifier: MIT */
/*
 * The front end for *.pkt files: a file is one test for each address family that it is run in. Here
 * is what `tapline run` calls, and the run of one script in one family.
 */
#ifndef TAPLINE_PACKETDRILL_FRONT_H
#define TAPLINE_PACKETDRILL_FRONT_H

#include "lua/script.h"
#include "packetdrill/settings.h"
#include "repro/repro.h"

/* -- One run -- */

struct pd_job {
	const struct pd_script *script;
	const struct pd_settings *settings;
	u64 seed;
	bool profile_rfc, digest;
	const struct pd_define *setting; /* --set */
	size_t setting_count;
	const char *capture_path; /* NULL: none */
	const struct repro_recorder *recorder; /* is told of every op; may be NULL */
};

struct pd_outcome {
	bool failed, skipped, invariant;
	int line;
	u64 time_ns; /* virtual, of the script, at its end */
	u64 digest;
	struct strbuf classic; /* the failure of a call as packetdrill would tell it */
	/* details: TCP_INFO and traces; printed: for standard error */
	struct strbuf message, got, expect, diff, details, printed;
};

void pd_run(const struct pd_job *job, struct pd_outcome *o);
void pd_outcome_free(struct pd_outcome *o);

/* -- A file -- */

struct pd_file;

/* Is it one, by its name? */
bool pd_file_is(const char *path);

/* As script_load() and the others of lua/script.h. `arguments` must outlive the file. */
struct pd_file *pd_file_load(const char *path, const struct script_config *config,
			     const struct pd_arguments *arguments, u8 families,
			     struct strbuf *error);
size_t pd_file_test_count(const struct pd_file *f);
const char *pd_file_test_name(const struct pd_file *f, size_t i);
void pd_file_run(struct pd_file *f, size_t i, const char *rerun, struct script_result *result);
/* The same with every op told to a recorder; *seed becomes that of the world. */
void pd_file_record(struct pd_file *f, size_t i, const struct repro_recorder *recorder, u64 *seed,
		    struct script_result *result);
void pd_file_free(struct pd_file *f);

#endif
