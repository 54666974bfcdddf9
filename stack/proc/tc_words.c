/* SPDX-License-Identifier: MIT */
/* Numbers as tc prints them (iproute2: tc/tc_util.c, lib/utils.c). */
#include "proc/tc_words.h"

#include "kernel/timer.h"

#define DIGITS_MAX 12u

/* num / den with so many significant digits, as %g prints it. */
static void seq_digits(struct seq_file *m, u64 num, u64 den, u32 significant)
{
	u64 whole = num / den, rem = num % den;
	u8 digit[DIGITS_MAX + 24];
	u32 n = 0, point, first = 0;
	u64 div = 1;

	while (whole / div >= 10)
		div *= 10;
	for (; div; div /= 10)
		digit[n++] = (u8)(whole / div % 10);
	point = n;
	while (first < n && !digit[first])
		first++;
	/* One digit more than is shown, to round by. */
	while (n - first <= significant && n < sizeof(digit) && rem) {
		rem *= 10;
		digit[n++] = (u8)(rem / den);
		rem %= den;
		if (n - 1 == first && !digit[first])
			first++;
	}
	if (n - first > significant && n > point) {
		u32 i = --n;
		bool up = digit[i] >= 5;

		while (up && i--)
			up = ++digit[i] == 10 && !(digit[i] = 0);
		if (up)
			seq_putc(m, '1');
	}
	while (n > point && !digit[n - 1])
		n--;
	for (u32 i = 0; i < n; i++) {
		if (i == point)
			seq_putc(m, '.');
		seq_putc(m, (char)('0' + digit[i]));
	}
}

/* print_size() */
void seq_size(struct seq_file *m, u64 v)
{
	const u64 mb = 1024 * 1024;

	if (v >= mb && (v % mb < 1024 || mb - v % mb < 1024)) {
		seq_u64(m, (v + mb / 2) / mb, 0);
		seq_puts(m, "Mb");
	} else if (v >= 1024 && (v % 1024 < 16 || 1024 - v % 1024 < 16)) {
		seq_u64(m, (v + 512) / 1024, 0);
		seq_puts(m, "Kb");
	} else {
		seq_u64(m, v, 0);
		seq_putc(m, 'b');
	}
}

/* print_rate(): bytes a second, shown in bits. */
void seq_rate(struct seq_file *m, u64 bytes)
{
	static const char *const units[] = { "", "K", "M", "G", "T" };
	u64 rate = bytes * 8;
	u32 i = 0;

	for (; i < ARRAY_SIZE(units) - 1; i++) {
		if (rate < 1000 || (rate % 1000 && rate < 1000 * 1000))
			break;
		rate /= 1000;
	}
	seq_u64(m, rate, 0);
	seq_puts(m, units[i]);
	seq_puts(m, "bit");
}

/* print_time64() */
void seq_time(struct seq_file *m, u64 ns)
{
	if (ns >= NSEC_PER_SEC) {
		seq_digits(m, ns, NSEC_PER_SEC, 3);
		seq_puts(m, "s");
	} else if (ns >= NSEC_PER_MSEC) {
		seq_digits(m, ns, NSEC_PER_MSEC, 3);
		seq_puts(m, "ms");
	} else if (ns >= NSEC_PER_USEC) {
		seq_digits(m, ns, NSEC_PER_USEC, 3);
		seq_puts(m, "us");
	} else {
		seq_u64(m, ns, 0);
		seq_puts(m, "ns");
	}
}

void seq_percent(struct seq_file *m, u64 share)
{
	seq_digits(m, share * 100, UINT32_MAX, 6);
	seq_putc(m, '%');
}

void seq_count(struct seq_file *m, const char *name, u64 v)
{
	seq_puts(m, name);
	seq_u64(m, v, 0);
}

void seq_tc_handle(struct seq_file *m, u32 h, bool class)
{
	if (h >> 16 || !class)
		seq_hex(m, h >> 16, 0, false);
	seq_putc(m, ':');
	if (class)
		seq_hex(m, h & 0xffff, 0, false);
}

void seq_tc_stats(struct seq_file *m, const char *indent, const struct gnet_stats *s)
{
	seq_puts(m, indent);
	seq_count(m, "Sent ", s->bytes);
	seq_count(m, " bytes ", s->packets);
	seq_count(m, " pkt (dropped ", s->drops);
	seq_count(m, ", overlimits ", s->overlimits);
	seq_count(m, " requeues ", s->requeues);
	seq_puts(m, ") \n");
	seq_puts(m, indent);
	seq_puts(m, "backlog ");
	seq_size(m, s->backlog);
	seq_count(m, " ", s->qlen);
	seq_count(m, "p requeues ", s->requeues);
}
