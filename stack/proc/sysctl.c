/* SPDX-License-Identifier: MIT */
/*
 * /proc/sys/net: the plain ones of netns/sysctl.def, those of several numbers
 * (ip_local_port_range), and those with a device in their name, which ipv4/ keeps.
 */
#include "proc/sysctl.h"
#include "proc/sysctl_text.h"
#include "core/rps.h"

#include "ipv4/ipv4.h"
#include "lib/bytes.h"
#include "lib/str.h"
#include "nf/nf_conntrack.h"
#include "stack/counters.h"
#include "stack/errno.h"
#include "tcp/tcp.h"
#include "tcp/tcp_cong.h"

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

static struct net *net_of(const struct world *w, u32 host)
{
	return net_by_ref(w, host);
}

/* Fields that are shown and set by name: the number is an index. */
static bool is_named(const char *name)
{
	return str_eq(name, "net.ipv4.tcp_congestion_control");
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
	if (sysctl_special_read(net, name, &t))
		return text_end(&t);
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
		text_string(&t, tcp_ca_name((u32)value));
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
	for (u32 i = 0; (name = sysctl_special_name(i)) != NULL; i++)
		fn(ctx, name);
	ipv4_sysctl_walk(net, fn, ctx);
}

/* ipv4_local_port_range: the range must be one, and none of it privileged. */
static bool port_range_is_good(const struct net *net, const s64 *n)
{
	return n[1] >= n[0] && n[0] >= net->sysctl.ip_unprivileged_port_start;
}

/*
 * As many numbers as there are, the rest stays. Each must be within its limits; their order is the
 * user's affair (do_proc_dointvec). Nothing is set if one is refused.
 */
static int write_vector(struct net *net, u32 v, const char *value)
{
	s32 *fields[3], min, max;
	s64 n[3];
	u32 given = 0;

	for (u32 j = 0; j < vectors[v].count; j++) {
		fields[j] = netns_sysctl_find(net, vectors[v].fields[j], &min, &max);
		if (!fields[j])
			BUG("a vector names a sysctl that is not there");
		n[j] = *fields[j];
		value = skip_spaces(value);
		if (!*value)
			continue;
		if (proc_get_long(&value, &n[j], "") || n[j] < min || n[j] > max)
			return -EINVAL;
		given++;
	}
	if (!given)
		return -EINVAL;
	if (fields[0] == &net->sysctl.ip_local_port_min && !port_range_is_good(net, n))
		return -EINVAL;
	for (u32 j = 0; j < vectors[v].count; j++)
		*fields[j] = (s32)n[j];
	return 0;
}

/* Limits that are other sysctls. */
static bool is_within_others(const struct net *net, const s32 *field, s64 n)
{
	const struct netns_sysctl *s = &net->sysctl;

	if (field == &s->ip_unprivileged_port_start)
		return n <= s->ip_local_port_min;
	if (field == &s->ipfrag_high_thresh)
		return n >= s->ipfrag_low_thresh;
	if (field == &s->ipfrag_low_thresh)
		return n <= s->ipfrag_high_thresh;
	if (field == &s->ip6frag_high_thresh)
		return n >= s->ip6frag_low_thresh;
	if (field == &s->ip6frag_low_thresh)
		return n <= s->ip6frag_high_thresh;
	return true;
}

/* What goes with a field. */
static int field_changed(struct net *net, const s32 *field)
{
	if (field == &net->sysctl.tcp_fastopen_blackhole_timeout)
		net->tfo_active_disable_times = 0;
	ipv4_sysctl_changed(net, field);
	if (field == &net->sysctl.core_rps_sock_flow_entries)
		return rps_sock_flow_resize(net->host);
	return 0;
}

/* The number of a text: of a name its index; what follows a number is passed over. */
static int parse_value(const char *name, const char *value, s64 *n)
{
	if (is_named(name)) {
		*n = tcp_ca_index(value);
		return *n < 0 ? -ENOENT : 0;
	}
	if (proc_get_long(&value, n, ""))
		return -EINVAL;
	if (!is_unsigned(name))
		return *n < INT32_MIN || *n > INT32_MAX ? -EINVAL : 0;
	if (*n < 0 || *n > UINT32_MAX)
		return -EINVAL;
	*n = (s32)(u32)*n;
	return 0;
}

/* net.ipv4.conf.*.mc_forwarding: the daemon of a multicast router turns it on, not the user. */
static bool is_read_only(const char *name)
{
	const char *leaf = name;

	for (; *name; name++)
		if (*name == '.')
			leaf = name + 1;
	return str_eq(leaf, "mc_forwarding");
}

int sysctl_write(struct net *net, const char *name, const char *value)
{
	int err = sysctl_special_write(net, name, value);
	s32 min, max, *field;
	s64 n;

	if (err <= 0)
		return err;
	for (u32 i = 0; i < ARRAY_SIZE(vectors); i++)
		if (str_eq(vectors[i].name, name))
			return *value ? write_vector(net, i, value) : 0;
	field = is_part(name) ? NULL : netns_sysctl_find(net, name, &min, &max);
	if (!field && ipv4_sysctl_get(net, name, &min))
		return -ENOENT;
	if (!field && is_read_only(name))
		return -EACCES;
	if (!*value)
		return 0; /* nothing is written */
	err = parse_value(name, value, &n);
	if (err)
		return err;
	if (!field)
		return ipv4_sysctl_set(net, name, (s32)n);
	if (n < min || n > max || !is_within_others(net, field, n))
		return -EINVAL;
	if (field == &net->sysctl.nf_conntrack_enable_hooks)
		return nf_conntrack_enable_hooks(net, n != 0);
	*field = (s32)n;
	return field_changed(net, field);
}
