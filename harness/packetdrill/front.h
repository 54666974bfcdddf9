/* SPDX-License-Identifier: MIT */
/*
 * The front end for *.pkt files: a file is one test for each address family that it is run in. Here
 * is what `tapline run` calls, and the run of one script in one family.
 */
#ifndef TAPLINE_PACKETDRILL_FRONT_H
#define TAPLINE_PACKETDRILL_FRONT_H

#include "lua/script.h"
#include "packetdrill/settings.h"

/* -- One run -- */

struct pd_recorder;
struct sut_ops;

struct pd_job {
	const struct pd_script *script;
	const struct pd_settings *settings;
	u64 seed;
	bool profile_rfc, digest;
	const struct pd_define *setting; /* --set */
	size_t setting_count;
	const char *capture_path; /* NULL: none */
	const struct sut_ops *sut;
	const struct pd_watch *watch; /* may be NULL */
	struct pd_recorder *recorder; /* may be NULL */
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

/* -- Watching a run (`tapline convert`) -- */

/* What a command did to the host. */
enum pd_effect {
	PD_EFFECT_SYSCTL, /* name, value */
	PD_EFFECT_METRICS_FLUSH, /* address, or NULL: all */
	PD_EFFECT_QDISC, /* kind, limit or "" */
	PD_EFFECT_SLEEP, /* nanoseconds */
	PD_EFFECT_READ, /* it only looked */
	PD_EFFECT_OTHER,
};

struct pd_watch {
	void *ctx;
	/* An event begins. `fd`: the script's number of the socket under test, -1: it has none. */
	void (*event)(void *ctx, const struct pd_event *e, int fd);
	void (*effect)(void *ctx, enum pd_effect effect, const char *name, const char *value);
	/* A call has ended with this result or -errno. */
	void (*result)(void *ctx, const struct pd_event *e, s64 ret);
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
/* The same with somebody who watches. */
void pd_file_watch(struct pd_file *f, size_t i, const struct pd_watch *watch,
		   struct script_result *result);
/* Nothing is held against the script: what the host does is written down (record.h). */
void pd_file_record(struct pd_file *f, size_t i, struct pd_recorder *recorder,
		    struct script_result *result);
/* What it runs; NULL when it is skipped. */
const struct pd_script *pd_file_script(const struct pd_file *f, size_t i);
const struct pd_settings *pd_file_settings(const struct pd_file *f, size_t i);
/* It passes when it fails ("// Failure: REGEX"). */
bool pd_file_fails(const struct pd_file *f);
void pd_file_free(struct pd_file *f);

#endif
