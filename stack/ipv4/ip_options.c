/* SPDX-License-Identifier: MIT */
/*
 * IPv4 options (net/ipv4/ip_options.c; RFC 791 3.1, RFC 1122 3.2.1.8): checking those that arrive
 * and filling in what this host must, those of an answer, those of a socket.
 *
 * Offsets in struct ip_options count from the start of the header (options begin at 20), also for
 * options that stand in a buffer of their own.
 */
#include "ipv4/ip.h"

#include "ipv4/devinet.h"
#include "ipv4/fib.h"
#include "ipv4/ip_options.h"

#define MSEC_PER_DAY 86400000u

be32 inet_current_timestamp(const struct net *net)
{
	return htonl((u32)(net_world(net)->now / NSEC_PER_MSEC % MSEC_PER_DAY));
}

/* What is being compiled: options at p, whose first byte has offset 20. */
struct compile {
	struct net *net;
	struct ip_options *opt;
	struct sk_buff *skb; /* NULL: a socket's */
	u8 *base; /* where the header would begin */
	u32 spec_dst_known;
	be32 spec_dst;
};

static be32 spec_dst(struct compile *c)
{
	if (!c->spec_dst_known) {
		c->spec_dst = fib_compute_spec_dst(c->skb);
		c->spec_dst_known = 1;
	}
	return c->spec_dst;
}

/* Loose and strict source route. Returns 0, or the offset in the option that is wrong, plus 1. */
static u32 compile_srr(struct compile *c, u8 *o, u32 at)
{
	struct ip_options *opt = c->opt;
	u32 optlen = o[1];

	if (optlen < 3)
		return 2;
	if (o[2] < 4)
		return 3;
	if (opt->srr) /* RFC 1122 3.2.1.8 (c): one at most */
		return 1;
	if (!c->skb) {
		if (o[2] != 4 || optlen < 7 || (optlen - 3) & 3)
			return 2;
		opt->faddr = load_be32(o + 3);
		if (optlen > 7)
			memmove(o + 3, o + 7, optlen - 7);
	}
	opt->is_strictroute = o[0] == IPOPT_SSRR;
	opt->srr = (u8)at;
	return 0;
}

static u32 compile_rr(struct compile *c, u8 *o, u32 at)
{
	struct ip_options *opt = c->opt;
	u32 optlen = o[1];

	if (opt->rr)
		return 1;
	if (optlen < 3)
		return 2;
	if (o[2] < 4)
		return 3;
	if (o[2] <= optlen) {
		if (o[2] + 3u > optlen)
			return 3;
		if (c->skb && skb_rtable(c->skb)) {
			store_be32(o + o[2] - 1, spec_dst(c));
			opt->is_changed = 1;
		}
		o[2] = (u8)(o[2] + 4);
		opt->rr_needaddr = 1;
	}
	opt->rr = (u8)at;
	return 0;
}

/* Room in a time stamp option: writes what its flag asks for. 0, or wrong offset plus 1. */
static u32 compile_ts_room(struct compile *c, u8 *o)
{
	struct ip_options *opt = c->opt;
	u32 optlen = o[1], ptr = o[2];
	u8 *time = NULL;

	switch (o[3] & 15) {
	case IPOPT_TS_TSONLY:
		if (c->skb)
			time = o + ptr - 1;
		opt->ts_needtime = 1;
		o[2] = (u8)(ptr + 4);
		break;
	case IPOPT_TS_TSANDADDR:
		if (ptr + 7 > optlen)
			return 3;
		if (c->skb && skb_rtable(c->skb)) {
			store_be32(o + ptr - 1, spec_dst(c));
			time = o + ptr + 3;
		}
		opt->ts_needaddr = 1;
		opt->ts_needtime = 1;
		o[2] = (u8)(ptr + 8);
		break;
	case IPOPT_TS_PRESPEC:
		if (ptr + 7 > optlen)
			return 3;
		if (inet_addr_type(c->net, load_be32(o + ptr - 1)) == RTN_UNICAST)
			return 0; /* another host's place */
		if (c->skb)
			time = o + ptr + 3;
		opt->ts_needtime = 1;
		o[2] = (u8)(ptr + 8);
		break;
	default: /* of a packet as it is (Linux), of a socket refused */
		return c->skb ? 0 : 4;
	}
	if (time) {
		store_be32(time, inet_current_timestamp(c->net));
		opt->is_changed = 1;
	}
	return 0;
}

static u32 compile_ts(struct compile *c, u8 *o, u32 at)
{
	struct ip_options *opt = c->opt;
	u32 optlen = o[1], wrong = 0;

	if (opt->ts)
		return 1;
	if (optlen < 4)
		return 2;
	if (o[2] < 5)
		return 3;
	if (o[2] <= optlen) {
		if (o[2] + 3u > optlen)
			return 3;
		wrong = compile_ts_room(c, o);
	} else if ((o[3] & 15) != IPOPT_TS_PRESPEC) {
		u32 overflow = o[3] >> 4;

		if (overflow == 15)
			return 4;
		if (c->skb) {
			o[3] = (u8)((o[3] & 15) | (overflow + 1) << 4);
			opt->is_changed = 1;
		}
	}
	if (!wrong)
		opt->ts = (u8)at;
	return wrong;
}

/* CIPSO (FIPS 188) where no label is known: domain and tags must be in order (cipso_v4_validate).
 */
static u32 compile_cipso(struct compile *c, const u8 *o, u32 at)
{
	u32 optlen = o[1];

	if (c->opt->cipso)
		return 1;
	c->opt->cipso = (u8)at;
	if (optlen < 8)
		return 2;
	if (get_be32(o + 2) == 0)
		return 3;
	for (u32 tag = 6; tag < optlen;) {
		if (tag + 2 > optlen || o[tag + 1] == 0 || o[tag + 1] > optlen - tag)
			return tag + 2;
		tag += o[tag + 1];
	}
	return 0;
}

static u32 compile_one(struct compile *c, u8 *o, u32 at)
{
	switch (o[0]) {
	case IPOPT_SSRR:
	case IPOPT_LSRR:
		return compile_srr(c, o, at);
	case IPOPT_RR:
		return compile_rr(c, o, at);
	case IPOPT_TIMESTAMP:
		return compile_ts(c, o, at);
	case IPOPT_RA: /* RFC 2113 */
		if (o[1] < 4)
			return 2;
		if (o[2] == 0 && o[3] == 0)
			c->opt->router_alert = (u8)at;
		return 0;
	case IPOPT_CIPSO:
		return compile_cipso(c, o, at);
	default: /* RFC 1122 3.2.1.8: unknown ones are passed over */
		return 0;
	}
}

int ip_options_compile(struct net *net, struct ip_options *opt, struct sk_buff *skb, u8 *data,
		       u32 *pointer)
{
	struct compile c = { .net = net, .opt = opt, .skb = skb };
	u8 *options = skb ? ip_hdr(skb) + IP4_HLEN : data;
	u32 offset = 0, len = opt->optlen;

	while (offset < len) {
		u8 *o = options + offset;
		u32 optlen, wrong;

		if (o[0] == IPOPT_END) {
			/* What follows must be padding: made so. */
			for (u32 i = offset + 1; i < len; i++) {
				if (options[i] != IPOPT_END) {
					options[i] = IPOPT_END;
					opt->is_changed = 1;
				}
			}
			break;
		}
		if (o[0] == IPOPT_NOOP) {
			offset++;
			continue;
		}
		if (len - offset < 2 || o[1] < 2 || o[1] > len - offset) {
			*pointer = IP4_HLEN + offset;
			return -EINVAL;
		}
		optlen = o[1];
		wrong = compile_one(&c, o, IP4_HLEN + offset);
		if (wrong) {
			*pointer = IP4_HLEN + offset + wrong - 1;
			return -EINVAL;
		}
		offset += optlen;
	}
	if (skb && opt->is_changed)
		ip4_send_check(ip_hdr(skb));
	return 0;
}

int ip_options_get(struct net *net, struct inet_opts *opt, const u8 *data, u32 len)
{
	u32 pointer;

	if (len > sizeof(opt->data))
		return -EINVAL;
	memset(opt, 0, sizeof(*opt));
	if (len)
		memcpy(opt->data, data, len);
	while (len & 3)
		opt->data[len++] = IPOPT_END;
	opt->opt.optlen = (u8)len;
	return len && ip_options_compile(net, &opt->opt, NULL, opt->data, &pointer) ? -EINVAL : 0;
}

/* ---- answers ---- */

/* Appends an option of the asking packet. */
static u8 *echo_copy(struct ip_options *dopt, u8 *dptr, const u8 *sptr, u32 *offset)
{
	u32 len = sptr[1];

	memcpy(dptr, sptr, len);
	*offset = dopt->optlen + IP4_HLEN;
	dopt->optlen = (u8)(dopt->optlen + len);
	return dptr + len;
}

static int echo_rr(struct ip_options *dopt, const struct ip_options *sopt, const u8 *iph, u8 **dptr)
{
	u8 *o = *dptr;
	u32 at;

	*dptr = echo_copy(dopt, o, iph + sopt->rr, &at);
	dopt->rr = (u8)at;
	if (sopt->rr_needaddr && o[2] <= o[1]) { /* a place for us on the way back */
		if (o[2] + 3u > o[1])
			return -EINVAL;
		o[2] = (u8)(o[2] + 4);
		dopt->rr_needaddr = 1;
	}
	return 0;
}

static int echo_ts(struct net *net, struct ip_options *dopt, const struct ip_options *sopt,
		   const u8 *iph, u8 **dptr)
{
	u8 *o = *dptr;
	u32 at, ptr;

	*dptr = echo_copy(dopt, o, iph + sopt->ts, &at);
	dopt->ts = (u8)at;
	ptr = o[2];
	if (ptr > o[1])
		return 0;
	if (sopt->ts_needaddr) {
		if (ptr + 3 > o[1])
			return -EINVAL;
		dopt->ts_needaddr = 1;
		ptr += 4;
	}
	if (sopt->ts_needtime) {
		if (ptr + 3 > o[1])
			return -EINVAL;
		if ((o[3] & 15) != IPOPT_TS_PRESPEC) {
			dopt->ts_needtime = 1;
			ptr += 4;
		} else if (ptr + 7 <= o[1] &&
			   inet_addr_type(net, load_be32(o + ptr - 1)) != RTN_UNICAST) {
			dopt->ts_needtime = 1;
			ptr += 8;
		}
	}
	o[2] = (u8)ptr;
	return 0;
}

/* The source route backwards (RFC 1122 3.2.1.8 (c)). Returns behind it, or NULL when it is odd. */
static u8 *echo_srr(struct inet_opts *d, const struct ip_options *sopt, const u8 *iph, u8 *dptr)
{
	struct ip_options *dopt = &d->opt;
	const u8 *start = iph + sopt->srr;
	u32 optlen = start[1], soffset = start[2], doffset;
	be32 faddr;

	if (soffset > optlen)
		soffset = optlen + 1;
	soffset -= 4;
	doffset = 0;
	if (soffset <= 3)
		return dptr;
	faddr = load_be32(start + soffset - 1);
	for (soffset -= 4, doffset = 4; soffset > 3; soffset -= 4, doffset += 4)
		memcpy(dptr + doffset - 1, start + soffset - 1, 4);
	/* The asker itself was the route's first hop: it stands in no slot of ours. */
	if (ip4_saddr(iph) == load_be32(start + soffset + 3))
		doffset -= 4;
	if (doffset <= 3)
		return dptr;
	store_be32(dptr + doffset - 1, ip4_saddr(iph));
	dopt->faddr = faddr;
	dptr[0] = start[0];
	dptr[1] = (u8)(doffset + 3);
	dptr[2] = 4;
	dopt->srr = (u8)(dopt->optlen + IP4_HLEN);
	dopt->optlen = (u8)(dopt->optlen + doffset + 3);
	dopt->is_strictroute = sopt->is_strictroute;
	return dptr + doffset + 3;
}

int ip_options_echo_from(struct net *net, struct inet_opts *dopt, struct sk_buff *skb,
			 const struct ip_options *sopt)
{
	const u8 *iph = ip_hdr(skb);
	u8 *dptr = dopt->data;

	memset(dopt, 0, sizeof(*dopt));
	if (!sopt->optlen)
		return 0;
	if (sopt->rr && echo_rr(&dopt->opt, sopt, iph, &dptr))
		return -EINVAL;
	if (sopt->ts && echo_ts(net, &dopt->opt, sopt, iph, &dptr))
		return -EINVAL;
	if (sopt->srr)
		dptr = echo_srr(dopt, sopt, iph, dptr);
	if (sopt->cipso) {
		u32 at;

		dptr = echo_copy(&dopt->opt, dptr, iph + sopt->cipso, &at);
		dopt->opt.cipso = (u8)at;
	}
	while (dopt->opt.optlen & 3) {
		*dptr++ = IPOPT_END;
		dopt->opt.optlen++;
	}
	return 0;
}

int ip_options_echo(struct net *net, struct inet_opts *dopt, struct sk_buff *skb)
{
	return ip_options_echo_from(net, dopt, skb, &IPCB(skb)->opt);
}

void ip_options_build(struct net *net, u8 *iph, struct ip_options *cb, const struct inet_opts *opt,
		      be32 daddr, be32 src)
{
	*cb = opt->opt;
	memcpy(iph + IP4_HLEN, opt->data, opt->opt.optlen);
	if (opt->opt.srr) {
		u8 *o = iph + opt->opt.srr;

		store_be32(o + o[1] - 4, daddr);
	}
	if (opt->opt.rr_needaddr) {
		u8 *o = iph + opt->opt.rr;

		store_be32(o + o[2] - 5, src);
	}
	if (opt->opt.ts_needaddr) {
		u8 *o = iph + opt->opt.ts;

		store_be32(o + o[2] - 9, src);
	}
	if (opt->opt.ts_needtime) {
		u8 *o = iph + opt->opt.ts;

		store_be32(o + o[2] - 5, inet_current_timestamp(net));
	}
}

void ip_options_fragment(u8 *options, struct ip_options *opt)
{
	u32 l = opt->optlen, at = 0;

	while (at < l) {
		u32 optlen;

		if (options[at] == IPOPT_END)
			break;
		if (options[at] == IPOPT_NOOP) {
			at++;
			continue;
		}
		if (l - at < 2 || options[at + 1] < 2 || options[at + 1] > l - at)
			break;
		optlen = options[at + 1];
		if (!(options[at] & IPOPT_COPY))
			memset(options + at, IPOPT_NOOP, optlen);
		at += optlen;
	}
	opt->ts = 0;
	opt->rr = 0;
	opt->rr_needaddr = 0;
	opt->ts_needaddr = 0;
	opt->ts_needtime = 0;
}
