/* SPDX-License-Identifier: MIT */
/*
 * Sysctls that are no plain numbers: keys, lists of names and ports, what can only be read.
 *
 * Invariant: a text that is refused changes nothing.
 */
#include "proc/sysctl_text.h"

#include "lib/bytes.h"
#include "lib/str.h"
#include "nf/nf_conntrack.h"
#include "sched/sch_api.h"
#include "stack/errno.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_cong.h"

/* ---- net.ipv4.tcp_fastopen_key: one or two keys of four words, a comma between ---- */

static void text_hex32(struct text *t, u32 v)
{
	for (u32 i = 0; i < 8; i++, v <<= 4)
		text_char(t, "0123456789abcdef"[v >> 28]);
}

static void read_fastopen_key(const struct net *net, struct text *t)
{
	u8 keys[TCP_FASTOPEN_KEY_MAX * TCP_FASTOPEN_KEY_LENGTH] = { 0 };
	u32 n = max_u32(tcp_fastopen_get_cipher(net, NULL, keys), 1);

	for (u32 i = 0; i < n * 4; i++) {
		if (i)
			text_char(t, i % 4 ? '-' : ',');
		text_hex32(t, get_le32(keys + 4 * i));
	}
}

/* Up to eight digits. False: none, or too many. */
static bool parse_word(const char **s, u32 *v)
{
	u32 n = 0;

	for (*v = 0; hex_digit(**s) >= 0; ++*s, n++)
		*v = *v << 4 | (u32)hex_digit(**s);
	return n > 0 && n <= 8;
}

static int write_fastopen_key(struct net *net, const char *s)
{
	u8 keys[TCP_FASTOPEN_KEY_MAX * TCP_FASTOPEN_KEY_LENGTH];
	u32 n = 0, v;

	while (*s == ' ')
		s++;
	do {
		if (n == TCP_FASTOPEN_KEY_MAX * 4 || !parse_word(&s, &v))
			return -EINVAL;
		put_le32(keys + 4 * n++, v);
		if (n % 4 && *s++ != '-')
			return -EINVAL;
	} while (n % 4 || *s++ == ',');
	s--;
	while (*s == ' ' || *s == '\n')
		s++;
	return *s ? -EINVAL : tcp_fastopen_reset_cipher(net, NULL, keys, n / 4);
}

/* ---- net.ipv4.ip_local_reserved_ports: "8080,30000-30010" (proc_do_large_bitmap) ---- */

static bool reserved(const struct net *net, u32 port)
{
	return port < 65536 && inet_is_local_reserved_port(net, (u16)port);
}

static void read_reserved_ports(const struct net *net, struct text *t)
{
	bool first = true;

	for (u32 port = 0; port < 65536; port++) {
		u32 last = port;

		if (!reserved(net, port))
			continue;
		while (reserved(net, last + 1))
			last++;
		if (!first)
			text_char(t, ',');
		first = false;
		text_number(t, port);
		if (last > port) {
			text_char(t, '-');
			text_number(t, last);
		}
		port = last;
	}
}

/* One port or a range of them. 0 or -EINVAL. */
static int parse_ports(const char **s, s64 *from, s64 *to)
{
	if (proc_get_long(s, from, "-,") || *from < 0 || *from > UINT16_MAX)
		return -EINVAL;
	*to = *from;
	if (**s != '-')
		return 0;
	++*s;
	if (proc_get_long(s, to, ",") || *to < *from || *to > UINT16_MAX)
		return -EINVAL;
	return 0;
}

/* Tells the ports of a list, or with bits NULL only whether it is one. */
static int parse_port_list(const char *s, u64 *bits)
{
	s64 from, to;

	while (*s && *s != '\n') {
		if (*s == ' ' || parse_ports(&s, &from, &to))
			return -EINVAL;
		for (s64 p = from; bits && p <= to; p++)
			bits[p >> 6] |= 1ull << (p & 63);
		if (*s == ',')
			s++;
		else if (*s && *s != '\n')
			return -EINVAL;
	}
	return 0;
}

static int write_reserved_ports(struct net *net, const char *value)
{
	if (parse_port_list(value, NULL))
		return -EINVAL;
	inet_reserved_ports_free(net);
	if (*value == '\n')
		return 0;
	net->reserved_ports = mem_alloc_n(net_world(net), MEM_MISC, RESERVED_PORTS_WORDS,
					  sizeof(*net->reserved_ports));
	if (!net->reserved_ports)
		return -ENOMEM;
	memset(net->reserved_ports, 0, RESERVED_PORTS_WORDS * sizeof(*net->reserved_ports));
	return parse_port_list(value, net->reserved_ports);
}

/* ---- names ---- */

static void read_default_qdisc(const struct net *net, struct text *t)
{
	text_string(t, dev_default_qdisc(net->host)->id);
}

static int write_default_qdisc(struct net *net, const char *value)
{
	return qdisc_set_default(net->host, value);
}

/* All there are; whoever asks may have any of them. */
static void read_congestion_controls(const struct net *net, struct text *t)
{
	const char *name;

	(void)net;
	for (u32 i = 0; (name = tcp_ca_name(i)) != NULL; i++) {
		if (i)
			text_char(t, ' ');
		text_string(t, name);
	}
}

static void read_conntrack_count(const struct net *net, struct text *t)
{
	text_number(t, net->ct ? net->ct->count : 0);
}

/* ---- */

static const struct {
	const char *name;
	void (*read)(const struct net *net, struct text *t);
	int (*write)(struct net *net, const char *value); /* NULL: it can only be read */
} specials[] = {
	{ "net.ipv4.tcp_fastopen_key", read_fastopen_key, write_fastopen_key },
	{ "net.core.default_qdisc", read_default_qdisc, write_default_qdisc },
	{ "net.netfilter.nf_conntrack_count", read_conntrack_count, NULL },
	{ "net.ipv4.ip_local_reserved_ports", read_reserved_ports, write_reserved_ports },
	{ "net.ipv4.tcp_available_congestion_control", read_congestion_controls, NULL },
	{ "net.ipv4.tcp_allowed_congestion_control", read_congestion_controls, NULL },
};

const char *sysctl_special_name(u32 index)
{
	return index < ARRAY_SIZE(specials) ? specials[index].name : NULL;
}

bool sysctl_special_read(const struct net *net, const char *name, struct text *t)
{
	for (u32 i = 0; i < ARRAY_SIZE(specials); i++) {
		if (!str_eq(specials[i].name, name))
			continue;
		specials[i].read(net, t);
		return true;
	}
	return false;
}

int sysctl_special_write(struct net *net, const char *name, const char *value)
{
	for (u32 i = 0; i < ARRAY_SIZE(specials); i++) {
		if (!str_eq(specials[i].name, name))
			continue;
		if (!specials[i].write)
			return -EACCES;
		return *value ? specials[i].write(net, value) : 0;
	}
	return 1;
}
