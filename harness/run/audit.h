/* SPDX-License-Identifier: MIT */
/*
 * --audit: every test twice, and the two compared.
 */
#ifndef TAPLINE_RUN_AUDIT_H
#define TAPLINE_RUN_AUDIT_H

#include "run/run.h"

/* Keeps a copy of a result of the first run; gives it back. */
void audit_keep(struct plan_test *t, const struct script_result *result);
void audit_forget(struct plan_test *t);

/* Makes the result of the second run a failure when it is not that of the first. */
void audit_compare(const struct plan_file *f, size_t i, struct script_result *result);

/* Whether two results differ, and the first difference, as each has it. */
bool audit_differ(const struct script_result *a, const struct script_result *b,
		  struct strbuf *first, struct strbuf *second);

/* In the child: does the work where addresses and fresh memory are unlike the first time. */
void audit_call(void (*work)(const struct plan_file *, int), const struct plan_file *f, int fd);

#endif
