/* SPDX-License-Identifier: MIT */
/*
 * Views of IPv4 and UDP: /proc/net/snmp, netstat, snmp6, arp, route, udp, in the kernel's formats
 * (net/ipv4/proc.c, arp.c, fib_trie.c, udp.c). Addresses as eight hex digits are those of a little
 * endian machine, whatever this one is.
 */
#include "core/neighbour.h"
#include "core/sock.h"
#include "ipv4/fib.h"
#include "lib/str.h"
#include "proc/seq_file.h"
#include "udp/udp.h"

/* ---- snmp, netstat ---- */

/* The rest of a counter's name when it is of that group: "IpExt" is not of "Ip". */
static const char *in_group(const char *name, const char *group)
{
	const char *rest = str_after(name, group);

	if (!rest || str_after(rest, "Ext") || str_after(rest, "6") || str_after(rest, "Msg") ||
	    str_after(rest, "Lite"))
		return NULL;
	return rest;
}

/* Two lines: names and values. `names` go before those of the MIB. */
static void mib_names(struct seq_file *m, const char *group, const char *names)
{
	seq_puts(m, group);
	seq_putc(m, ':');
	seq_puts(m, names);
	for (u32 i = 0; i < MIB_COUNT; i++) {
		const char *name = in_group(mib_name(i), group);

		if (!name)
			continue;
		seq_putc(m, ' ');
		seq_puts(m, name);
	}
	seq_line(m);
	seq_puts(m, group);
	seq_putc(m, ':');
}

static void mib_values(struct seq_file *m, const struct net *net, const char *group)
{
	for (u32 i = 0; i < MIB_COUNT; i++) {
		if (!in_group(mib_name(i), group))
			continue;
		seq_putc(m, ' ');
		seq_u64(m, net->mib[i], 0);
	}
	seq_line(m);
}

static void icmp_types(struct seq_file *m, const u64 *count, const char *name)
{
	for (u32 i = 0; i < 256; i++) {
		if (!count[i])
			continue;
		seq_putc(m, ' ');
		if (name) {
			seq_puts(m, name);
			seq_u64(m, i, 0);
		} else {
			seq_u64(m, count[i], 0);
		}
	}
}

static bool any(const u64 *count)
{
	for (u32 i = 0; i < 256; i++)
		if (count[i])
			return true;
	return false;
}

void proc_net_snmp(struct seq_file *m, const struct net *net)
{
	mib_names(m, "Ip", " Forwarding DefaultTTL");
	seq_puts(m, net->sysctl.ip_forward ? " 1 " : " 2 ");
	seq_u64(m, (u64)net->sysctl.ip_default_ttl, 0);
	mib_values(m, net, "Ip");
	mib_names(m, "Icmp", "");
	mib_values(m, net, "Icmp");
	if (any(net->icmp_in_type) || any(net->icmp_out_type)) {
		seq_puts(m, "IcmpMsg:");
		icmp_types(m, net->icmp_in_type, "InType");
		icmp_types(m, net->icmp_out_type, "OutType");
		seq_puts(m, "\nIcmpMsg:");
		icmp_types(m, net->icmp_in_type, NULL);
		icmp_types(m, net->icmp_out_type, NULL);
		seq_line(m);
	}
	mib_names(m, "Tcp", " RtoAlgorithm RtoMin RtoMax MaxConn");
	seq_puts(m, " 1 200 120000 -1");
	mib_values(m, net, "Tcp");
	mib_names(m, "Udp", "");
	mib_values(m, net, "Udp");
}

void proc_net_netstat(struct seq_file *m, const struct net *net)
{
	mib_names(m, "TcpExt", "");
	mib_values(m, net, "TcpExt");
	mib_names(m, "IpExt", "");
	mib_values(m, net, "IpExt");
}

void proc_net_snmp6(struct seq_file *m, const struct net *net)
{
	for (u32 i = MIB_Ip6InReceives; i <= MIB_Udp6MemErrors; i++) {
		seq_str_left(m, mib_name(i), 32);
		seq_putc(m, '\t');
		seq_u64(m, net->mib[i], 0);
		seq_line(m);
	}
}

/* ---- arp ---- */

static u32 put_ip(char *to, const u8 *addr)
{
	u32 n = 0;

	for (u32 i = 0; i < 4; i++) {
		u32 v = addr[i];

		if (i)
			to[n++] = '.';
		if (v >= 100)
			to[n++] = (char)('0' + v / 100);
		if (v >= 10)
			to[n++] = (char)('0' + v / 10 % 10);
		to[n++] = (char)('0' + v % 10);
	}
	to[n] = 0;
	return n;
}

/* ha NULL: a proxy's line, which has no address of its own. */
static void arp_line(struct seq_file *m, const struct net_device *dev, const u8 *key, u32 flags,
		     const u8 *ha)
{
	char ip[16];

	put_ip(ip, key);
	seq_str_left(m, ip, 16);
	seq_puts(m, " 0x");
	seq_hex(m, dev->type, 1, false);
	seq_pad(m, 29);
	seq_puts(m, "0x");
	seq_hex(m, flags, 1, false);
	seq_pad(m, 41);
	for (u32 i = 0; i < dev->addr_len; i++) {
		if (i)
			seq_putc(m, ':');
		seq_hex(m, ha ? ha[i] : 0, 2, false);
	}
	seq_pad(m, 58);
	seq_puts(m, "     *        ");
	seq_puts(m, dev->name);
	seq_line(m);
}

static void arp_neighbour(struct seq_file *m, const struct neighbour *n)
{
	u32 flags = n->nud_state & NUD_PERMANENT ? 6 : n->nud_state & NUD_VALID ? 2 : 0;

	arp_line(m, n->dev, n->primary_key, flags, n->ha);
}

void proc_net_arp(struct seq_file *m, const struct net *net)
{
	const struct neigh_table *tbl = net->host->arp_tbl;

	seq_puts(m, "IP address       HW type     Flags       HW address            Mask     "
		    "Device");
	seq_line(m);
	if (!tbl || !tbl->buckets)
		return;
	for (u32 i = 0; i < 1u << tbl->hash_bits; i++) {
		hlist_for_each(pos, &tbl->buckets[i])
		{
			const struct neighbour *n = container_of(pos, struct neighbour, hash);

			if (dev_net(n->dev) == net && !(n->nud_state & NUD_NOARP))
				arp_neighbour(m, n);
		}
	}
	list_for_each(pos, &tbl->proxies) {
		const struct pneigh_entry *p = list_entry(pos, struct pneigh_entry, list);

		if (dev_net(p->dev) == net)
			arp_line(m, p->dev, p->key, 0xc, NULL); /* ATF_PUBL, ATF_PERM */
	}
}

/* The table is the host's, and so are its counters: one line, not one a CPU. */
void proc_net_stat_arp_cache(struct seq_file *m, const struct net *net)
{
	/* What stands behind each column, as wide as its heading is (neigh_stat_seq_show). */
	static const u8 gap[] = { 1, 1, 1, 3, 1, 1, 3, 9, 9, 9, 7, 12, 0 };
	const struct neigh_table *tbl = net->host->arp_tbl;
	const struct neigh_statistics none = { 0 }, *s = tbl ? &tbl->stats : &none;
	const u64 column[] = { tbl ? tbl->entries : 0, s->allocs,	    s->destroys,
			       s->hash_grows,	       s->lookups,	    s->hits,
			       s->res_failed,	       s->rcv_probes_mcast, s->rcv_probes_ucast,
			       s->periodic_gc_runs,    s->forced_gc_runs,   s->unres_discards,
			       s->table_fulls };

	seq_puts(m, "entries  allocs   destroys hash_grows lookups  hits     res_failed "
		    "rcv_probes_mcast rcv_probes_ucast periodic_gc_runs forced_gc_runs "
		    "unresolved_discards table_fulls");
	seq_line(m);
	for (u32 i = 0; i < ARRAY_SIZE(column); i++) {
		seq_hex(m, column[i], 8, false);
		seq_str_right(m, "", gap[i]);
	}
	seq_line(m);
}

/* ---- route ---- */

static void route_line(void *ctx, u32 prefix, u32 plen, const struct fib_alias *fa)
{
	const struct fib_info *fi = fa->fi;
	struct seq_file *m = ctx;
	u32 flags = 1; /* RTF_UP, GATEWAY, HOST, REJECT */

	if (fa->type == RTN_BROADCAST || fa->type == RTN_MULTICAST)
		return;
	if (fa->type == RTN_UNREACHABLE || fa->type == RTN_PROHIBIT)
		flags |= 0x200;
	if (fi->nh.gw)
		flags |= 2;
	if (plen == 32)
		flags |= 4;
	seq_puts(m, fi->nh.dev ? fi->nh.dev->name : "*");
	seq_putc(m, '\t');
	seq_addr(m, htonl(prefix));
	seq_putc(m, '\t');
	seq_addr(m, fi->nh.gw);
	seq_putc(m, '\t');
	seq_hex(m, flags, 4, true);
	seq_puts(m, "\t0\t0\t");
	seq_u64(m, fi->priority, 0);
	seq_putc(m, '\t');
	seq_addr(m, inet_make_mask(plen));
	seq_putc(m, '\t');
	seq_u64(m, fi->metrics[RTAX_ADVMSS] ? fi->metrics[RTAX_ADVMSS] + 40 : 0, 0);
	seq_putc(m, '\t');
	seq_u64(m, fi->metrics[RTAX_WINDOW], 0);
	seq_putc(m, '\t');
	seq_u64(m, fi->metrics[RTAX_RTT] >> 3, 0);
	seq_pad(m, 127);
	seq_line(m);
}

void proc_net_route(struct seq_file *m, const struct net *net)
{
	seq_puts(m, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow"
		    "\tIRTT");
	seq_pad(m, 127);
	seq_line(m);
	if (net->fib_main)
		fib_table_walk(net->fib_main, route_line, m);
}

/* ---- udp ---- */

static void udp_line(void *ctx, const struct sock *sk)
{
	struct seq_file *m = ctx;

	seq_u64(m, sk->inet_num & 0xfff, 5);
	seq_puts(m, ": ");
	seq_addr(m, sk->inet_rcv_saddr);
	seq_putc(m, ':');
	seq_hex(m, sk->inet_num, 4, true);
	seq_putc(m, ' ');
	seq_addr(m, sk->inet_daddr);
	seq_putc(m, ':');
	seq_hex(m, sk->inet_dport, 4, true);
	seq_putc(m, ' ');
	seq_hex(m, sk->sk_state, 2, true);
	seq_putc(m, ' ');
	seq_hex(m, sk->sk_wmem_alloc, 8, true);
	seq_putc(m, ':');
	seq_hex(m, sk->sk_rmem_alloc, 8, true);
	seq_puts(m, " 00:00000000 00000000     0        0 0 ");
	seq_u64(m, sk->refcnt + 1, 0);
	seq_puts(m, " 0000000000000000 ");
	seq_u64(m, sk->sk_drops, 0);
	seq_pad(m, 127);
	seq_line(m);
}

void proc_net_udp(struct seq_file *m, const struct net *net)
{
	seq_puts(m,
		 "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		 "uid  timeout inode ref pointer drops");
	seq_pad(m, 127);
	seq_line(m);
	udp_table_walk(net, udp_line, m);
}
