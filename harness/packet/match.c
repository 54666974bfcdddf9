/* SPDX-License-Identifier: MIT */
/*
 * Comparing packets with templates: only what the template sets counts. The text of the first
 * difference names layer and field and gives both values.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "packet/packet.h"
#include "packet/proto.h"

static const char *layer_name(const struct packet_layer *l)
{
	return packet_proto_name((enum packet_proto)l->proto);
}

static bool value_equal(const struct packet_value *a, const struct packet_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case PACKET_V_UINT:
		return a->num == b->num;
	case PACKET_V_MAC:
		return !memcmp(a->addr, b->addr, 6);
	case PACKET_V_IP4:
		return !memcmp(a->addr, b->addr, 4);
	case PACKET_V_IP6:
		return !memcmp(a->addr, b->addr, 16);
	case PACKET_V_BYTES:
		return a->len == b->len && (!a->len || !memcmp(a->bytes, b->bytes, a->len));
	case PACKET_V_OPTIONS:
		if (a->len != b->len)
			return false;
		for (size_t i = 0; i < a->len; i++) {
			if (!packet_option_equal(&a->options[i], &b->options[i]))
				return false;
		}
		return true;
	default:
		return true;
	}
}

static void missing(struct packet_diff *d, size_t at, const struct packet_layer *want,
		    const struct packet_layer *got)
{
	d->differs = true;
	d->layer = (int)at;
	d->field = NULL;
	if (got)
		snprintf(d->text, sizeof(d->text), "expected a layer %s, got %s", layer_name(want),
			 layer_name(got));
	else
		snprintf(d->text, sizeof(d->text), "expected a layer %s, got none",
			 layer_name(want));
}

static void bytes_note(const struct packet_value *want, const struct packet_value *got, char *note,
		       size_t size)
{
	size_t at = 0;

	note[0] = '\0';
	if (want->type != PACKET_V_BYTES || got->type != PACKET_V_BYTES)
		return;
	while (at < want->len && at < got->len && want->bytes[at] == got->bytes[at])
		at++;
	snprintf(note, size, " (lengths %zu and %zu, first difference at byte %zu)", want->len,
		 got->len, at);
}

static void different(struct packet_diff *d, size_t at, const struct packet_layer *want,
		      const struct packet_layer *got, int field)
{
	const struct packet_field *f = &packet_fields((enum packet_proto)want->proto)[field];
	char *w = packet_value_text(want, f, &want->value[field]);
	char *g = packet_value_text(got, f, &got->value[field]);
	char note[100];

	bytes_note(&want->value[field], &got->value[field], note, sizeof(note));
	d->differs = true;
	d->layer = (int)at;
	d->field = f->name;
	snprintf(d->text, sizeof(d->text), "%s.%s: expected %.120s, got %.120s%s", layer_name(want),
		 f->name, w, got->value[field].type ? g : "none", note);
	free(w);
	free(g);
}

static bool match_layer(const struct packet_layer *want, const struct packet_layer *got, size_t at,
			struct packet_diff *d)
{
	const struct packet_field *fields = packet_fields((enum packet_proto)want->proto);

	for (int i = 0; fields[i].name; i++) {
		if (!want->value[i].type || value_equal(&want->value[i], &got->value[i]))
			continue;
		different(d, at, want, got, i);
		return false;
	}
	return true;
}

/* An empty payload in the template says that there is none. */
static bool wants_nothing(const struct packet_layer *l)
{
	return l->proto == PACKET_PAYLOAD && l->value[DATA_ONLY].type == PACKET_V_BYTES &&
	       !l->value[DATA_ONLY].len;
}

bool packet_match(const struct packet *template, const struct packet *got, struct packet_diff *diff)
{
	struct packet_diff unused, *d = diff ? diff : &unused;
	int first;

	*d = (struct packet_diff){ .layer = -1 };
	if (!template->count)
		return true;
	first = packet_find(got, (enum packet_proto) template->layer[0]->proto, 0, 0);
	if (first < 0) {
		if (wants_nothing(template->layer[0]))
			return true;
		missing(d, 0, template->layer[0], got->count ? got->layer[0] : NULL);
		return false;
	}
	for (size_t i = 0; i < template->count; i++) {
		const struct packet_layer *want = template->layer[i];
		size_t at = (size_t)first + i;
		const struct packet_layer *is = at < got->count ? got->layer[at] : NULL;

		if (wants_nothing(want) && (!is || is->proto == PACKET_PAD))
			return true;
		if (!is || is->proto != want->proto) {
			missing(d, i, want, is);
			return false;
		}
		if (!match_layer(want, is, i, d))
			return false;
	}
	return true;
}

bool packet_match_bytes(int link, const void *expect, size_t expect_len, const void *got,
			size_t got_len, struct packet_diff *diff)
{
	struct packet *a, *b;
	size_t at = 0;

	*diff = (struct packet_diff){ .layer = -1 };
	if (expect_len == got_len && (!got_len || !memcmp(expect, got, got_len)))
		return true;
	a = packet_parse(link, expect, expect_len, expect_len);
	b = packet_parse(link, got, got_len, got_len);
	if (packet_match(a, b, diff)) {
		while (at < expect_len && at < got_len &&
		       ((const u8 *)expect)[at] == ((const u8 *)got)[at])
			at++;
		diff->differs = true;
		snprintf(diff->text, sizeof(diff->text),
			 "lengths %zu and %zu, first difference at byte %zu", expect_len, got_len,
			 at);
	}
	/* field names are of static tables: they outlive the packets */
	packet_free(a);
	packet_free(b);
	return false;
}
