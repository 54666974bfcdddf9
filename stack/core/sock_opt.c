/* SPDX-License-Identifier: MIT */
/*
 * SOL_SOCKET: options of all sockets and their control messages (net/core/sock.c, net/core/scm.c).
 * Values are the bytes of Linux x86-64: little endian, timeval of two 64-bit words.
 *
 * Invariant: sk_rcvbuf and sk_sndbuf never go below their minimum.
 */
#include "core/errqueue.h"
#include "core/filter.h"
#include "core/sock_mem.h"
#include "kernel/timer.h"
#include "lib/str.h"

#define CMSG_HDR 16u /* sizeof(struct cmsghdr) */

int sock_get_int(const u8 *val, u32 len, s32 *out)
{
	if (len < 4)
		return -EINVAL;
	*out = (s32)get_le32(val);
	return 0;
}

int sock_put_int(u8 *val, u32 len, s32 v)
{
	u8 b[4];
	u32 n = min_u32(len, 4);

	put_le32(b, (u32)v);
	if (n)
		memcpy(val, b, n);
	return (int)n;
}

/* ---- set ---- */

/* The doubling is for the overhead that sk_buffs add: the account counts truesize. */
static void set_rcvbuf(struct sock *sk, u32 val)
{
	u32 v = min_u32(val, INT32_MAX / 2);

	sk->sk_userlocks |= SOCK_RCVBUF_LOCK;
	sk->sk_rcvbuf = (s32)max_u32(v * 2, SOCK_MIN_RCVBUF);
}

static void set_sndbuf(struct sock *sk, u32 val)
{
	u32 v = min_u32(val, INT32_MAX / 2);

	sk->sk_userlocks |= SOCK_SNDBUF_LOCK;
	sk->sk_sndbuf = (s32)max_u32(v * 2, SOCK_MIN_SNDBUF);
	sk_write_space(sk);
}

/* sock_set_timeout: kept in jiffies by the kernel, so rounded up to one. */
static int set_timeout(struct sock *sk, u32 name, const u8 *val, u32 len)
{
	struct sock_rare *rare;
	s64 sec, usec;
	u64 *timeo, ms;

	if (len < 16)
		return -EINVAL;
	sec = (s64)get_le64(val);
	usec = (s64)get_le64(val + 8);
	if (usec < 0 || usec >= 1000000)
		return -EDOM;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	timeo = name == SO_RCVTIMEO ? &rare->rcvtimeo : &rare->sndtimeo;
	if (sec < 0) {
		*timeo = 0;
		return 0;
	}
	*timeo = TIME_NEVER;
	if (sec == 0 && usec == 0)
		return 0;
	if ((u64)sec < UINT64_MAX / NSEC_PER_SEC / 2) {
		ms = (u64)sec * 1000 + ((u64)usec + 999) / 1000;
		*timeo = ms * JIFFY_NS;
	}
	return 0;
}

static int bind_to_device(struct sock *sk, const u8 *val, u32 len)
{
	char name[IFNAME_LEN];
	const struct net_device *dev;

	str_copy_n(name, sizeof(name), (const char *)val, len);
	if (!name[0]) {
		sk->sk_bound_dev_if = 0;
	} else {
		dev = dev_get_by_name(sk->net, name);
		if (!dev)
			return -ENODEV;
		sk->sk_bound_dev_if = dev->ifindex;
	}
	sk_dst_reset(sk);
	if (sk->prot->rehash)
		sk->prot->rehash(sk);
	return 0;
}

static int set_linger(struct sock *sk, const u8 *val, u32 len)
{
	struct sock_rare *rare;

	if (len < 8)
		return -EINVAL;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	rare->lingertime_s = get_le32(val + 4);
	if (get_le32(val))
		sk->sk_flags |= SOCK_LINGER;
	else
		sk->sk_flags &= ~SOCK_LINGER;
	return 0;
}

static void set_flag(struct sock *sk, u32 flag, bool on)
{
	if (on)
		sk->sk_flags |= flag;
	else
		sk->sk_flags &= ~flag;
}

static u32 cap(s32 val, s32 max)
{
	return (u32)val < (u32)max ? (u32)val : (u32)max;
}

/* 32 or 64 bits, as long as what was given; all ones: no limit. */
static int set_max_pacing_rate(struct sock *sk, const u8 *val, u32 len)
{
	u64 rate = len >= 8 ? get_le64(val) : get_le32(val);
	struct sock_rare *rare = sock_rare_get(sk);

	if (!rare)
		return -ENOMEM;
	if (len < 8 && rate == UINT32_MAX)
		rate = UINT64_MAX;
	if (rate != UINT64_MAX && sk->sk_pacing_status == SK_PACING_NONE)
		sk->sk_pacing_status = SK_PACING_NEEDED;
	rare->max_pacing_rate = rate;
	sk->sk_pacing_rate = min_u64(sk->sk_pacing_rate, rate);
	return 0;
}

int sock_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len)
{
	const struct netns_sysctl *sysctl = &sk->net->sysctl;
	struct sock_rare *rare;
	s32 v;

	switch (name) {
	case SO_ATTACH_FILTER:
		return sk_attach_filter(sk, val, len);
	case SO_DETACH_FILTER:
		return sk_detach_filter(sk);
	case SO_BINDTODEVICE:
		return bind_to_device(sk, val, len);
	case SO_LINGER:
		return set_linger(sk, val, len);
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
		return set_timeout(sk, name, val, len);
	default:
		break;
	}
	if (sock_get_int(val, len, &v))
		return -EINVAL;
	switch (name) {
	case SO_REUSEADDR:
		sk->sk_reuse = v != 0;
		return 0;
	case SO_LOCK_FILTER:
		if (sk->sk_flags & SOCK_FILTER_LOCKED && !v)
			return -EPERM;
		set_flag(sk, SOCK_FILTER_LOCKED, v != 0);
		return 0;
	case SO_REUSEPORT:
		if (v && sk->sk_type == SOCK_RAW)
			return -EOPNOTSUPP;
		sk->sk_reuseport = v != 0;
		return 0;
	case SO_TYPE:
	case SO_PROTOCOL:
	case SO_DOMAIN:
	case SO_ERROR:
	case SO_ACCEPTCONN:
		return -ENOPROTOOPT;
	case SO_DONTROUTE:
		set_flag(sk, SOCK_LOCALROUTE, v != 0);
		sk_dst_reset(sk);
		return 0;
	case SO_BROADCAST:
		set_flag(sk, SOCK_BROADCAST, v != 0);
		return 0;
	case SO_SNDBUF:
		set_sndbuf(sk, cap(v, sysctl->core_wmem_max));
		return 0;
	case SO_SNDBUFFORCE:
		set_sndbuf(sk, v < 0 ? 0 : (u32)v);
		return 0;
	case SO_RCVBUF:
		set_rcvbuf(sk, cap(v, sysctl->core_rmem_max));
		return 0;
	case SO_RCVBUFFORCE:
		set_rcvbuf(sk, v < 0 ? 0 : (u32)v);
		return 0;
	case SO_KEEPALIVE:
		if (sk->prot->keepalive)
			sk->prot->keepalive(sk, v != 0);
		set_flag(sk, SOCK_KEEPOPEN, v != 0);
		return 0;
	case SO_OOBINLINE:
		set_flag(sk, SOCK_URGINLINE, v != 0);
		return 0;
	case SO_NO_CHECK:
		sk->sk_no_check_tx = v != 0;
		return 0;
	case SO_PRIORITY:
		sk->sk_priority = (u32)v;
		return 0;
	case SO_MARK:
		if (sk->sk_mark != (u32)v)
			sk_dst_reset(sk);
		sk->sk_mark = (u32)v;
		return 0;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
		set_flag(sk, SOCK_TIMESTAMP, v != 0);
		set_flag(sk, SOCK_RCVTSTAMPNS, v != 0 && name == SO_TIMESTAMPNS);
		return 0;
	case SO_TIMESTAMPING:
		return sock_set_timestamping(sk, (u32)v);
	case SO_ZEROCOPY:
		if (sk->sk_protocol != IPPROTO_TCP)
			return -EOPNOTSUPP;
		if (v < 0 || v > 1)
			return -EINVAL;
		/* Its completions need the error queue. */
		if (!sock_rare_get(sk))
			return -ENOMEM;
		set_flag(sk, SOCK_ZEROCOPY, v != 0);
		return 0;
	case SO_RCVLOWAT:
		rare = sock_rare_get(sk);
		if (!rare)
			return -ENOMEM;
		rare->rcvlowat = v < 0 ? INT32_MAX : v ? v : 1;
		return 0;
	case SO_RXQ_OVFL:
		set_flag(sk, SOCK_RXQ_OVFL, v != 0);
		return 0;
	case SO_PEEK_OFF:
		if (sk->sk_type == SOCK_RAW)
			return -EOPNOTSUPP;
		rare = sock_rare_get(sk);
		if (!rare)
			return -ENOMEM;
		rare->peek_off = v;
		return 0;
	case SO_INCOMING_CPU:
		rare = sock_rare_get(sk);
		if (!rare)
			return -ENOMEM;
		rare->incoming_cpu = v;
		return 0;
	case SO_MAX_PACING_RATE:
		return set_max_pacing_rate(sk, val, len);
	default:
		return -ENOPROTOOPT;
	}
}

/* ---- get ---- */

static int put_timeout(u64 timeo, u8 *val, u32 len)
{
	u8 b[16];
	u64 sec = 0, usec = 0;
	u32 n = min_u32(len, 16);

	if (timeo != TIME_NEVER) {
		sec = timeo / NSEC_PER_SEC;
		usec = timeo % NSEC_PER_SEC / NSEC_PER_USEC;
	}
	put_le64(b, sec);
	put_le64(b + 8, usec);
	memcpy(val, b, n);
	return (int)n;
}

static int get_bound_device(const struct sock *sk, u8 *val, u32 len)
{
	const struct net_device *dev;

	if (!sk->sk_bound_dev_if)
		return 0;
	if (len < IFNAME_LEN)
		return -EINVAL;
	dev = dev_get_by_index(sk->net, sk->sk_bound_dev_if);
	if (!dev)
		return -ENODEV;
	str_copy((char *)val, dev->name, IFNAME_LEN);
	return (int)str_len(dev->name) + 1;
}

static int get_linger(const struct sock *sk, u8 *val, u32 len)
{
	u8 b[8];
	u32 n = min_u32(len, 8);

	put_le32(b, (sk->sk_flags & SOCK_LINGER) != 0);
	put_le32(b + 4, sk->sk_rare->lingertime_s);
	memcpy(val, b, n);
	return (int)n;
}

/* What the buffers hold now, as ss shows it (sk_get_meminfo): nine numbers. */
static int get_meminfo(const struct sock *sk, u8 *val, u32 len)
{
	const u32 v[] = { sk->sk_rmem_alloc,  (u32)sk->sk_rcvbuf,   sk->sk_wmem_alloc,
			  (u32)sk->sk_sndbuf, sk_forward_alloc(sk), sk->sk_wmem_queued,
			  0 /* options */,    0 /* backlog */,	    sk->sk_drops };
	u8 b[sizeof(v)];
	u32 n = min_u32(len, sizeof(b));

	for (u32 i = 0; i < ARRAY_SIZE(v); i++)
		put_le32(b + 4 * i, v[i]);
	memcpy(val, b, n);
	return (int)n;
}

int sock_getsockopt(struct sock *sk, u32 name, u8 *val, u32 len)
{
	s32 v;

	if (len > INT32_MAX)
		return -EINVAL;
	switch (name) {
	case SO_MEMINFO:
		return get_meminfo(sk, val, len);
	case SO_GET_FILTER:
		return sk_get_filter(sk, val, len);
	case SO_LOCK_FILTER:
		v = (sk->sk_flags & SOCK_FILTER_LOCKED) != 0;
		break;
	case SO_BINDTODEVICE:
		return get_bound_device(sk, val, len);
	case SO_LINGER:
		return get_linger(sk, val, len);
	case SO_RCVTIMEO:
		return put_timeout(sk->sk_rare->rcvtimeo, val, len);
	case SO_SNDTIMEO:
		return put_timeout(sk->sk_rare->sndtimeo, val, len);
	case SO_REUSEADDR:
		v = sk->sk_reuse;
		break;
	case SO_REUSEPORT:
		v = sk->sk_reuseport;
		break;
	case SO_TYPE:
		v = sk->sk_type;
		break;
	case SO_PROTOCOL:
		v = sk->sk_protocol;
		break;
	case SO_DOMAIN:
		v = sk->family;
		break;
	case SO_ERROR:
		v = -sock_error(sk);
		if (!v) {
			v = sk->sk_err_soft;
			sk->sk_err_soft = 0;
		}
		break;
	case SO_ACCEPTCONN:
		v = sk->sk_state == TCP_LISTEN;
		break;
	case SO_DONTROUTE:
		v = (sk->sk_flags & SOCK_LOCALROUTE) != 0;
		break;
	case SO_BROADCAST:
		v = (sk->sk_flags & SOCK_BROADCAST) != 0;
		break;
	case SO_SNDBUF:
		v = sk->sk_sndbuf;
		break;
	case SO_RCVBUF:
		v = sk->sk_rcvbuf;
		break;
	case SO_KEEPALIVE:
		v = (sk->sk_flags & SOCK_KEEPOPEN) != 0;
		break;
	case SO_OOBINLINE:
		v = (sk->sk_flags & SOCK_URGINLINE) != 0;
		break;
	case SO_NO_CHECK:
		v = sk->sk_no_check_tx;
		break;
	case SO_PRIORITY:
		v = (s32)sk->sk_priority;
		break;
	case SO_MARK:
		v = (s32)sk->sk_mark;
		break;
	case SO_TIMESTAMPING:
		v = (s32)sk->sk_rare->tsflags;
		break;
	case SO_ZEROCOPY:
		v = (sk->sk_flags & SOCK_ZEROCOPY) != 0;
		break;
	case SO_TIMESTAMP:
		v = sk->sk_flags & SOCK_TIMESTAMP && !(sk->sk_flags & SOCK_RCVTSTAMPNS);
		break;
	case SO_TIMESTAMPNS:
		v = (sk->sk_flags & SOCK_RCVTSTAMPNS) != 0;
		break;
	case SO_RCVLOWAT:
		v = sk->sk_rare->rcvlowat;
		break;
	case SO_SNDLOWAT:
		v = 1;
		break;
	case SO_RXQ_OVFL:
		v = (sk->sk_flags & SOCK_RXQ_OVFL) != 0;
		break;
	case SO_PEEK_OFF:
		v = sk->sk_rare->peek_off;
		break;
	case SO_MAX_PACING_RATE:
		if (len >= 8) {
			put_le64(val, sk->sk_rare->max_pacing_rate);
			return 8;
		}
		v = (s32)min_u64(sk->sk_rare->max_pacing_rate, UINT32_MAX);
		break;
	case SO_INCOMING_CPU:
		v = sk->sk_rare->incoming_cpu;
		break;
	default:
		return -ENOPROTOOPT;
	}
	return sock_put_int(val, len, v);
}

/* ---- control messages ---- */

static u32 cmsg_align(u32 len)
{
	return (len + 7u) & ~7u;
}

void put_cmsg(struct msghdr *msg, u32 level, u32 type, const u8 *data, u32 len)
{
	u32 room = msg->control_len - msg->control_used;
	u32 cmlen = CMSG_HDR + len;
	u32 space = CMSG_HDR + cmsg_align(len);
	u8 *p;

	if (!msg->control || room < CMSG_HDR) {
		msg->out_flags |= MSG_CTRUNC;
		return;
	}
	p = msg->control + msg->control_used;
	if (room < cmlen) {
		msg->out_flags |= MSG_CTRUNC;
		cmlen = room;
	}
	space = min_u32(space, room);
	memset(p, 0, space);
	put_le64(p, cmlen);
	put_le32(p + 8, level);
	put_le32(p + 12, type);
	memcpy(p + CMSG_HDR, data, cmlen - CMSG_HDR);
	msg->control_used += space;
}

bool next_cmsg(const struct msghdr *msg, u32 *offset, u32 *level, u32 *type, const u8 **data,
	       u32 *len, int *err)
{
	u32 room = *offset < msg->control_len ? msg->control_len - *offset : 0;
	const u8 *p = msg->control + *offset;
	u64 cmlen;

	*err = 0;
	if (!msg->control || room < CMSG_HDR)
		return false;
	cmlen = get_le64(p);
	if (cmlen < CMSG_HDR || cmlen > room) {
		*err = -EINVAL;
		return false;
	}
	*level = get_le32(p + 8);
	*type = get_le32(p + 12);
	*data = p + CMSG_HDR;
	*len = (u32)cmlen - CMSG_HDR;
	*offset += cmsg_align((u32)cmlen);
	return true;
}

static void put_timestamp(struct msghdr *msg, const struct sock *sk, u64 ns)
{
	bool nano = (sk->sk_flags & SOCK_RCVTSTAMPNS) != 0;
	u64 rest = ns % NSEC_PER_SEC;
	u8 b[16];

	put_le64(b, ns / NSEC_PER_SEC);
	put_le64(b + 8, nano ? rest : rest / NSEC_PER_USEC);
	put_cmsg(msg, SOL_SOCKET, nano ? SO_TIMESTAMPNS : SO_TIMESTAMP, b, sizeof(b));
}

/* struct scm_timestamping: the software stamp, a legacy one, the raw one of hardware. */
static void put_timestamping(struct msghdr *msg, u64 ns, u64 hw)
{
	u8 b[48] = { 0 };

	put_le64(b, ns / NSEC_PER_SEC);
	put_le64(b + 8, ns % NSEC_PER_SEC);
	put_le64(b + 32, hw / NSEC_PER_SEC);
	put_le64(b + 40, hw % NSEC_PER_SEC);
	put_cmsg(msg, SOL_SOCKET, SCM_TIMESTAMPING, b, sizeof(b));
}

void sock_recv_timestamp(struct msghdr *msg, const struct sock *sk, u64 tstamp, u64 hw,
			 bool err_queue)
{
	u32 tsflags = sk->sk_rare->tsflags;

	/* Stamping was switched on after it came: the kernel takes the present time. */
	if (sk->sk_flags & SOCK_TIMESTAMP)
		put_timestamp(msg, sk, tstamp ? tstamp : net_world(sk->net)->now);
	if (!(tsflags & SOF_TIMESTAMPING_SOFTWARE) ||
	    !(tsflags & SOF_TIMESTAMPING_RX_SOFTWARE || err_queue ||
	      !(tsflags & SOF_TIMESTAMPING_OPT_RX_FILTER)))
		tstamp = 0;
	if (!(tsflags & SOF_TIMESTAMPING_RAW_HARDWARE) ||
	    !(tsflags & SOF_TIMESTAMPING_RX_HARDWARE ||
	      !(tsflags & SOF_TIMESTAMPING_OPT_RX_FILTER)))
		hw = 0;
	if (tstamp || hw)
		put_timestamping(msg, tstamp, hw);
}

void sock_recv_cmsgs(struct msghdr *msg, struct sock *sk, const struct sk_buff *skb)
{
	u32 drops;
	u8 b[4];

	if (!(sk->sk_flags & (SOCK_TIMESTAMP | SOCK_RXQ_OVFL)) && !sk->sk_rare->tsflags)
		return;
	sock_recv_timestamp(msg, sk, skb->tstamp, skb_shinfo(skb)->hwtstamp, false);
	if (sk->sk_flags & SOCK_RXQ_OVFL) {
		memcpy(&drops, skb->cb + SOCK_CB_DROPCOUNT, sizeof(drops));
		if (!drops)
			return;
		put_le32(b, drops);
		put_cmsg(msg, SOL_SOCKET, SO_RXQ_OVFL, b, sizeof(b));
	}
}
