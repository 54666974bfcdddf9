/* SPDX-License-Identifier: MIT */
/*
 * What the thread's network namespace shows: sysctls, files of /proc, and the counters in those of
 * /proc/net.
 */
#define _GNU_SOURCE
#include "sut/kernel_host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static s32 read_file(const char *path, char *out, u32 cap)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = 0;
	u32 len = 0;

	if (fd < 0)
		return -errno;
	while (len + 1 < cap && (n = read(fd, out + len, cap - len - 1)) > 0)
		len += (u32)n;
	close(fd);
	out[len] = '\0';
	return (s32)len;
}

s32 kernel_view_sysctl(const char *name, char *out, u32 cap)
{
	char path[256];
	s32 n;

	kernel_sysctl_path(name, (u32)strlen(name), path, sizeof(path));
	n = read_file(path, out, cap);
	if (n > 0 && out[n - 1] == '\n')
		out[--n] = '\0';
	return n;
}

/* All at or below a name with dots: a folder of /proc/sys, or a file. */
static void sysctls_at(const char *name, void (*fn)(void *ctx, const char *name), void *ctx)
{
	char path[256], below[256];
	struct dirent *e;
	DIR *dir;

	kernel_sysctl_path(name, (u32)strlen(name), path, sizeof(path));
	dir = opendir(path);
	if (!dir) {
		fn(ctx, name);
		return;
	}
	while ((e = readdir(dir))) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(below, sizeof(below), "%.120s.%.120s", name, e->d_name);
		sysctls_at(below, fn, ctx);
	}
	closedir(dir);
}

void kernel_view_sysctls(void (*fn)(void *ctx, const char *name), void *ctx)
{
	sysctls_at("net", fn, ctx);
}

/* /proc/net is that of the process's first thread: this one's is asked for. */
s32 kernel_view_proc(const char *path, char *out, u32 cap)
{
	char full[256];

	snprintf(full, sizeof(full), "/proc/%s%s", strncmp(path, "net/", 4) ? "" : "thread-self/",
		 path);
	return read_file(full, out, cap);
}

/* The pairs of lines of /proc/net/snmp and netstat: names, then values. */
static void counters_of(const char *path, void (*fn)(void *ctx, const char *name, u64 value),
			void *ctx)
{
	static const u32 cap = 1u << 16;
	char *text = malloc(cap), *rest = text, *names, *values;

	if (!text)
		abort();
	if (read_file(path, text, cap) < 0)
		text[0] = '\0';
	while ((names = strtok_r(rest, "\n", &rest)) && (values = strtok_r(NULL, "\n", &rest))) {
		char *name_rest, *value_rest;
		const char *group = strtok_r(names, ":", &name_rest), *name, *value;

		(void)strtok_r(values, ":", &value_rest);
		while ((name = strtok_r(NULL, " ", &name_rest)) &&
		       (value = strtok_r(NULL, " ", &value_rest))) {
			char full[96];

			snprintf(full, sizeof(full), "%s%s", group, name);
			fn(ctx, full, strtoull(value, NULL, 10));
		}
	}
	free(text);
}

void kernel_view_counters(void (*fn)(void *ctx, const char *name, u64 value), void *ctx)
{
	counters_of("/proc/thread-self/net/snmp", fn, ctx);
	counters_of("/proc/thread-self/net/netstat", fn, ctx);
}

struct wanted {
	const char *name;
	u64 *value;
	bool found;
};

static void look(void *ctx, const char *name, u64 value)
{
	struct wanted *w = ctx;

	if (strcmp(name, w->name) != 0)
		return;
	*w->value = value;
	w->found = true;
}

bool kernel_view_counter(const char *name, u64 *value)
{
	struct wanted w = { name, value, false };

	kernel_view_counters(look, &w);
	return w.found;
}
