/* SPDX-License-Identifier: MIT */
/* Text of views (seq_file.h), and proc_read() of stack/counters.h. */
#include "proc/seq_file.h"

#include "core/sock.h"
#include "lib/bytes.h"
#include "lib/str.h"
#include "stack/counters.h"
#include "stack/errno.h"
#include "stack/socket.h"

void seq_putc(struct seq_file *m, char c)
{
	if (m->len + 1 < m->cap)
		m->out[m->len] = c;
	m->len++;
}

void seq_puts(struct seq_file *m, const char *s)
{
	while (*s)
		seq_putc(m, *s++);
}

void seq_u64(struct seq_file *m, u64 v, u32 width)
{
	char digits[20];
	u32 n = 0;

	do {
		digits[n++] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	for (u32 i = n; i < width; i++)
		seq_putc(m, ' ');
	while (n)
		seq_putc(m, digits[--n]);
}

void seq_hex(struct seq_file *m, u64 v, u32 width, bool upper)
{
	const char *set = upper ? "0123456789ABCDEF" : "0123456789abcdef";
	u32 n = 1;

	while (n < 16 && v >> (4 * n))
		n++;
	for (n = max_u32(n, width); n-- > 0;)
		seq_putc(m, n >= 16 ? '0' : set[v >> (4 * n) & 15]);
}

void seq_pad(struct seq_file *m, u32 width)
{
	while (m->len - m->line < width)
		seq_putc(m, ' ');
}

void seq_str_right(struct seq_file *m, const char *s, u32 width)
{
	for (u32 i = (u32)str_len(s); i < width; i++)
		seq_putc(m, ' ');
	seq_puts(m, s);
}

void seq_str_left(struct seq_file *m, const char *s, u32 width)
{
	seq_puts(m, s);
	for (u32 i = (u32)str_len(s); i < width; i++)
		seq_putc(m, ' ');
}

void seq_addr(struct seq_file *m, be32 addr)
{
	u8 b[4];

	store_be32(b, addr);
	seq_hex(m, get_le32(b), 8, true);
}

void seq_mac(struct seq_file *m, const u8 *addr)
{
	for (u32 i = 0; i < 6; i++) {
		if (i)
			seq_putc(m, ':');
		seq_hex(m, addr[i], 2, false);
	}
}

void seq_ip4(struct seq_file *m, be32 addr)
{
	u8 b[4];

	store_be32(b, addr);
	for (u32 i = 0; i < 4; i++) {
		if (i)
			seq_putc(m, '.');
		seq_u64(m, b[i], 0);
	}
}

/* The longest run of two or more zero groups, the first of equals, becomes "::". */
void seq_ip6(struct seq_file *m, const struct inet_addr *addr)
{
	u32 best = 8, best_len = 1;
	u16 group[8];

	for (u32 i = 0; i < 8; i++)
		group[i] = (u16)(ntohl(addr->w[i / 2]) >> (i % 2 ? 0 : 16));
	for (u32 i = 0, n; i < 8; i += n + 1) {
		for (n = 0; i + n < 8 && !group[i + n]; n++)
			;
		if (n > best_len) {
			best = i;
			best_len = n;
		}
	}
	for (u32 i = 0; i < 8; i++) {
		if (i == best) {
			seq_puts(m, "::");
			i += best_len - 1;
			continue;
		}
		if (i && i != best + best_len)
			seq_putc(m, ':');
		seq_hex(m, group[i], 1, false);
	}
}

void seq_line(struct seq_file *m)
{
	seq_putc(m, '\n');
	m->line = m->len;
}

static const struct {
	const char *path;
	void (*show)(struct seq_file *m, const struct net *net);
} views[] = {
	{ "net/snmp", proc_net_snmp },
	{ "net/netstat", proc_net_netstat },
	{ "net/snmp6", proc_net_snmp6 },
	{ "net/dev", proc_net_dev },
	{ "net/arp", proc_net_arp },
	{ "net/stat/arp_cache", proc_net_stat_arp_cache },
	{ "net/route", proc_net_route },
	{ "net/tcp", proc_net_tcp },
	{ "net/udp", proc_net_udp },
	{ "net/sockstat6", proc_net_sockstat6 },
	{ "net/protocols", proc_net_protocols },
	{ "net/sockstat", proc_net_sockstat },
	{ "net/tcp6", proc_net_tcp6 },
	{ "net/softnet_stat", proc_net_softnet_stat },
	{ "net/igmp", proc_net_igmp },
	{ "net/dev_mcast", proc_net_dev_mcast },
	{ "net/packet", proc_net_packet },
	{ "net/ptype", proc_net_ptype },
	{ "interrupts", proc_interrupts },
	{ "softirqs", proc_softirqs },
	{ "inet_diag", inet_diag },
	{ "ip link", cmd_ip_link },
	{ "ip -s link", cmd_ip_s_link },
	{ "ip -s -s link", cmd_ip_s_s_link },
	{ "ip -d link", cmd_ip_d_link },
	{ "ip addr", cmd_ip_addr },
	{ "ip -s addr", cmd_ip_s_addr },
	{ "ip -s -s addr", cmd_ip_s_s_addr },
	{ "ip maddr", cmd_ip_maddr },
	{ "ip netns", cmd_ip_netns },
	{ "ip neigh", cmd_ip_neigh },
	{ "ip -s neigh", cmd_ip_s_neigh },
	{ "ip neigh show nud all", cmd_ip_neigh_all },
	{ "ip -s neigh show nud all", cmd_ip_s_neigh_all },
	{ "ip neigh show proxy", cmd_ip_neigh_proxy },
	{ "ip rule", cmd_ip_rule },
	{ "ip route", cmd_ip_route },
	{ "ip route show table local", cmd_ip_route_local },
	{ "bridge fdb", cmd_bridge_fdb },
	{ "bridge -s fdb", cmd_bridge_s_fdb },
	{ "bridge link", cmd_bridge_link },
	{ "net/nf_conntrack", proc_net_nf_conntrack },
	{ "net/stat/nf_conntrack", proc_net_stat_nf_conntrack },
};

/* Views that take an argument: what the path says behind the name. */
static const struct {
	const char *prefix;
	bool (*show)(struct seq_file *m, const struct net *net, const char *argument);
} views_of[] = {
	{ "ip link show dev ", cmd_ip_link_dev },
	{ "ip route get ", cmd_ip_route_get },
	{ "ip route show table ", cmd_ip_route_table },
	{ "conntrack ", cmd_conntrack },
	{ "iptables", cmd_iptables },
	{ "ip6tables", cmd_ip6tables },
	{ "ethtool ", cmd_ethtool },
};

static bool view_show(struct seq_file *m, const struct net *net, const char *path)
{
	for (u32 i = 0; i < ARRAY_SIZE(views); i++) {
		if (!str_eq(views[i].path, path))
			continue;
		views[i].show(m, net);
		return true;
	}
	for (u32 i = 0; i < ARRAY_SIZE(views_of); i++) {
		const char *argument = str_after(path, views_of[i].prefix);

		if (argument)
			return views_of[i].show(m, net, argument);
	}
	return proc_tc(m, net, path);
}

s32 proc_read(const struct world *w, u32 host, const char *path, char *out, u32 cap)
{
	const struct net *net = net_by_ref(w, host);
	const char *rest = str_after(path, "/proc/");
	struct seq_file m = { .out = out, .cap = cap };

	if (!net)
		return -ENOENT;
	if (rest)
		path = rest;
	if (!view_show(&m, net, path))
		return -ENOENT;
	if (cap)
		out[m.len < cap ? m.len : cap - 1] = 0;
	return (s32)m.len;
}
