/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys/net: the plain ones of netns/sysctl.def, those of several numbers
 * (ip_local_port_range), and those with a device in their name, which ipv4/ keeps.
 */
#include "proc/sysctl.h"
#include "core/rps.h"

#include "ipv4/ipv4.h"
#include "lib/bytes.h"
#include "lib/str.h"
#include "sched/sch_api.h"
#include "nf/nf_conntrack.h"
#include "stack/counters.h"
#include "stack/errno.h"
#include "tcp/tcp_fastopen.h"

/* A name that stands for several fields of sysctl.def. */
static const struct {
	const char *name;
	const char *fields[3];
	u32 count;
} vectors[] = {
	{ "net.ipv4.ip_local_port_range",
	  { "net.ipv4.ip_local_port_range_min", "net.ipv4.ip_local_port_range_max" },
	  2 },
	{ "net.ipv4.tcp_mem",
	  { "net.ipv4.tcp_mem_low", "net.ipv4.tcp_mem_pressure", "net.ipv4.tcp_mem_high" },
	  3 },
	{ "net.ipv4.udp_mem",
	  { "net.ipv4.udp_mem_low", "net.ipv4.udp_mem_pressure", "net.ipv4.udp_mem_high" },
	  3 },
	{ "net.ipv4.tcp_rmem",
	  { "net.ipv4.tcp_rmem_min", "net.ipv4.tcp_rmem_default", "net.ipv4.tcp_rmem_max" },
	  3 },
	{ "net.ipv4.tcp_wmem",
	  { "net.ipv4.tcp_wmem_min", "net.ipv4.tcp_wmem_default", "net.ipv4.tcp_wmem_max" },
	  3 },
};

/* Fields that only their vector shows. */
static bool is_part(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++)
		for (u32 j = 0; j < vectors[i].count; j++)
			if (str_eq(vectors[i].fields[j], name))
				return true;
	return false;
}

/* Text under construction, cut to its room. */
struct text {
	char *out;
	u32 cap, len;
};

static void text_char(struct text *t, char c)
{
	if (t->len + 1 < t->cap)
		t->out[t->len] = c;
	t->len++;
}

static void text_number(struct text *t, s64 v)
{
	char digits[20];
	u32 n = 0;
	u64 u = v < 0 ? 0 - (u64)v : (u64)v;

	if (v < 0)
		text_char(t, '-');
	do {
		digits[n++] = (char)('0' + u % 10);
		u /= 10;
	} while (u);
	while (n)
		text_char(t, digits[--n]);
}

static s32 text_end(struct text *t)
{
	if (t->cap)
		t->out[min_u32(t->len, t->cap - 1)] = 0;
	return (s32)t->len;
}

static struct net *net_of(const struct world *w, u32 host)
{
	return net_by_ref(w, host);
}

/* Fields that are shown and set by name: the number is an index. */
static bool is_named(const char *name)
{
	return str_eq(name, "net.ipv4.tcp_congestion_control");
}

/* ---- net.ipv4.tcp_fastopen_key: one or two keys of four words, a comma between ---- */

#define DEFAULT_QDISC "net.core.default_qdisc"

#define FASTOPEN_KEY	"net.ipv4.tcp_fastopen_key"
#define CONNTRACK_COUNT "net.netfilter.nf_conntrack_count"

static void text_hex32(struct text *t, u32 v)
{
	for (u32 i = 0; i < 8; i++, v <<= 4)
		text_char(t, "0123456789abcdef"[v >> 28]);
}

static s32 read_fastopen_key(const struct net *net, struct text *t)
{
	u8 keys[TCP_FASTOPEN_KEY_MAX * TCP_FASTOPEN_KEY_LENGTH] = { 0 };
	u32 n = max_u32(tcp_fastopen_get_cipher(net, NULL, keys), 1);

	for (u32 i = 0; i < n * 4; i++) {
		if (i)
			text_char(t, i % 4 ? '-' : ',');
		text_hex32(t, get_le32(keys + 4 * i));
	}
	return text_end(t);
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

/* Fields of which all 32 bits are the number. */
static bool is_unsigned(const char *name)
{
	return str_eq(name, "net.ipv4.tcp_notsent_lowat");
}

s32 sysctl_read(const struct world *w, u32 host, const char *name, char *out, u32 cap)
{
	struct net *net = net_of(w, host);
	struct text t = { out, cap, 0 };
	const s32 *field;
	s32 value;

	if (!net)
		return -ENOENT;
	if (str_eq(name, FASTOPEN_KEY))
		return read_fastopen_key(net, &t);
	if (str_eq(name, DEFAULT_QDISC)) {
		for (const char *s = dev_default_qdisc(net->host)->id; *s; s++)
			text_char(&t, *s);
		return text_end(&t);
	}
	if (str_eq(name, CONNTRACK_COUNT)) {
		text_number(&t, net->ct ? net->ct->count : 0);
		return text_end(&t);
	}
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++) {
		if (!str_eq(vectors[i].name, name))
			continue;
		for (u32 j = 0; j < vectors[i].count; j++) {
			if (j)
				text_char(&t, '\t');
			text_number(&t, *netns_sysctl_find(net, vectors[i].fields[j], NULL, NULL));
		}
		return text_end(&t);
	}
	field = is_part(name) ? NULL : netns_sysctl_find(net, name, NULL, NULL);
	if (field)
		value = *field;
	else if (ipv4_sysctl_get(net, name, &value))
		return -ENOENT;
	if (is_named(name)) {
		for (const char *s = tcp_ca_name((u32)value); *s; s++)
			text_char(&t, *s);
		return text_end(&t);
	}
	text_number(&t, is_unsigned(name) ? (s64)(u32)value : value);
	return text_end(&t);
}

void sysctl_walk(const struct world *w, u32 host, void (*fn)(void *ctx, const char *name),
		 void *ctx)
{
	struct net *net = net_of(w, host);
	const char *name;

	if (!net)
		return;
	for (u32 i = 0; (name = netns_sysctl_name(i)) != NULL; i++)
		if (!is_part(name))
			fn(ctx, name);
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++)
		fn(ctx, vectors[i].name);
	fn(ctx, FASTOPEN_KEY);
	fn(ctx, DEFAULT_QDISC);
	fn(ctx, CONNTRACK_COUNT);
	ipv4_sysctl_walk(net, fn, ctx);
}

/* Reads the numbers of a vector, all or none, and checks limits and order before anything is set.
 */
static int write_vector(struct net *net, u32 v, const char *value)
{
	s64 n[3];
	u32 count = vectors[v].count;

	for (u32 j = 0; j < count; j++) {
		char one[24];
		u32 len = 0;
		s32 min, max;

		while (*value == ' ' || *value == '\t')
			value++;
		while (*value && *value != ' ' && *value != '\t' && *value != '\n' &&
		       len + 1 < sizeof(one))
			one[len++] = *value++;
		one[len] = 0;
		if (!str_to_s64(one, &n[j]))
			return -EINVAL;
		if (!netns_sysctl_find(net, vectors[v].fields[j], &min, &max))
			BUG("a vector names a sysctl that is not there");
		if (n[j] < min || n[j] > max || (j && n[j] < n[j - 1]))
			return -EINVAL;
	}
	while (*value == ' ' || *value == '\t' || *value == '\n')
		value++;
	if (*value)
		return -EINVAL;
	for (u32 j = 0; j < count; j++)
		*netns_sysctl_find(net, vectors[v].fields[j], NULL, NULL) = (s32)n[j];
	return 0;
}

int sysctl_write(struct net *net, const char *name, const char *value)
{
	s32 min, max, *field;
	s64 n;

	if (str_eq(name, FASTOPEN_KEY))
		return write_fastopen_key(net, value);
	if (str_eq(name, DEFAULT_QDISC))
		return qdisc_set_default(net->host, value);
	if (str_eq(name, CONNTRACK_COUNT))
		return -EACCES;
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++)
		if (str_eq(vectors[i].name, name))
			return write_vector(net, i, value);
	field = is_part(name) ? NULL : netns_sysctl_find(net, name, &min, &max);
	if (!field && ipv4_sysctl_get(net, name, &min))
		return -ENOENT;
	if (is_named(name)) {
		n = tcp_ca_index(value);
		if (n < 0)
			return -ENOENT;
	} else if (!str_to_s64(value, &n)) {
		return -EINVAL;
	} else if (is_unsigned(name)) {
		if (n < 0 || n > UINT32_MAX)
			return -EINVAL;
		n = (s32)(u32)n;
	} else if (n < INT32_MIN || n > INT32_MAX) {
		return -EINVAL;
	}
	if (!field)
		return ipv4_sysctl_set(net, name, (s32)n);
	if (n < min || n > max)
		return -EINVAL;
	if (field == &net->sysctl.nf_conntrack_enable_hooks)
		return nf_conntrack_enable_hooks(net, n != 0);
	*field = (s32)n;
	if (field == &net->sysctl.tcp_fastopen_blackhole_timeout)
		net->tfo_active_disable_times = 0;
	ipv4_sysctl_changed(net, field);
	if (field == &net->sysctl.core_rps_sock_flow_entries)
		return rps_sock_flow_resize(net->host);
	return 0;
}
