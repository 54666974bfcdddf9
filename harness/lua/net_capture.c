/* SPDX-License-Identifier: MIT */
/*
 * The capture file of a test (--capture DIR): what was on its wires, an interface per wire, made
 * when the first frame passes.
 */
#include "lua/net.h"

#include "capture/capture.h"

#include <inttypes.h>
#include <stdio.h>
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

/* DIR/file-NUMBER-name.pcapng; the path's slashes become dashes, so that folders stay apart. */
static void capture_begin(struct net_run *n)
{
	struct test_run *t = n->test;
	const struct script *s = t->script;
	char error[CAPTURE_ERROR_SIZE];
	struct strbuf *path = &n->capture_path;

	strbuf_printf(path, "%s/", s->config->capture_dir);
	add_clean(path, s->path + strspn(s->path, "./"), 150);
	strbuf_printf(path, "-%zu-", t->wanted + 1);
	add_clean(path, s->tests[t->wanted].name, 60);
	strbuf_puts(path, ".pcapng");
	n->capture = capture_create(strbuf_text(path), CAPTURE_PCAPNG, (u16)net_wire_link(n, 0), 0,
				    error);
	if (!n->capture) {
		n->capture_over = true;
		net_fail(n, error);
	}
}

void net_capture_add(struct net_run *n, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct capture_frame f = {
		.time_ns = n->sut->ops->now(n->sut),
		.has_time = true,
		.interface = wire,
		.caplen = len,
		.len = len,
		.data = frame,
		.direction = end == 0 ? CAPTURE_OUT : CAPTURE_IN,
	};

	if (!n->capture && !n->capture_over)
		capture_begin(n);
	if (!n->capture || wire >= n->wire_count)
		return;
	if (n->wires[wire].capture_interface < 0) {
		char name[24];

		snprintf(name, sizeof(name), "wire%" PRIu32, wire);
		/* The first wire seen is the interface that the file began with. */
		n->wires[wire].capture_interface =
			wire == 0 ? 0 :
				    capture_add_interface(n->capture, (u16)net_wire_link(n, wire),
							  name);
	}
	f.interface = (u32)n->wires[wire].capture_interface;
	capture_write(n->capture, &f);
}

void net_capture_end(struct net_run *n)
{
	char error[CAPTURE_ERROR_SIZE];

	if (n->capture && !capture_finish(n->capture, error))
		test_run_fail(n->test, error, NULL, NULL, NULL, n->test->script->path, 0);
	n->capture = NULL;
	n->capture_over = true;
}
