/* SPDX-License-Identifier: MIT */
/*
 * The inside of %{ }% blocks: the small part of Python that packetdrill scripts use, evaluated
 * here. Variables live on from block to block. Values of the test (tcpi_snd_cwnd, ...) come through
 * a callback, names of constants (TCPI_OPT_SACK, TCP_CA_Open) from symbols.h.
 */
#ifndef TAPLINE_PACKETDRILL_PYCODE_H
#define TAPLINE_PACKETDRILL_PYCODE_H

#include "base/strbuf.h"
#include "packetdrill/script.h"

struct pd_python;

/* Value of a name that no block has assigned; false when there is no such one. */
typedef bool pd_python_lookup(void *ctx, const char *name, s64 *value);

struct pd_python *pd_python_new(const char *script_path);
void pd_python_free(struct pd_python *p);

enum pd_python_result {
	PD_PYTHON_OK,
	PD_PYTHON_FAILED, /* an assertion does not hold, or an exception: *error->text says which */
	PD_PYTHON_ERROR, /* not well formed, or something not known: *error */
};

/* Runs one block that begins on the given line. What it prints is added to *out. */
enum pd_python_result pd_python_run(struct pd_python *p, struct pd_text code, int line,
				    pd_python_lookup *lookup, void *ctx, struct strbuf *out,
				    struct pd_error *error);

#endif
