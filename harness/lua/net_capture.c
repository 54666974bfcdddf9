/* SPDX-License-Identifier: MIT */
/*
 * The capture file of a test: what was on its wires, an interface per wire, made when the first
 * frame passes. With --capture DIR each test has one. A capture case's (native.keep_capture) stays
 * in memory and is written beside the case if it fails.
 */
#include "lua/net.h"

#include "capture/annotate.h"
#include "capture/capture.h"
#include "capture/test_path.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_in_folder(struct net_run *n)
{
	struct test_run *t = n->test;
	const struct script *s = t->script;
	struct strbuf *path = &n->capture_path;

	capture_test_path(path, s->config->capture_dir, s->path, t->wanted,
			  s->tests[t->wanted].name);
}

static void capture_begin(struct net_run *n)
{
	u16 link = (u16)net_wire_link(n, 0);
	char error[CAPTURE_ERROR_SIZE];

	if (n->capture_kept) {
		n->capture_stream = open_memstream(&n->capture_bytes, &n->capture_len);
		if (n->capture_stream)
			n->capture =
				capture_create_stream(n->capture_stream, CAPTURE_PCAPNG, link, 0);
		else
			snprintf(error, sizeof(error), "%s", strerror(errno));
	} else {
		name_in_folder(n);
		n->capture = capture_create(strbuf_text(&n->capture_path), CAPTURE_PCAPNG, link, 0,
					    error);
	}
	if (!n->capture) {
		n->capture_over = true;
		net_fail(n, error);
		return;
	}
	annotator_writer(n->annotator, n->capture);
}

void net_trace_set(struct net_run *n)
{
	bool wanted = n->capture_kept || n->test->script->config->capture_dir;

	n->sut->ops->trace(n->sut, n->trace_mask | (wanted ? annotator_events() : 0));
}

/* A wire that is seen for the first time. */
static void new_interface(struct net_run *n, u32 wire)
{
	struct net_wire *w = &n->wires[wire];
	char name[24];

	snprintf(name, sizeof(name), "wire%" PRIu32, wire);
	/* The first wire is the interface that the file began with. */
	w->capture_interface =
		wire == 0 ? 0 :
			    capture_add_interface(n->capture, (u16)net_wire_link(n, wire), name);
}

void net_capture_add(struct net_run *n, u32 wire, u32 end, const u8 *frame, u32 len)
{
	struct capture_frame f = {
		.time_ns = n->sut->ops->now(n->sut) + n->capture_offset_ns,
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
	if (n->wires[wire].capture_interface < 0)
		new_interface(n, wire);
	f.interface = (u32)n->wires[wire].capture_interface;
	annotator_frame(n->annotator, wire, end, &f);
}

/* CASE.produced.pcapng, beside the case that failed. */
static void write_kept(struct net_run *n)
{
	struct strbuf *path = &n->capture_path;
	const char *script = n->test->script->path;
	size_t len = strlen(script);
	bool good;
	FILE *f;

	if (len > 4 && strcmp(script + len - 4, ".lua") == 0)
		len -= 4;
	strbuf_add(path, script, len);
	strbuf_puts(path, ".produced.pcapng");
	f = fopen(strbuf_text(path), "wb");
	good = f && fwrite(n->capture_bytes, 1, n->capture_len, f) == n->capture_len;
	if (f && fclose(f))
		good = false;
	if (!good) {
		strbuf_clear(path);
		strbuf_puts(path, "(it could not be written; --capture DIR takes another folder)");
	}
}

void net_capture_end(struct net_run *n)
{
	char error[CAPTURE_ERROR_SIZE];

	annotator_finish(n->annotator);
	n->annotator = NULL;
	if (n->capture && !capture_finish(n->capture, error))
		test_run_fail(n->test, error, NULL, NULL, NULL, n->test->script->path, 0);
	n->capture = NULL;
	if (n->capture_stream) {
		fclose(n->capture_stream);
		n->capture_stream = NULL;
		if (n->test->failed)
			write_kept(n);
	}
	n->capture_over = true;
}
