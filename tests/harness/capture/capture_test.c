/* SPDX-License-Identifier: MIT */
/* Capture files: round trips, every byte order and variant, damage at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "capture/capture.h"

/* A file put together byte by byte, in either order. */
struct file {
	u8 b[4096];
	size_t len;
	bool big;
};

static void w16(struct file *f, u32 v)
{
	f->b[f->len++] = (u8)(f->big ? v >> 8 : v);
	f->b[f->len++] = (u8)(f->big ? v : v >> 8);
}

static void w32(struct file *f, u32 v)
{
	w16(f, (f->big ? v >> 16 : v) & 0xffff);
	w16(f, (f->big ? v : v >> 16) & 0xffff);
}

static void fill(struct file *f, u8 byte, size_t n)
{
	memset(f->b + f->len, byte, n);
	f->len += n;
}

static void pcap_header(struct file *f, u32 magic, u32 minor, u32 link)
{
	w32(f, magic);
	w16(f, 2);
	w16(f, minor);
	w32(f, 0);
	w32(f, 0);
	w32(f, 65535);
	w32(f, link);
}

static void pcap_record(struct file *f, u32 s, u32 fraction, u32 caplen, u32 len)
{
	w32(f, s);
	w32(f, fraction);
	w32(f, caplen);
	w32(f, len);
}

static struct capture_reader *open_file(const struct file *f, enum capture_status *s, char *error)
{
	return capture_open_memory(f->b, f->len, s, error);
}

static void test_classic_orders(void **state)
{
	static const struct {
		bool big;
		u32 magic;
		u64 ns;
	} table[] = {
		{ false, 0xa1b2c3d4, 5000000007000ull },
		{ true, 0xa1b2c3d4, 5000000007000ull },
		{ false, 0xa1b23c4d, 5000000000007ull },
		{ true, 0xa1b23c4d, 5000000000007ull },
	};

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct file f = { .big = table[i].big };
		struct capture_frame frame;
		struct capture_reader *r;
		char error[CAPTURE_ERROR_SIZE];

		pcap_header(&f, table[i].magic, 4, 0x50000001); /* frame check sequence bits */
		pcap_record(&f, 5000, 7, 60, 1514);
		fill(&f, 0xab, 60);
		pcap_record(&f, 4999, 0, 0, 0);
		r = open_file(&f, NULL, error);
		assert_non_null(r);
		assert_string_equal(capture_format_name(r), "pcap");
		assert_int_equal(capture_link(r), 1);
		assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
		assert_int_equal(frame.number, 1);
		assert_true(frame.time_ns == table[i].ns);
		assert_int_equal(frame.caplen, 60);
		assert_int_equal(frame.len, 1514);
		assert_int_equal(frame.link, 1);
		assert_int_equal(frame.data[59], 0xab);
		assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME); /* time runs back: fine */
		assert_true(frame.time_ns == 4999000000000ull);
		assert_int_equal(frame.caplen, 0);
		assert_int_equal(capture_next(r, &frame), CAPTURE_END);
		assert_int_equal(capture_next(r, &frame), CAPTURE_END); /* and stays so */
		capture_close(r);
	}
}

/* Versions before 2.3 have the lengths the other way around; 2.3 is guessed; the patched format. */
static void test_classic_variants(void **state)
{
	(void)state;
	for (u32 minor = 2; minor <= 3; minor++) {
		struct file f = { .big = true };
		struct capture_frame frame;
		struct capture_reader *r;
		char error[CAPTURE_ERROR_SIZE];

		pcap_header(&f, 0xa1b2c3d4, minor, 1);
		pcap_record(&f, 1, 2, 100, 10); /* length first */
		fill(&f, 1, 10);
		r = open_file(&f, NULL, error);
		assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
		assert_int_equal(frame.caplen, 10);
		assert_int_equal(frame.len, 100);
		assert_int_equal(capture_next(r, &frame), CAPTURE_END);
		capture_close(r);
	}
	{
		struct file f = { 0 };
		struct capture_frame frame;
		struct capture_reader *r;
		char error[CAPTURE_ERROR_SIZE];

		pcap_header(&f, 0xa1b2cd34, 4, 1);
		pcap_record(&f, 1, 2, 10, 10);
		fill(&f, 0, 8);
		fill(&f, 7, 10);
		r = open_file(&f, NULL, error);
		assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
		assert_int_equal(frame.data[0], 7);
		assert_int_equal(capture_next(r, &frame), CAPTURE_END);
		capture_close(r);
	}
}

static void assert_refused(const struct file *f, enum capture_status want, const char *text)
{
	char error[CAPTURE_ERROR_SIZE] = "";
	enum capture_status s;

	assert_null(open_file(f, &s, error));
	assert_int_equal(s, want);
	assert_string_equal(error, text);
}

static void test_refused(void **state)
{
	struct file f = { 0 };

	(void)state;
	assert_refused(&f, CAPTURE_DAMAGED, "the file is empty");
	w16(&f, 0xd4c3);
	assert_refused(&f, CAPTURE_DAMAGED, "the file ends inside its header");
	f.len = 0;
	fill(&f, 'x', 40);
	assert_refused(&f, CAPTURE_DAMAGED, "not a pcap or pcapng file");
	f.len = 0;
	pcap_header(&f, 0xa1b2c3d4, 4, 105);
	assert_refused(&f, CAPTURE_UNSUPPORTED, "link type 105 (IEEE802_11) is not supported");
	f.len = 0;
	pcap_header(&f, 0xa1b2c3d4, 4, 4711);
	assert_refused(&f, CAPTURE_UNSUPPORTED, "link type 4711 (unknown) is not supported");
	f.len = 0;
	pcap_header(&f, 0xa1b2c3d4, 4, 0x03000001);
	assert_refused(&f, CAPTURE_UNSUPPORTED, "link type 50331649 (unknown) is not supported");
	f.len = 0;
	pcap_header(&f, 0xa1b2c3d4, 9, 1);
	assert_refused(&f, CAPTURE_DAMAGED, "pcap version 2.9 is not supported");
	f.len = 20;
	assert_refused(&f, CAPTURE_DAMAGED, "the file ends inside its header");
	{
		char error[CAPTURE_ERROR_SIZE];

		assert_null(capture_open("/nonexistent/x.pcap", NULL, error));
		assert_string_equal(error, "No such file or directory");
		assert_null(capture_open("/", NULL, error));
		assert_string_equal(error, "reading failed");
	}
}

static void test_absurd_length(void **state)
{
	struct file f = { 0 };
	struct capture_frame frame;
	struct capture_reader *r;
	char error[CAPTURE_ERROR_SIZE];

	(void)state;
	pcap_header(&f, 0xa1b2c3d4, 4, 1);
	pcap_record(&f, 1, 0, 4, 4);
	fill(&f, 0, 4);
	pcap_record(&f, 1, 0, 0xfffffff0, 4);
	r = open_file(&f, NULL, error);
	assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
	assert_int_equal(capture_next(r, &frame), CAPTURE_DAMAGED);
	assert_string_equal(capture_error(r), "frame 2: captured length 4294967280 is more than "
					      "any frame has (262144)");
	capture_close(r);
}

/* A pcapng file with all that the reader knows, in a byte order. */
static void section(struct file *f, u32 major, u32 minor)
{
	w32(f, 0x0a0d0d0a);
	w32(f, 28);
	w32(f, 0x1a2b3c4d);
	w16(f, major);
	w16(f, minor);
	w32(f, 0xffffffff);
	w32(f, 0xffffffff);
	w32(f, 28);
}

static void interface(struct file *f, u32 link, u8 resolution)
{
	w32(f, 1);
	w32(f, 32);
	w16(f, link);
	w16(f, 0);
	w32(f, 40);
	w16(f, 9);
	w16(f, 1);
	fill(f, resolution, 1);
	fill(f, 0, 3);
	w32(f, 0);
	w32(f, 32);
}

static void enhanced(struct file *f, u32 iface, u64 time, const char *comment, u32 flags)
{
	u32 n = (u32)strlen(comment), padded = (n + 3) & ~3u, total = 32 + 8 + 4 + padded + 8 + 4;

	w32(f, 6);
	w32(f, total);
	w32(f, iface);
	w32(f, (u32)(time >> 32));
	w32(f, (u32)time);
	w32(f, 5);
	w32(f, 70);
	fill(f, 0x55, 5);
	fill(f, 0, 3);
	w16(f, 1);
	w16(f, n);
	memcpy(f->b + f->len, comment, n);
	f->len += n;
	fill(f, 0, padded - n);
	w16(f, 2);
	w16(f, 4);
	w32(f, flags);
	w32(f, 0);
	w32(f, total);
}

static void test_pcapng(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		struct file f = { .big = big };
		struct capture_frame frame;
		struct capture_reader *r;
		char error[CAPTURE_ERROR_SIZE];

		section(&f, 1, 0);
		interface(&f, 1, 6);
		interface(&f, 105, 9); /* not one of ours: its frames are marked */
		interface(&f, 101, 0x8a); /* units of 1/1024 s */
		enhanced(&f, 0, 5000000, "first", 1);
		enhanced(&f, 1, 7, "second", 2);
		w32(&f, 0x0bad); /* a block of no known type */
		w32(&f, 16);
		w32(&f, 0);
		w32(&f, 16);
		enhanced(&f, 2, 1024 + 512, "", 3);
		w32(&f, 3); /* simple packet: cut to the snapshot length of 40 */
		w32(&f, 56);
		w32(&f, 100);
		fill(&f, 9, 40);
		w32(&f, 56);
		f.big = !f.big;
		section(&f, 1, 0);
		interface(&f, 113, 3);
		enhanced(&f, 0, 12, "other section", 0);

		r = open_file(&f, NULL, error);
		assert_non_null(r);
		assert_string_equal(capture_format_name(r), "pcapng");
		assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
		assert_true(frame.time_ns == 5000000000ull);
		assert_int_equal(frame.caplen, 5);
		assert_int_equal(frame.len, 70);
		assert_int_equal(frame.direction, CAPTURE_IN);
		assert_int_equal(frame.comment_len, 5);
		assert_memory_equal(frame.comment, "first", 5);
		assert_true(frame.supported);
		assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
		assert_true(frame.time_ns == 7);
		assert_int_equal(frame.direction, CAPTURE_OUT);
		assert_false(frame.supported);
		assert_int_equal(frame.link, 105);
		assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
		assert_true(frame.time_ns == 1500000000ull);
		assert_int_equal(frame.direction, CAPTURE_UNKNOWN);
		assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
		assert_false(frame.has_time);
		assert_true(frame.time_ns == 1500000000ull);
		assert_int_equal(frame.caplen, 40);
		assert_int_equal(frame.len, 100);
		assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
		assert_int_equal(frame.section, 1);
		assert_int_equal(frame.link, 113);
		assert_true(frame.time_ns == 12000000ull);
		assert_int_equal(frame.number, 5);
		assert_int_equal(capture_next(r, &frame), CAPTURE_END);
		capture_close(r);
	}
}

static void test_pcapng_refused(void **state)
{
	struct file f = { 0 };
	struct capture_frame frame;
	struct capture_reader *r;
	char error[CAPTURE_ERROR_SIZE];

	(void)state;
	section(&f, 1, 0);
	assert_refused(&f, CAPTURE_DAMAGED, "the file describes no interface");
	f.len = 0;
	section(&f, 2, 0);
	assert_refused(&f, CAPTURE_DAMAGED, "pcapng version 2.0 is not supported");
	f.len = 0;
	section(&f, 1, 0);
	enhanced(&f, 0, 0, "", 0);
	assert_refused(&f, CAPTURE_DAMAGED, "packet before any interface is described");

	/* An option of the interface that is longer than the block, or than it is. */
	f.len = 0;
	section(&f, 1, 0);
	interface(&f, 1, 6);
	f.b[28 + 16 + 2] = 200;
	assert_refused(&f, CAPTURE_DAMAGED, "the options of an interface are damaged");
	f.b[28 + 16 + 2] = 2;
	assert_refused(&f, CAPTURE_DAMAGED, "option 9 of an interface has 2 bytes");

	f.len = 0;
	section(&f, 1, 0);
	interface(&f, 105, 6);
	enhanced(&f, 0, 0, "", 0);
	r = open_file(&f, NULL, error);
	assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
	assert_false(frame.supported);
	assert_int_equal(capture_next(r, &frame), CAPTURE_UNSUPPORTED);
	assert_string_equal(capture_error(r), "link type 105 (IEEE802_11) is not supported");
	capture_close(r);

	f.len = 0;
	section(&f, 1, 0);
	interface(&f, 1, 6);
	enhanced(&f, 0, 0, "", 0);
	section(&f, 1, 0);
	enhanced(&f, 0, 0, "", 0); /* a section starts without interfaces */
	r = open_file(&f, NULL, error);
	assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
	assert_int_equal(capture_next(r, &frame), CAPTURE_DAMAGED);
	assert_string_equal(capture_error(r), "frame 2: interface 0 is not described");
	capture_close(r);
}

/* Whatever byte a file ends at: the whole frames before it come, then the end or an error. */
static void test_cut_at_every_byte(void **state)
{
	(void)state;
	for (int ng = 0; ng < 2; ng++) {
		struct file f = { 0 };
		size_t ends[4], n_ends = 0;

		if (ng) {
			section(&f, 1, 0);
			interface(&f, 1, 6);
			ends[n_ends++] = f.len;
			enhanced(&f, 0, 1, "a", 0);
			ends[n_ends++] = f.len;
			enhanced(&f, 0, 2, "bb", 0);
		} else {
			pcap_header(&f, 0xa1b2c3d4, 4, 1);
			ends[n_ends++] = f.len;
			pcap_record(&f, 0, 0, 30, 30);
			fill(&f, 3, 30);
			ends[n_ends++] = f.len;
			pcap_record(&f, 0, 0, 9, 9);
			fill(&f, 4, 9);
		}
		ends[n_ends++] = f.len;
		for (size_t len = 0; len <= f.len; len++) {
			u8 *exact = malloc(len ? len : 1);
			char error[CAPTURE_ERROR_SIZE];
			enum capture_status s;
			struct capture_reader *r;
			struct capture_frame frame;
			u64 frames = 0, whole = 0;
			bool border = false;

			assert_non_null(exact);
			memcpy(exact, f.b, len);
			for (size_t i = 0; i < n_ends; i++) {
				whole += i && ends[i] <= len;
				border |= ends[i] == len;
			}
			r = capture_open_memory(exact, len, &s, error);
			if (len < ends[0]) {
				assert_null(r);
				assert_int_equal(s, CAPTURE_DAMAGED);
				free(exact);
				continue;
			}
			assert_non_null(r);
			while ((s = capture_next(r, &frame)) == CAPTURE_FRAME)
				frames++;
			assert_int_equal(frames, whole);
			assert_int_equal(s, border ? CAPTURE_END : CAPTURE_DAMAGED);
			if (!border) {
				char want[20];

				snprintf(want, sizeof(want), "frame %d: ", (int)whole + 1);
				assert_memory_equal(capture_error(r), want, strlen(want));
			}
			capture_close(r);
			free(exact);
		}
	}
}

/* Any one byte changed: no crash, no endless loop, no over-read (the sanitizers watch). */
static void test_any_byte_changed(void **state)
{
	struct file f = { 0 };

	(void)state;
	section(&f, 1, 0);
	interface(&f, 1, 6);
	enhanced(&f, 0, 1, "a", 0);
	enhanced(&f, 0, 2, "bb", 0);
	for (size_t at = 0; at < f.len; at++) {
		static const u8 values[] = { 0, 1, 0x7f, 0x80, 0xff };

		for (size_t v = 0; v < sizeof(values); v++) {
			u8 *copy = malloc(f.len);
			char error[CAPTURE_ERROR_SIZE];
			struct capture_reader *r;
			struct capture_frame frame;
			u32 sum = 0;

			assert_non_null(copy);
			memcpy(copy, f.b, f.len);
			copy[at] = values[v];
			r = capture_open_memory(copy, f.len, NULL, error);
			while (r && capture_next(r, &frame) == CAPTURE_FRAME) {
				for (u32 i = 0; i < frame.caplen; i++)
					sum += frame.data[i];
				for (size_t i = 0; i < frame.comment_len; i++)
					sum += (u8)frame.comment[i];
			}
			assert_true(sum < 100000);
			capture_close(r);
			free(copy);
		}
	}
}

static void round_trip(enum capture_format format, u64 precision)
{
	char path[] = "/tmp/tapline-capture-XXXXXX", error[CAPTURE_ERROR_SIZE];
	static u8 big[CAPTURE_MAX_FRAME];
	static const u32 sizes[] = { 0, 1, 13, 14, 60, 1514, 65535, CAPTURE_MAX_FRAME, 3 };
	int fd = mkstemp(path);
	struct capture_writer *w;
	struct capture_reader *r;
	struct capture_frame frame;

	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < sizeof(big); i++)
		big[i] = (u8)(i * 7);
	w = capture_create(path, format, 1, 0, error);
	assert_non_null(w);
	if (format == CAPTURE_PCAPNG)
		assert_int_equal(capture_add_interface(w, 101, "tun0"), 1);
	else
		assert_int_equal(capture_add_interface(w, 101, "tun0"), -1);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		frame = (struct capture_frame){ .time_ns = 1234567890123456789ull - i,
						.caplen = sizes[i],
						.len = sizes[i] + 1,
						.data = big,
						.interface = format == CAPTURE_PCAPNG && i % 2,
						.direction = (u8)(i % 3),
						.comment = i % 2 ? "cpu 0, delivered" : NULL,
						.comment_len = i % 2 ? i : 0 };
		capture_write(w, &frame);
	}
	assert_true(capture_finish(w, error));

	r = capture_open(path, NULL, error);
	assert_non_null(r);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		u64 ns = 1234567890123456789ull - i;

		assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
		assert_true(frame.time_ns == ns - ns % precision);
		assert_int_equal(frame.caplen, sizes[i]);
		assert_int_equal(frame.len, sizes[i] + 1);
		assert_memory_equal(frame.data, big, sizes[i]);
		if (format != CAPTURE_PCAPNG)
			continue;
		assert_int_equal(frame.link, i % 2 ? 101 : 1);
		assert_int_equal(frame.direction, i % 3);
		assert_int_equal(frame.comment_len, i % 2 ? i : 0);
	}
	assert_int_equal(capture_next(r, &frame), CAPTURE_END);
	capture_close(r);
	unlink(path);
}

static void test_round_trip(void **state)
{
	(void)state;
	round_trip(CAPTURE_PCAP, 1000);
	round_trip(CAPTURE_PCAP_NS, 1);
	round_trip(CAPTURE_PCAPNG, 1);
}

static void test_writer_reports_errors(void **state)
{
	char error[CAPTURE_ERROR_SIZE] = "";
	struct capture_writer *w;
	struct capture_frame frame = { .data = (const u8 *)"x", .caplen = 1, .len = 1 };

	(void)state;
	assert_null(capture_create("/nonexistent/out.pcap", CAPTURE_PCAP, 1, 0, error));
	assert_string_equal(error, "No such file or directory");
	if (access("/dev/full", W_OK))
		return;
	w = capture_create("/dev/full", CAPTURE_PCAP, 1, 0, error);
	assert_non_null(w);
	for (int i = 0; i < 10000; i++)
		capture_write(w, &frame);
	assert_false(capture_finish(w, error));
	assert_string_equal(error, "No space left on device");
}

/* The snapshot length of the writer cuts, and says how long the frame was. */
static void test_writer_cuts(void **state)
{
	char path[] = "/tmp/tapline-capture-XXXXXX", error[CAPTURE_ERROR_SIZE];
	int fd = mkstemp(path);
	struct capture_frame frame = { .data = (const u8 *)"hello", .caplen = 5, .len = 5 };
	struct capture_writer *w = capture_create(path, CAPTURE_PCAP, 1, 2, error);
	struct capture_reader *r;

	(void)state;
	close(fd);
	capture_write(w, &frame);
	assert_true(capture_finish(w, error));
	r = capture_open(path, NULL, error);
	assert_int_equal(capture_next(r, &frame), CAPTURE_FRAME);
	assert_int_equal(frame.caplen, 2);
	assert_int_equal(frame.len, 5);
	capture_close(r);
	unlink(path);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_classic_orders),
		cmocka_unit_test(test_classic_variants),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_absurd_length),
		cmocka_unit_test(test_pcapng),
		cmocka_unit_test(test_pcapng_refused),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_any_byte_changed),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_writer_reports_errors),
		cmocka_unit_test(test_writer_cuts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
