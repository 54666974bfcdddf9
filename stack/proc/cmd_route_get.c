/* SPDX-License-Identifier: MIT */
/*
 * `ip route get ADDR [from A] [iif DEV] [oif DEV] [mark N] [tos N] [ipproto P] [sport N] [dport N]
 * [fibmatch]`: the decision that a packet would meet, asked of the same functions
 * (net/ipv4/route.c: inet_rtm_getroute; ip/iproute.c of iproute2 prints it).
 */
#include "ipv4/ip.h"
#include "ipv4/netns_ipv4.h"
#include "lib/addr_text.h"
#include "lib/str.h"
#include "proc/cmd_route.h"

#define WORD_MAX 40u

struct get_request {
	struct net *net;
	struct flowi4 fl4;
	struct net_device *iif; /* NULL: a packet of ours */
	bool from, fibmatch;
	char no_device[WORD_MAX]; /* a device that was named and is not there */
};

/* ---- the request ---- */

static bool next_word(const char **s, char word[WORD_MAX])
{
	u32 n = 0;

	while (**s == ' ')
		++*s;
	for (; **s && **s != ' ' && n + 1 < WORD_MAX; ++*s)
		word[n++] = **s;
	word[n] = 0;
	return n && (!**s || **s == ' ');
}

/* A dotted quad, perhaps with "/32" behind it. */
static bool parse_ip4(const char *s, be32 *addr)
{
	u32 len = (u32)str_len(s);
	char host[WORD_MAX];
	u8 bytes[4];

	str_copy_n(host, sizeof(host), s, len > 3 && str_eq(s + len - 3, "/32") ? len - 3 : len);
	if (!ip4_from_text(host, bytes))
		return false;
	*addr = load_be32(bytes);
	return true;
}

static bool parse_number(const char *s, u32 max, u32 *value)
{
	s64 n;

	if (!str_to_s64(s, &n) || n < 0 || n > max)
		return false;
	*value = (u32)n;
	return true;
}

static bool parse_proto(const char *s, u8 *proto)
{
	u32 number = 0;

	if (str_eq(s, "tcp"))
		number = IPPROTO_TCP;
	else if (str_eq(s, "udp"))
		number = IPPROTO_UDP;
	else if (str_eq(s, "icmp"))
		number = IPPROTO_ICMP;
	else if (!parse_number(s, 255, &number))
		return false;
	*proto = (u8)number;
	return true;
}

static struct net_device *parse_device(struct get_request *r, const char *name)
{
	struct net_device *dev = dev_get_by_name(r->net, name);

	if (!dev)
		str_copy(r->no_device, name, sizeof(r->no_device));
	return dev;
}

/* `value` of the option `word`. False: there is no such option, or no such value. */
static bool parse_option(struct get_request *r, const char *word, const char *value)
{
	u32 number = 0;

	if (str_eq(word, "from")) {
		r->from = true;
		return parse_ip4(value, &r->fl4.saddr);
	}
	if (str_eq(word, "iif")) {
		r->iif = parse_device(r, value);
	} else if (str_eq(word, "oif") || str_eq(word, "dev")) {
		const struct net_device *oif = parse_device(r, value);

		r->fl4.oif = oif ? oif->ifindex : 0;
	} else if (str_eq(word, "mark")) {
		return parse_number(value, UINT32_MAX, &r->fl4.mark);
	} else if (str_eq(word, "ipproto")) {
		return parse_proto(value, &r->fl4.proto);
	} else {
		bool tos = str_eq(word, "tos") || str_eq(word, "dsfield");

		if (!tos && !str_eq(word, "sport") && !str_eq(word, "dport"))
			return false;
		if (!parse_number(value, tos ? 255 : 65535, &number))
			return false;
		if (tos)
			r->fl4.tos = (u8)number;
		else if (word[0] == 's')
			r->fl4.sport = (u16)number;
		else
			r->fl4.dport = (u16)number;
	}
	return true;
}

static bool parse_request(struct get_request *r, const char *argument)
{
	char word[WORD_MAX], value[WORD_MAX];

	if (!next_word(&argument, word) || !parse_ip4(word, &r->fl4.daddr))
		return false;
	while (next_word(&argument, word)) {
		if (str_eq(word, "fibmatch"))
			r->fibmatch = true;
		else if (!next_word(&argument, value) || !parse_option(r, word, value))
			return false;
	}
	return !*argument;
}

/* ---- the decision ---- */

/* inet_rtm_getroute_build_skb(): a header is all that routing looks at. */
static struct sk_buff *getroute_skb(const struct get_request *r)
{
	struct sk_buff *skb = alloc_skb(net_world(r->net), IP4_HLEN + 8);
	u8 *iph;

	if (!skb)
		return NULL;
	iph = skb_put(skb, IP4_HLEN + 8);
	memset(iph, 0, IP4_HLEN + 8);
	skb->network_header = (u16)(iph - skb->head);
	skb->protocol = htons(ETH_P_IP);
	skb->dev = r->iif;
	skb->mark = r->fl4.mark;
	iph[0] = 0x45;
	put_be16(iph + 2, IP4_HLEN + 8);
	iph[9] = r->fl4.proto ? r->fl4.proto : IPPROTO_UDP;
	store_be32(iph + 12, r->fl4.saddr);
	store_be32(iph + 16, r->fl4.daddr);
	put_be16(iph + IP4_HLEN, r->fl4.sport);
	put_be16(iph + IP4_HLEN + 2, r->fl4.dport);
	return skb;
}

/* A reference to the route of a packet that comes in by r->iif; *flags: RTCF_* of this packet. */
static struct rtable *input_route(struct get_request *r, struct fib_result *res, u32 *flags,
				  int *err)
{
	struct sk_buff *skb = getroute_skb(r);
	enum skb_drop_reason reason;
	struct rtable *rt = NULL;

	*err = -ENOBUFS;
	if (!skb)
		return NULL;
	*err = ip_route_input(skb, r->fl4.daddr, r->fl4.saddr, r->fl4.tos, r->iif, &reason);
	if (!*err)
		*err = skb_rtable(skb)->dst.error;
	if (!*err) {
		rt = skb_rtable(skb);
		dst_hold(&rt->dst);
		*flags = rt->rt_flags | (IPCB(skb)->flags & IPSKB_DOREDIRECT ? RTCF_DOREDIRECT : 0);
		r->fl4.iif = r->iif->ifindex;
		if (ipv4_is_multicast(r->fl4.daddr) || fib_lookup(r->net, &r->fl4, res))
			res->tb = NULL;
	}
	consume_skb(skb);
	return rt;
}

/* ---- as it is shown ---- */

static const char *lookup_error(int err)
{
	switch (err) {
	case -EHOSTUNREACH:
		return "RTNETLINK answers: No route to host\n";
	case -EACCES:
		return "RTNETLINK answers: Permission denied\n";
	case -EINVAL:
	case -EXDEV: /* the kernel tells a drop reason apart, a user none */
		return "RTNETLINK answers: Invalid argument\n";
	case -ENODEV:
		return "RTNETLINK answers: No such device\n";
	case -ENOBUFS:
		return "RTNETLINK answers: No buffer space available\n";
	default:
		return "RTNETLINK answers: Network is unreachable\n";
	}
}

static void put_named_ip4(struct seq_file *m, const char *name, be32 addr)
{
	seq_puts(m, name);
	seq_ip4(m, addr);
	seq_putc(m, ' ');
}

/* print_cache_flags() */
static void put_cache_flags(struct seq_file *m, u32 flags)
{
	static const struct {
		u32 flag;
		const char *name;
	} names[] = { { RTCF_LOCAL, "local" },
		      { RTCF_MULTICAST, "mc" },
		      { RTCF_BROADCAST, "brd" },
		      { RTCF_REDIRECTED, "redirected" },
		      { RTCF_DOREDIRECT, "redirect" } };
	char before = '<';

	seq_puts(m, "    cache ");
	for (u32 i = 0; i < ARRAY_SIZE(names); i++) {
		if (!(flags & names[i].flag))
			continue;
		seq_putc(m, before);
		seq_puts(m, names[i].name);
		before = ',';
	}
	if (before == ',')
		seq_puts(m, "> ");
}

static void put_cache(struct seq_file *m, const struct get_request *r, const struct rtable *rt,
		      u32 flags)
{
	u64 now = net_world(r->net)->now, left = rt->dst.expires > now ? rt->dst.expires - now : 0;
	u32 metrics[RTAX_MAX] = { 0 };

	put_cache_flags(m, flags);
	if (rt->dst.metrics)
		memcpy(metrics, rt->dst.metrics, sizeof(metrics));
	if (left && rt->rt_pmtu)
		metrics[RTAX_MTU] = rt->rt_pmtu;
	if (left && rt->rt_mtu_locked)
		metrics[RTAX_LOCK] |= 1u << RTAX_MTU;
	if (left) {
		seq_puts(m, "expires ");
		seq_u64(m, left / 1000000000u, 0);
		seq_puts(m, "sec ");
	}
	put_route_metrics(m, metrics);
	if (r->iif) {
		seq_puts(m, "iif ");
		seq_puts(m, r->iif->name);
		seq_putc(m, ' ');
	}
	seq_line(m);
}

/* What only a packet of ours has. */
static void put_output(struct seq_file *m, const struct get_request *r, const struct rtable *rt,
		       be32 saddr)
{
	if (saddr != r->fl4.saddr)
		put_named_ip4(m, "src ", saddr);
	if (rt->rt_flags & RTCF_MULTICAST) /* the flag has RTM_F_OFFLOAD_FAILED's bit */
		seq_puts(m, "rt_offload_failed ");
	if (r->fl4.mark) {
		seq_puts(m, r->fl4.mark >= 16 ? "mark 0x" : "mark ");
		seq_hex(m, r->fl4.mark, 0, false);
		seq_putc(m, ' ');
	}
	seq_puts(m, "uid 0 ");
}

/* Until there are rules of the user's, the kernel keeps local's routes in main's table. */
static u32 shown_table(const struct net *net, const struct fib_result *res)
{
	if (!res->tb || (res->tb == net->fib_local && !net_ipv4(net)->rules_set))
		return RT_TABLE_MAIN;
	return res->tb->id;
}

/* The route that the lookup found; NULL: none. */
static const struct fib_alias *matched_alias(const struct fib_result *res)
{
	const struct fib_alias *fa = res->tb ? res->aliases : NULL;

	while (fa && fa->fi != res->fi)
		fa = fa->next;
	return fa;
}

static void put_decision(struct seq_file *m, const struct get_request *r, const struct rtable *rt,
			 const struct fib_result *res, u32 flags, be32 saddr)
{
	u32 table = shown_table(r->net, res);

	put_route_type(m, rt->rt_type);
	put_named_ip4(m, "", r->fl4.daddr);
	if (r->from)
		put_named_ip4(m, "from ", r->fl4.saddr);
	if (res->tb && res->tos) { /* the route's that was found */
		seq_puts(m, "tos 0x");
		seq_hex(m, res->tos, 2, false);
		seq_putc(m, ' ');
	}
	if (rt->rt_uses_gateway)
		put_named_ip4(m, "via ", rt->rt_gw4);
	seq_puts(m, "dev ");
	seq_puts(m, rt->dst.dev->name);
	seq_putc(m, ' ');
	if (table != RT_TABLE_MAIN) {
		seq_puts(m, "table ");
		put_route_table(m, table);
		seq_putc(m, ' ');
	}
	if (!r->iif)
		put_output(m, r, rt, saddr);
	else if (rt->rt_flags & RTCF_MULTICAST)
		seq_puts(m, "rt_offload_failed ");
	seq_line(m);
	put_cache(m, r, rt, flags);
}

static void put_match(struct seq_file *m, const struct fib_result *res)
{
	const struct fib_alias *fa = matched_alias(res);
	struct shown_routes c = { .m = m };

	if (fa)
		put_route(&c, res->prefix, res->prefixlen, fa);
	else
		seq_puts(m, lookup_error(-EHOSTUNREACH));
}

bool cmd_ip_route_get(struct seq_file *m, const struct net *net, const char *argument)
{
	struct get_request r = { .net = net_ipv4(net)->net };
	struct fib_result res = { 0 };
	struct rtable *rt;
	struct flowi4 fl4;
	u32 flags;
	int err;

	if (!parse_request(&r, argument))
		return false;
	if (r.no_device[0]) {
		seq_puts(m, "Cannot find device \"");
		seq_puts(m, r.no_device);
		seq_puts(m, "\"\n");
		return true;
	}
	fl4 = r.fl4;
	if (r.iif) {
		rt = input_route(&r, &res, &flags, &err);
	} else {
		rt = ip_route_output_key_hash(r.net, &fl4, &res, &err);
		flags = rt ? rt->rt_flags : 0;
	}
	if (!rt) {
		seq_puts(m, lookup_error(err));
		return true;
	}
	if (r.fibmatch)
		put_match(m, &res);
	else
		put_decision(m, &r, rt, &res, flags, fl4.saddr);
	dst_release(&rt->dst);
	return true;
}
