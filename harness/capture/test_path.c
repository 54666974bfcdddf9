/* SPDX-License-Identifier: MIT */
/*
 * The name of a test's capture file.
 */
#include "capture/test_path.h"

#include <string.h>

static void add_clean(struct strbuf *out, const char *text, size_t max)
{
	for (; *text && max; text++, max--) {
		bool plain = (*text >= 'a' && *text <= 'z') || (*text >= 'A' && *text <= 'Z') ||
			     (*text >= '0' && *text <= '9') || *text == '_' ||
			     (*text == '.' && text[1] != '.');

		strbuf_putc(out, plain ? *text : '-');
	}
}

void capture_test_path(struct strbuf *out, const char *dir, const char *path, size_t i,
		       const char *name)
{
	strbuf_printf(out, "%s/", dir);
	add_clean(out, path + strspn(path, "./"), 150);
	strbuf_printf(out, "-%zu-", i + 1);
	add_clean(out, name, 60);
	strbuf_puts(out, ".pcapng");
}
