/* SPDX-License-Identifier: MIT */
/*
 * Texts for failures: a frame in packetdrill's notation with the script's numbers, TCP_INFO, the
 * last trace records.
 */
#include "packetdrill/bytes.h"

#include "base/suggest.h"

#include "stack/tcp.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void pd_show_time(struct strbuf *out, u64 ns)
{
	u32 rest = (u32)(ns % 1000);

	strbuf_printf(out, "%" PRIu64 ".%06" PRIu64, ns / 1000000000, ns / 1000 % 1000000);
	if (rest)
		strbuf_printf(out, "%03" PRIu32, rest);
}

/* -- Frames -- */

static void show_hex(struct strbuf *out, const u8 *p, u32 len)
{
	while (len--)
		strbuf_printf(out, "%02x", *p++);
}

/* RFC 9768 3.2.3: the kind says in which order the counters are. */
static void show_accecn(struct strbuf *out, const u8 *o, u32 body)
{
	static const char *const names[2][3] = { { "e0b", "ceb", "e1b" }, { "e1b", "ceb", "e0b" } };
	u32 i;

	strbuf_puts(out, "ECN");
	for (i = 0; i < body / 3; i++)
		strbuf_printf(out, " %s %" PRIu32, names[o[0] == 174][i],
			      pd_get32(o + 1 + 3 * i) & 0xffffff);
}

static void show_option(struct strbuf *out, const struct pd_flow *f, const u8 *o, u32 len, bool syn)
{
	u32 body = len - 2, i, ts;

	switch (o[0]) {
	case 2:
		strbuf_printf(out, "mss %" PRIu32, body == 2 ? pd_get16(o + 2) : 0);
		return;
	case 3:
		strbuf_printf(out, "wscale %d", body ? o[2] : 0);
		return;
	case 4:
		strbuf_puts(out, "sackOK");
		return;
	case 5:
		strbuf_puts(out, "sack");
		for (i = 0; i + 8 <= body; i += 8)
			strbuf_printf(out, " %" PRIu32 ":%" PRIu32,
				      pd_remote_to_script(f, pd_get32(o + 2 + i), syn),
				      pd_remote_to_script(f, pd_get32(o + 6 + i), syn));
		return;
	case 8:
		if (body != 8)
			break;
		ts = pd_get32(o + 2);
		if (!pd_ts_to_script(f, ts, &ts) && f->ts_count)
			ts = ts - f->ts[0].live + f->ts[0].script;
		strbuf_printf(out, "TS val %" PRIu32 " ecr %" PRIu32, ts, pd_get32(o + 6));
		return;
	case 172:
	case 174:
		if (body % 3 || body > 9)
			break;
		show_accecn(out, o, body);
		return;
	case 19:
		strbuf_puts(out, "md5 ");
		show_hex(out, o + 2, body);
		return;
	case 29:
		strbuf_puts(out, "ao ");
		show_hex(out, o + 2, body);
		return;
	case 34:
		strbuf_puts(out, body ? "FO " : "FO");
		show_hex(out, o + 2, body);
		return;
	case 254:
		if (body < 2 || pd_get16(o + 2) != 0xf989)
			break;
		strbuf_puts(out, body > 2 ? "FOEXP " : "FOEXP");
		show_hex(out, o + 4, body - 2);
		return;
	}
	strbuf_printf(out, "kind %d ", o[0]);
	show_hex(out, o + 2, body);
}

static void show_options(struct strbuf *out, const struct pd_flow *f, const u8 *o, u32 len,
			 bool syn)
{
	u32 at = 0;

	if (!len)
		return;
	strbuf_puts(out, " <");
	while (at < len) {
		u32 n = o[at] < 2 || at + 1 == len ? 1 : o[at + 1];

		if (at)
			strbuf_putc(out, ',');
		if (n == 1) {
			strbuf_puts(out, o[at] == 1 ? "nop" : "eol");
		} else if (n < 2 || at + n > len) {
			strbuf_puts(out, "(malformed)");
			break;
		} else {
			show_option(out, f, o + at, n, syn);
		}
		at += n;
	}
	strbuf_putc(out, '>');
}

static void show_flags(struct strbuf *out, u16 flags)
{
	static const struct {
		u16 bit;
		char letter;
	} letters[] = { { PD_TCP_FIN, 'F' }, { PD_TCP_SYN, 'S' }, { PD_TCP_RST, 'R' },
			{ PD_TCP_PSH, 'P' }, { PD_TCP_ACK, '.' }, { PD_TCP_URG, 'U' },
			{ PD_TCP_ECE, 'E' }, { PD_TCP_CWR, 'W' }, { PD_TCP_AE, 'A' } };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(letters); i++) {
		if (flags & letters[i].bit)
			strbuf_putc(out, letters[i].letter);
	}
	if (!flags)
		strbuf_putc(out, '-');
}

void pd_show_frame(struct pd_run *r, const struct pd_flow *f, const struct packet *p,
		   struct strbuf *out)
{
	int at = packet_find(p, PACKET_TCP, 0, 0);
	const struct packet_layer *l;
	const u8 *h;
	u32 seq, len;
	u16 flags;
	char *line;

	(void)r;
	if (at < 0 || !f || p->layer[at]->reason) {
		line = packet_line(p);
		strbuf_puts(out, line);
		free(line);
		return;
	}
	l = p->layer[at];
	h = p->bytes + l->start;
	flags = (u16)(pd_get16(h + 12) & 0x1ff);
	seq = pd_local_to_script(f, pd_get32(h + 4), flags & PD_TCP_SYN);
	len = (u32)(l->end - l->body);
	strbuf_puts(out, "> ");
	show_flags(out, flags);
	strbuf_printf(out, " %" PRIu32 ":%" PRIu32 "(%" PRIu32 ")", seq, seq + len, len);
	if (flags & PD_TCP_ACK)
		strbuf_printf(out, " ack %" PRIu32,
			      pd_remote_to_script(f, pd_get32(h + 8), flags & PD_TCP_SYN));
	strbuf_printf(out, " win %" PRIu32, pd_get16(h + 14));
	if (pd_get16(h + 18))
		strbuf_printf(out, " urg %" PRIu32, pd_get16(h + 18));
	show_options(out, f, h + 20, (u32)(l->body - l->start) - 20, flags & PD_TCP_SYN);
}

/* -- TCP_INFO -- */

static const struct {
	const char *name;
	u16 at;
	u8 size, shift, bits; /* bits 0: all */
} info[] = {
	{ "tcpi_state", 0, 1, 0, 0 },
	{ "tcpi_ca_state", 1, 1, 0, 0 },
	{ "tcpi_retransmits", 2, 1, 0, 0 },
	{ "tcpi_probes", 3, 1, 0, 0 },
	{ "tcpi_backoff", 4, 1, 0, 0 },
	{ "tcpi_options", 5, 1, 0, 0 },
	{ "tcpi_snd_wscale", 6, 1, 0, 4 },
	{ "tcpi_rcv_wscale", 6, 1, 4, 4 },
	{ "tcpi_delivery_rate_app_limited", 7, 1, 0, 1 },
	{ "tcpi_fastopen_client_fail", 7, 1, 1, 2 },
	{ "tcpi_rto", 8, 4, 0, 0 },
	{ "tcpi_ato", 12, 4, 0, 0 },
	{ "tcpi_snd_mss", 16, 4, 0, 0 },
	{ "tcpi_rcv_mss", 20, 4, 0, 0 },
	{ "tcpi_unacked", 24, 4, 0, 0 },
	{ "tcpi_sacked", 28, 4, 0, 0 },
	{ "tcpi_lost", 32, 4, 0, 0 },
	{ "tcpi_retrans", 36, 4, 0, 0 },
	{ "tcpi_fackets", 40, 4, 0, 0 },
	{ "tcpi_last_data_sent", 44, 4, 0, 0 },
	{ "tcpi_last_ack_sent", 48, 4, 0, 0 },
	{ "tcpi_last_data_recv", 52, 4, 0, 0 },
	{ "tcpi_last_ack_recv", 56, 4, 0, 0 },
	{ "tcpi_pmtu", 60, 4, 0, 0 },
	{ "tcpi_rcv_ssthresh", 64, 4, 0, 0 },
	{ "tcpi_rtt", 68, 4, 0, 0 },
	{ "tcpi_rttvar", 72, 4, 0, 0 },
	{ "tcpi_snd_ssthresh", 76, 4, 0, 0 },
	{ "tcpi_snd_cwnd", 80, 4, 0, 0 },
	{ "tcpi_advmss", 84, 4, 0, 0 },
	{ "tcpi_reordering", 88, 4, 0, 0 },
	{ "tcpi_rcv_rtt", 92, 4, 0, 0 },
	{ "tcpi_rcv_space", 96, 4, 0, 0 },
	{ "tcpi_total_retrans", 100, 4, 0, 0 },
	{ "tcpi_pacing_rate", 104, 8, 0, 0 },
	{ "tcpi_max_pacing_rate", 112, 8, 0, 0 },
	{ "tcpi_bytes_acked", 120, 8, 0, 0 },
	{ "tcpi_bytes_received", 128, 8, 0, 0 },
	{ "tcpi_segs_out", 136, 4, 0, 0 },
	{ "tcpi_segs_in", 140, 4, 0, 0 },
	{ "tcpi_notsent_bytes", 144, 4, 0, 0 },
	{ "tcpi_min_rtt", 148, 4, 0, 0 },
	{ "tcpi_data_segs_in", 152, 4, 0, 0 },
	{ "tcpi_data_segs_out", 156, 4, 0, 0 },
	{ "tcpi_delivery_rate", 160, 8, 0, 0 },
	{ "tcpi_busy_time", 168, 8, 0, 0 },
	{ "tcpi_rwnd_limited", 176, 8, 0, 0 },
	{ "tcpi_sndbuf_limited", 184, 8, 0, 0 },
	{ "tcpi_delivered", 192, 4, 0, 0 },
	{ "tcpi_delivered_ce", 196, 4, 0, 0 },
	{ "tcpi_bytes_sent", 200, 8, 0, 0 },
	{ "tcpi_bytes_retrans", 208, 8, 0, 0 },
	{ "tcpi_dsack_dups", 216, 4, 0, 0 },
	{ "tcpi_reord_seen", 220, 4, 0, 0 },
	{ "tcpi_rcv_ooopack", 224, 4, 0, 0 },
	{ "tcpi_snd_wnd", 228, 4, 0, 0 },
	{ "tcpi_rcv_wnd", 232, 4, 0, 0 },
	{ "tcpi_rehash", 236, 4, 0, 0 },
	{ "tcpi_total_rto", 240, 2, 0, 0 },
	{ "tcpi_total_rto_recoveries", 242, 2, 0, 0 },
	{ "tcpi_total_rto_time", 244, 4, 0, 0 },
	{ "tcpi_received_ce", 248, 4, 0, 0 },
	{ "tcpi_delivered_e1_bytes", 252, 4, 0, 0 },
	{ "tcpi_delivered_e0_bytes", 256, 4, 0, 0 },
	{ "tcpi_delivered_ce_bytes", 260, 4, 0, 0 },
	{ "tcpi_received_e1_bytes", 264, 4, 0, 0 },
	{ "tcpi_received_e0_bytes", 268, 4, 0, 0 },
	{ "tcpi_received_ce_bytes", 272, 4, 0, 0 },
	{ "tcpi_accecn_fail_mode", 276, 2, 0, 0 },
	{ "tcpi_accecn_opt_seen", 278, 2, 0, 0 },
};

static bool read_info_of(struct pd_run *r, int live_fd, u8 *out)
{
	struct sys_op op = { .nr = SYS_GETSOCKOPT,
			     .fd = live_fd,
			     .arg = { SOL_TCP, TCP_INFO },
			     .data = out,
			     .data_len = TCP_INFO_SIZE };

	return op.fd >= 0 && pd_call_now(r, &op) == TCP_INFO_SIZE;
}

static bool read_info(struct pd_run *r, u8 *out)
{
	return read_info_of(r, r->under_test ? r->under_test->live_fd : -1, out);
}

static u64 info_value(const u8 *bytes, size_t i)
{
	u64 value = 0;
	u32 k;

	for (k = info[i].size; k--;)
		value = value << 8 | bytes[info[i].at + k];
	value >>= info[i].shift;
	return info[i].bits ? value & ((1u << info[i].bits) - 1) : value;
}

bool pd_info_lookup(void *ctx, const char *name, s64 *value)
{
	u8 bytes[TCP_INFO_SIZE];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(info); i++) {
		if (strcmp(info[i].name, name) != 0)
			continue;
		if (!read_info(ctx, bytes))
			return false;
		*value = (s64)info_value(bytes, i);
		return true;
	}
	return false;
}

const char *pd_info_field_near(const char *name)
{
	return suggest_entry(name, info, ARRAY_SIZE(info), sizeof(info[0]));
}

bool pd_info_each(struct pd_run *r, int live_fd, void (*fn)(void *ctx, const char *name, u64 value),
		  void *ctx)
{
	u8 bytes[TCP_INFO_SIZE];
	size_t i;

	if (!read_info_of(r, live_fd, bytes))
		return false;
	for (i = 0; i < ARRAY_SIZE(info); i++)
		fn(ctx, info[i].name, info_value(bytes, i));
	return true;
}

void pd_show_details(struct pd_run *r, struct strbuf *out)
{
	u8 bytes[TCP_INFO_SIZE];
	size_t i, first;

	if (out->len)
		return;
	if (read_info(r, bytes)) {
		strbuf_puts(out, "TCP_INFO:");
		for (i = 0; i < ARRAY_SIZE(info); i++) {
			if (info_value(bytes, i))
				strbuf_printf(out, " %s=%" PRIu64, info[i].name + 5,
					      info_value(bytes, i));
		}
		strbuf_putc(out, '\n');
	}
	first = r->trace_count > PD_SHOWN_TRACES ? r->trace_count - PD_SHOWN_TRACES : 0;
	if (r->trace_count)
		strbuf_puts(out, "last trace records:\n");
	for (i = first; i < r->trace_count; i++) {
		const struct trace_record *t = &r->traces[i % PD_SHOWN_TRACES];

		pd_show_time(out, t->time_ns - r->start_ns);
		strbuf_printf(out, " %s (%s) %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
			      trace_event_name(t->event), trace_event_args(t->event), t->arg[0],
			      t->arg[1], t->arg[2], t->arg[3]);
	}
}
