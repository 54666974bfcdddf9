/* SPDX-License-Identifier: MIT */
/*
 * The host's side of IGMP (net/ipv4/igmp.c): a group that is joined or left is reported, queries
 * are answered after a random time. Version 3 (RFC 3376) unless a router speaks an older one: then
 * as that (RFC 2236, RFC 1112 appendix I) until none was heard for 260 s.
 *
 * Invariants: 224.0.0.1 is never reported; timers run only while the device is up; `igmp` of an
 * interface is made with the first group that is reported.
 */
#include "ipv4/igmp.h"

#include "ipv4/ip_send.h"
#include "kernel/random.h"
#include "lib/checksum.h"
#include "wire/ip4.h"

#define IGMP_ALL_HOSTS	   htonl(0xe0000001u)
#define IGMP_ALL_ROUTER	   htonl(0xe0000002u)
#define IGMPV3_ALL_MCR	   htonl(0xe0000016u)
#define IGMP_OLDER_PRESENT (260u * HZ) /* robustness * query interval + response interval */
#define IGMP_V1_RESPONSE   (10u * HZ)
#define RECORD_LEN	   8u

enum { MODE_IS_EXCLUDE = 2, CHANGE_TO_INCLUDE = 3, CHANGE_TO_EXCLUDE = 4 };

/* A group that was left, and is told so. */
struct igmp_left {
	struct igmp_left *next;
	be32 multiaddr;
	u32 crcount;
};

struct igmp_state {
	struct in_device *in_dev;
	u64 v1_seen, v2_seen; /* jiffies until which an older router is taken to be there; 0 */
	struct timer ifc_timer, gq_timer; /* changes, answers to general queries */
	u32 ifc_count, qrv;
	struct igmp_left *left;
};

static u64 now_of(const struct in_device *in_dev)
{
	return jiffies(dev_host(in_dev->dev));
}

static bool is_forced(const struct in_device *in_dev, s32 version)
{
	return ipv4_devconf_all(dev_net(in_dev->dev), IPV4_DEVCONF_FORCE_IGMP_VERSION) == version ||
	       in_dev->cnf.data[IPV4_DEVCONF_FORCE_IGMP_VERSION] == version;
}

u32 igmp_version(const struct in_device *in_dev)
{
	const struct igmp_state *s = in_dev->igmp;

	if (is_forced(in_dev, 1) || (s && s->v1_seen && now_of(in_dev) < s->v1_seen))
		return 1;
	return is_forced(in_dev, 2) || (s && s->v2_seen && now_of(in_dev) < s->v2_seen) ? 2 : 3;
}

/* Between 2 and max + 1 jiffies from now. */
static void start_timer(struct in_device *in_dev, struct timer *t, u32 max)
{
	u32 delay = max ? get_random_u32_below(in_dev->dev->world, RANDOM_IGMP, max) : 0;

	mod_timer(t, now_of(in_dev) + delay + 2);
}

static u32 unsolicited_interval(const struct in_device *in_dev)
{
	s32 ms = in_dev->cnf.data[igmp_version(in_dev) < 3 ?
					  IPV4_DEVCONF_IGMPV2_UNSOLICITED_REPORT_INTERVAL :
					  IPV4_DEVCONF_IGMPV3_UNSOLICITED_REPORT_INTERVAL];

	return ms < 1 ? 1 : (u32)ms;
}

/* ---- packets ---- */

/* IP with Router Alert, TTL 1 (RFC 2236 2, RFC 3376 4), and `len` bytes of IGMP, zeroed. */
static struct sk_buff *igmp_packet(struct in_device *in_dev, be32 daddr, u32 len, u8 **body)
{
	struct net_device *dev = in_dev->dev;
	struct net *net = dev_net(dev);
	struct flowi4 fl4 = { .oif = dev->ifindex, .daddr = daddr, .proto = IPPROTO_IGMP };
	u32 room = ll_reserved_space(dev);
	struct rtable *rt;
	struct sk_buff *skb;
	u8 *iph;
	int err;

	rt = ip_route_output_key(net, &fl4, &err);
	if (!rt)
		return NULL;
	skb = alloc_skb(dev->world, room + IP4_HLEN + 4 + len);
	if (!skb) {
		dst_release(&rt->dst);
		return NULL;
	}
	skb_reserve(skb, room);
	skb->dev = dev;
	skb->net = net;
	skb->priority = 7; /* TC_PRIO_CONTROL */
	skb->protocol = htons(ETH_P_IP);
	skb_dst_set(skb, &rt->dst);
	iph = skb_put(skb, IP4_HLEN + 4);
	skb_reset_network_header(skb);
	ip4_build(iph, &(struct ip4_hdr){ .ihl = IP4_HLEN + 4,
					  .tos = 0xc0,
					  .frag = IP4_DF,
					  .ttl = 1,
					  .protocol = IPPROTO_IGMP,
					  .saddr = fl4.saddr,
					  .daddr = daddr });
	iph[IP4_HLEN] = IPOPT_RA;
	iph[IP4_HLEN + 1] = 4;
	iph[IP4_HLEN + 2] = 0;
	iph[IP4_HLEN + 3] = 0;
	*body = skb_put(skb, len);
	memset(*body, 0, len);
	memset(IPCB(skb), 0, sizeof(struct inet_skb_parm));
	IPCB(skb)->opt.optlen = 4;
	ip_select_ident_key(net, iph, 1);
	return skb;
}

static void igmp_send(struct sk_buff *skb, u8 *body)
{
	struct net *net = skb->net;
	u32 len = (u32)(skb_tail_pointer(skb) - body);

	store_be16(body + 2, csum_fold(csum_partial(body, len, 0)));
	ip_local_out(net, NULL, skb);
}

/* Versions 1 and 2. */
static void send_report(struct in_device *in_dev, be32 group, u8 type)
{
	struct sk_buff *skb;
	u8 *body;

	skb = igmp_packet(in_dev, type == IGMP_HOST_LEAVE_MESSAGE ? IGMP_ALL_ROUTER : group,
			  IGMP_HLEN, &body);
	if (!skb)
		return;
	body[0] = type;
	store_be32(body + 4, group);
	igmp_send(skb, body);
}

/* A version 3 report under construction: the packet is made with the first record. */
struct v3_report {
	struct in_device *in_dev;
	struct sk_buff *skb;
	u8 *body;
	u32 records, room;
};

static void v3_flush(struct v3_report *r)
{
	if (!r->skb)
		return;
	put_be16(r->body + 6, (u16)r->records);
	pskb_trim(r->skb, IP4_HLEN + 4 + IGMP_HLEN + r->records * RECORD_LEN);
	igmp_send(r->skb, r->body);
	r->skb = NULL;
	r->records = 0;
}

static void v3_record(struct v3_report *r, u8 type, be32 group)
{
	u8 *p;

	if (r->skb && r->records == r->room)
		v3_flush(r);
	if (!r->skb) {
		r->room =
			(max_u32(r->in_dev->dev->mtu, 576) - IP4_HLEN - 4 - IGMP_HLEN) / RECORD_LEN;
		r->skb = igmp_packet(r->in_dev, IGMPV3_ALL_MCR, IGMP_HLEN + r->room * RECORD_LEN,
				     &r->body);
		if (!r->skb)
			return;
		r->body[0] = IGMPV3_HOST_MEMBERSHIP_REPORT;
	}
	p = r->body + IGMP_HLEN + r->records++ * RECORD_LEN;
	p[0] = type;
	store_be32(p + 4, group);
}

/* Groups of 224.0.0.0/24 only with net.ipv4.igmp_link_local_mcast_reports. */
static bool reported(const struct ip_mc_list *im)
{
	bool local = (im->multiaddr & htonl(0xffffff00u)) == htonl(0xe0000000u);

	if (im->multiaddr == IGMP_ALL_HOSTS)
		return false;
	return !local || dev_net(im->in_dev->dev)->sysctl.igmp_link_local_mcast_reports;
}

/* ---- timers ---- */

/* Changes that were not told often enough (igmpv3_send_cr). */
static void ifc_expire(struct timer *t)
{
	struct igmp_state *s = container_of(t, struct igmp_state, ifc_timer);
	struct in_device *in_dev = s->in_dev;
	struct v3_report r = { .in_dev = in_dev };
	struct igmp_left **p = &s->left;

	while (*p) {
		struct igmp_left *l = *p;

		v3_record(&r, CHANGE_TO_INCLUDE, l->multiaddr);
		if (--l->crcount) {
			p = &l->next;
			continue;
		}
		*p = l->next;
		mem_free(in_dev->dev->world, MEM_MC_LIST, l, sizeof(*l));
	}
	for (struct ip_mc_list *im = in_dev->mc_list; im; im = im->next) {
		if (!im->crcount)
			continue;
		im->crcount--;
		v3_record(&r, CHANGE_TO_EXCLUDE, im->multiaddr);
	}
	v3_flush(&r);
	if (!s->ifc_count)
		return;
	s->ifc_count--;
	start_timer(in_dev, &s->ifc_timer, unsolicited_interval(in_dev));
}

static void ifc_event(struct in_device *in_dev)
{
	struct igmp_state *s = in_dev->igmp;

	s->ifc_count = s->qrv;
	start_timer(in_dev, &s->ifc_timer, 1);
}

/* The answer to a general query. */
static void gq_expire(struct timer *t)
{
	struct igmp_state *s = container_of(t, struct igmp_state, gq_timer);
	struct v3_report r = { .in_dev = s->in_dev };

	for (struct ip_mc_list *im = s->in_dev->mc_list; im; im = im->next)
		if (reported(im))
			v3_record(&r, MODE_IS_EXCLUDE, im->multiaddr);
	v3_flush(&r);
}

static void group_expire(struct timer *t)
{
	struct ip_mc_list *im = container_of(t, struct ip_mc_list, timer);
	struct in_device *in_dev = im->in_dev;
	struct v3_report r = { .in_dev = in_dev };
	u32 version = igmp_version(in_dev);

	if (im->unsolicit_count && --im->unsolicit_count)
		start_timer(in_dev, t, unsolicited_interval(in_dev));
	im->reporter = true;
	if (version == 3) {
		v3_record(&r, MODE_IS_EXCLUDE, im->multiaddr);
		v3_flush(&r);
	} else {
		send_report(in_dev, im->multiaddr,
			    version == 1 ? IGMP_HOST_MEMBERSHIP_REPORT :
					   IGMPV2_HOST_MEMBERSHIP_REPORT);
	}
}

/* ---- groups come and go ---- */

static bool speaks(const struct in_device *in_dev)
{
	return !in_dev->dead && netif_running(in_dev->dev) && in_dev->dev->flags & IFF_MULTICAST;
}

/* False: no memory, and the group is not reported. */
static bool state_make(struct in_device *in_dev)
{
	struct cpu *cpu = host_cpu(dev_host(in_dev->dev), 0);
	struct igmp_state *s = in_dev->igmp;

	if (s)
		return true;
	s = mem_zalloc(in_dev->dev->world, MEM_MISC, sizeof(*s));
	if (!s)
		return false;
	s->in_dev = in_dev;
	s->qrv = (u32)dev_net(in_dev->dev)->sysctl.igmp_qrv;
	timer_setup(&s->ifc_timer, cpu, ifc_expire);
	timer_setup(&s->gq_timer, cpu, gq_expire);
	in_dev->igmp = s;
	return true;
}

void igmp_group_init(struct in_device *in_dev, struct ip_mc_list *im)
{
	im->in_dev = in_dev;
	im->crcount = im->unsolicit_count = 0;
	im->reporter = false;
	timer_setup(&im->timer, host_cpu(dev_host(in_dev->dev), 0), group_expire);
}

void igmp_group_added(struct ip_mc_list *im)
{
	struct in_device *in_dev = im->in_dev;

	if (!reported(im) || !speaks(in_dev) || !state_make(in_dev))
		return;
	if (igmp_version(in_dev) < 3) {
		im->unsolicit_count = (u8)in_dev->igmp->qrv;
		start_timer(in_dev, &im->timer, 1);
		return;
	}
	im->crcount = (u8)in_dev->igmp->qrv;
	ifc_event(in_dev);
}

static void tell_left(struct in_device *in_dev, be32 group)
{
	struct igmp_state *s = in_dev->igmp;
	struct igmp_left *l = mem_alloc(in_dev->dev->world, MEM_MC_LIST, sizeof(*l));

	if (!l)
		return;
	*l = (struct igmp_left){ .next = s->left, .multiaddr = group, .crcount = s->qrv };
	s->left = l;
	ifc_event(in_dev);
}

void igmp_group_dropped(struct ip_mc_list *im)
{
	struct in_device *in_dev = im->in_dev;

	if (im->multiaddr == IGMP_ALL_HOSTS)
		return;
	del_timer(&im->timer);
	if (!reported(im) || !in_dev->igmp || !speaks(in_dev))
		return;
	if (igmp_version(in_dev) == 3)
		tell_left(in_dev, im->multiaddr);
	else if (igmp_version(in_dev) == 2 && im->reporter)
		send_report(in_dev, im->multiaddr, IGMP_HOST_LEAVE_MESSAGE);
}

static void left_clear(struct in_device *in_dev)
{
	struct igmp_state *s = in_dev->igmp;

	while (s->left) {
		struct igmp_left *l = s->left;

		s->left = l->next;
		mem_free(in_dev->dev->world, MEM_MC_LIST, l, sizeof(*l));
	}
}

void igmp_up(struct in_device *in_dev)
{
	for (struct ip_mc_list *im = in_dev->mc_list; im; im = im->next)
		igmp_group_added(im);
}

void igmp_down(struct in_device *in_dev)
{
	struct igmp_state *s = in_dev->igmp;

	for (struct ip_mc_list *im = in_dev->mc_list; im; im = im->next)
		if (reported(im))
			del_timer(&im->timer);
	if (!s)
		return;
	del_timer(&s->ifc_timer);
	del_timer(&s->gq_timer);
	s->ifc_count = 0;
	s->v1_seen = s->v2_seen = 0;
	left_clear(in_dev);
}

void igmp_destroy(struct in_device *in_dev)
{
	igmp_down(in_dev);
	if (in_dev->igmp)
		mem_free(in_dev->dev->world, MEM_MISC, in_dev->igmp, sizeof(*in_dev->igmp));
	in_dev->igmp = NULL;
}

/* ---- what routers and others say ---- */

/* A floating point number of 4 and 3 bits (RFC 3376 4.1.1). */
static u32 v3_code(u8 code)
{
	return code < 128 ? code : ((code & 15u) | 16u) << ((code >> 4 & 7u) + 3);
}

/* The longest delay of an answer; 0: none is due, or it is under way. */
static u32 query_delay(struct in_device *in_dev, const u8 *p, u32 len, be32 *group)
{
	struct igmp_state *s = in_dev->igmp;
	u64 until = now_of(in_dev) + IGMP_OLDER_PRESENT;

	*group = load_be32(p + 4);
	if (len == IGMP_HLEN) {
		u32 delay = p[1] * (HZ / 10);

		if (!p[1]) {
			s->v1_seen = until;
			*group = 0;
			delay = IGMP_V1_RESPONSE;
		} else {
			s->v2_seen = until;
		}
		/* What version 3 was about to tell is not understood. */
		s->ifc_count = 0;
		del_timer(&s->ifc_timer);
		left_clear(in_dev);
		return delay;
	}
	if (len < 12)
		return 0;
	if (igmp_version(in_dev) == 1)
		return IGMP_V1_RESPONSE;
	if (igmp_version(in_dev) == 2)
		return max_u32(p[1] * (HZ / 10), 1);
	s->qrv = p[8] & 7 ? p[8] & 7 : (u32)dev_net(in_dev->dev)->sysctl.igmp_qrv;
	if (*group)
		return max_u32(v3_code(p[1]) * (HZ / 10), 1);
	if (!get_be16(p + 10))
		start_timer(in_dev, &s->gq_timer, max_u32(v3_code(p[1]) * (HZ / 10), 1));
	return 0;
}

void igmp_heard_query(struct in_device *in_dev, const u8 *p, u32 len)
{
	be32 group;
	u32 delay;

	/* Which version the router speaks, and how often, counts for what is joined later, too. */
	if (!speaks(in_dev) || !state_make(in_dev))
		return;
	delay = query_delay(in_dev, p, len, &group);
	for (struct ip_mc_list *im = in_dev->mc_list; delay && im; im = im->next) {
		if (!reported(im) || (group && group != im->multiaddr))
			continue;
		im->unsolicit_count = 0;
		/* One that answers sooner stays (RFC 2236 3). */
		if (!timer_pending(&im->timer) ||
		    im->timer.event.time > in_dev->dev->world->now + delay * JIFFY_NS)
			start_timer(in_dev, &im->timer, delay);
	}
}

/* RFC 2236 3: one member that answers is enough. */
void igmp_heard_report(struct in_device *in_dev, be32 group)
{
	for (struct ip_mc_list *im = in_dev->mc_list; im; im = im->next) {
		if (im->multiaddr != group || !reported(im))
			continue;
		del_timer(&im->timer);
		im->reporter = false;
		im->unsolicit_count = 0;
	}
}
