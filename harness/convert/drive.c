/* SPDX-License-Identifier: MIT */
/* See drive.h. The test lies in a temporary file for so long. */
#include "convert/drive.h"

#include "lua/script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool hex_bytes(const char *text, size_t len, u8 *out)
{
	for (size_t i = 0; i < len / 2; i++) {
		unsigned int byte;

		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return false;
		out[i] = (u8)byte;
	}
	return true;
}

static void take_line(struct recording *r, const char *line)
{
	unsigned long long time, number;
	int at = 0;
	size_t len;

	if (sscanf(line, "received %llu", &number) == 1) {
		r->delivered = number;
		r->other_bytes =
			strstr(line, "other") && strstr(line, "other") < line + strcspn(line, "\n");
		return;
	}
	if (sscanf(line, "heard %llu %llu %n", &time, &number, &at) != 2 || !at)
		return;
	len = strcspn(line + at, "\n");
	if ((r->count & (r->count - 1)) == 0)
		r->list = xrealloc(r->list, (r->count ? 2 * r->count : 1) * sizeof(*r->list));
	r->list[r->count] =
		(struct heard){ .time = time, .header_len = (u32)(len / 2), .len = (u32)number };
	if (len >= 40 && len <= 120 && hex_bytes(line + at, len, r->list[r->count].header))
		r->count++;
}

static bool run(const char *path, struct recording *out, struct strbuf *error)
{
	const struct script_config config = { .seed = 1,
					      .profile = "linux",
					      .fuel = SANDBOX_DEFAULT_FUEL,
					      .memory = SANDBOX_DEFAULT_MEMORY };
	struct script *s = script_load(path, &config, error);
	struct script_result result;
	const char *line;
	bool ok;

	if (!s)
		return false;
	script_run(s, 0, "", &result);
	ok = result.verdict == TAP_OK;
	if (!ok)
		strbuf_puts(error,
			    result.message.len ? strbuf_text(&result.message) : "it was skipped");
	for (line = strbuf_text(&result.printed); *line;) {
		take_line(out, line);
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	script_result_free(&result);
	script_free(s);
	return ok;
}

bool drive(const struct strbuf *text, struct recording *out, struct strbuf *error)
{
	struct strbuf path = { 0 };
	bool ok = false;
	int fd;

	*out = (struct recording){ 0 };
	strbuf_puts(&path, P_tmpdir "/tapline-drive-XXXXXX");
	fd = mkstemp(path.data);
	if (fd < 0) {
		strbuf_printf(error, "%s: %s", path.data, strerror(errno));
	} else {
		if (write(fd, text->data, text->len) == (ssize_t)text->len)
			ok = run(path.data, out, error);
		else
			strbuf_printf(error, "%s: %s", path.data, strerror(errno));
		close(fd);
		unlink(path.data);
	}
	strbuf_free(&path);
	return ok;
}
