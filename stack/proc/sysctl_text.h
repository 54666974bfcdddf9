/* SPDX-License-Identifier: MIT */
/*
 * Texts of sysctls: building what is read, reading what is written as the kernel does it
 * (Linux's kernel/sysctl.c: proc_get_long). Between sysctl.c and sysctl_special.c.
 */
#ifndef TAPLINE_PROC_SYSCTL_TEXT_H
#define TAPLINE_PROC_SYSCTL_TEXT_H

#include "netns/net.h"

/* Text under construction, cut to its room. */
struct text {
	char *out;
	u32 cap, len;
};

void text_char(struct text *t, char c);
void text_string(struct text *t, const char *s);
void text_number(struct text *t, s64 v);
/* Ends it; its whole length. */
s32 text_end(struct text *t);

static inline const char *skip_spaces(const char *s)
{
	while (*s == ' ' || *s == '\t' || *s == '\n')
		s++;
	return s;
}

/*
 * The number at *s, in C's notation, with spaces in front; *s is behind it then. What follows it
 * must be the end, a space, or one of `after`. 0 or -EINVAL.
 */
int proc_get_long(const char **s, s64 *v, const char *after);

/* Sysctls that are no numbers of their own. False: it is none of them. */
bool sysctl_special_read(const struct net *net, const char *name, struct text *t);
/* 1: it is none of them; else 0 or -errno. */
int sysctl_special_write(struct net *net, const char *name, const char *value);
/* By index 0..; NULL past the end. */
const char *sysctl_special_name(u32 index);

#endif
