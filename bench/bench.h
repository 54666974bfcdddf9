/* SPDX-License-Identifier: MIT */
/*
 * What every benchmark shares: the process's CPU clock and the form of its output, one `NAME VALUE
 * UNIT` a line. ci/bench runs the programs several times in turn and prints medians and ratios; a
 * single run says little.
 */
#ifndef TAPLINE_BENCH_BENCH_H
#define TAPLINE_BENCH_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline double bench_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static inline void bench_check(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "bench: %s\n", what);
	exit(1);
}

/* The rows that this program prints, each with a space behind it. */
static const char *bench_row_names;

/* PROGRAM --rows: what it would print, so that ci/bench runs only what it is asked for. */
static inline void bench_rows(int argc, char **argv, const char *names)
{
	bench_row_names = names;
	if (argc != 2 || strcmp(argv[1], "--rows") != 0)
		return;
	puts(names);
	exit(0);
}

static inline void bench_print(const char *name, double value, const char *unit)
{
	const char *at = bench_row_names;
	size_t len = strlen(name);

	while (at && (at = strstr(at, name)) &&
	       (at[len] != ' ' || (at > bench_row_names && at[-1] != ' ')))
		at += len;
	bench_check(at != NULL, "bench_rows() does not name this row");
	printf("%s %.2f %s\n", name, value, unit);
}

/* PROGRAM [ROW]: one row alone, by its name, for a profiler. Is this one to be run? */
static inline int bench_wanted(int argc, char **argv, const char *name)
{
	return argc < 2 || strcmp(argv[1], name) == 0;
}

/* The Internet checksum of bytes, in network byte order. */
static inline uint16_t bench_csum(const uint8_t *p, size_t len, uint32_t sum)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static inline void bench_put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* A UDP frame of `len` bytes (no FCS) from 192.0.2.9:5000 to 192.0.2.1:7, right checksums. */
static inline void bench_udp_frame(uint8_t *f, size_t len, const uint8_t dst_mac[6])
{
	static const uint8_t src_mac[6] = { 2, 0, 0, 0, 0, 9 };
	static const uint8_t pseudo_start[12] = { 192, 0, 2, 9, 192, 0, 2, 1, 0, 17, 0, 0 };
	uint8_t pseudo[12];
	uint32_t sum = 0;
	uint16_t udp_len = (uint16_t)(len - 34);

	memset(f, 0, len);
	memcpy(f, dst_mac, 6);
	memcpy(f + 6, src_mac, 6);
	bench_put16(f + 12, 0x0800);
	f[14] = 0x45;
	bench_put16(f + 16, (uint16_t)(len - 14));
	bench_put16(f + 20, 0x4000);
	f[22] = 64;
	f[23] = 17;
	memcpy(f + 26, pseudo_start, 8);
	bench_put16(f + 24, bench_csum(f + 14, 20, 0));
	bench_put16(f + 34, 5000);
	bench_put16(f + 36, 7);
	bench_put16(f + 38, udp_len);
	for (size_t i = 42; i < len; i++)
		f[i] = (uint8_t)i;
	memcpy(pseudo, pseudo_start, 12);
	bench_put16(pseudo + 10, udp_len);
	for (size_t i = 0; i < 12; i += 2)
		sum += (uint32_t)pseudo[i] << 8 | pseudo[i + 1];
	bench_put16(f + 40, bench_csum(f + 34, udp_len, sum));
}

#endif
