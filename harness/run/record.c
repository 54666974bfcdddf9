/* SPDX-License-Identifier: MIT */
/*
 * Records on the pipe between a child and the parent. A child may die at any byte: the reader takes
 * only whole records, and does not trust their insides.
 */
#include "run/record.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define RECORD_MAX (256u << 20)

void record_begin(struct record *r, enum record_type type)
{
	u8 t = (u8)type;
	u32 len = 0;

	strbuf_clear(&r->bytes);
	strbuf_add(&r->bytes, &len, sizeof(len));
	strbuf_add(&r->bytes, &t, 1);
}

void record_add_u32(struct record *r, u32 n)
{
	strbuf_add(&r->bytes, &n, sizeof(n));
}

void record_add_text(struct record *r, const struct strbuf *text)
{
	record_add_u32(r, (u32)text->len);
	strbuf_add(&r->bytes, strbuf_text(text), text->len + 1);
}

bool record_send(struct record *r, int fd)
{
	u32 len = (u32)r->bytes.len;
	const char *p = r->bytes.data;
	size_t left = len;

	memcpy(r->bytes.data, &len, sizeof(len));
	while (left) {
		ssize_t n = write(fd, p, left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		p += n;
		left -= (size_t)n;
	}
	return true;
}

int record_take(struct strbuf *received, struct record *r, enum record_type *type)
{
	u32 len;

	if (received->len < 5)
		return 0;
	memcpy(&len, received->data, sizeof(len));
	if (len < 5 || len > RECORD_MAX)
		return -1;
	if (received->len < len)
		return 0;
	strbuf_clear(&r->bytes);
	strbuf_add(&r->bytes, received->data, len);
	r->at = 5;
	*type = (enum record_type)(u8)received->data[4];
	memmove(received->data, received->data + len, received->len - len);
	received->len -= len;
	received->data[received->len] = 0;
	return 1;
}

u32 record_u32(struct record *r)
{
	u32 n = 0;

	if (r->bytes.len - r->at >= sizeof(n)) {
		memcpy(&n, r->bytes.data + r->at, sizeof(n));
		r->at += sizeof(n);
	}
	return n;
}

const char *record_text(struct record *r, size_t *len)
{
	u32 n = record_u32(r);
	const char *text = r->bytes.data + r->at;

	if (r->bytes.len - r->at < (size_t)n + 1) {
		text = "";
		n = 0;
	} else {
		r->at += (size_t)n + 1;
	}
	if (len)
		*len = n;
	return text;
}

void record_free(struct record *r)
{
	strbuf_free(&r->bytes);
}
