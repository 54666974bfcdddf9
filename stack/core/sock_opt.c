/* SPDX-License-Identifier: MIT */
/*
 * SOL_SOCKET: setting options of all sockets (sk_setsockopt of net/core/sock.c).
 * Values are the bytes of Linux x86-64: little endian, timeval of two 64-bit words.
 *
 * Invariant: sk_rcvbuf and sk_sndbuf never go below their minimum.
 */
#include "core/errqueue.h"
#include "core/filter.h"
#include "core/reuseport.h"
#include "core/sock_opt.h"
#include "kernel/timer.h"
#include "lib/str.h"

int sock_get_int(const u8 *val, u32 len, s32 *out)
{
	if (len < 4)
		return -EINVAL;
	*out = (s32)get_le32(val);
	return 0;
}

static void set_flag(struct sock *sk, u32 flag, bool on)
{
	if (on)
		sk->sk_flags |= flag;
	else
		sk->sk_flags &= ~flag;
}

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
	timeo = name == SO_RCVTIMEO || name == SO_RCVTIMEO_NEW ? &rare->rcvtimeo : &rare->sndtimeo;
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

/* sock_bindtoindex_locked */
static int bind_to_index(struct sock *sk, s32 ifindex)
{
	if (ifindex < 0)
		return -EINVAL;
	sk->sk_bound_dev_if = (u32)ifindex;
	sk_dst_reset(sk);
	if (sk->prot->rehash)
		sk->prot->rehash(sk);
	return 0;
}

static int bind_to_device(struct sock *sk, const u8 *val, u32 len)
{
	char name[IFNAME_LEN];
	const struct net_device *dev;

	str_copy_n(name, sizeof(name), (const char *)val, len);
	if (!name[0])
		return bind_to_index(sk, 0);
	dev = dev_get_by_name(sk->net, name);
	return dev ? bind_to_index(sk, (s32)dev->ifindex) : -ENODEV;
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
	set_flag(sk, SOCK_LINGER, get_le32(val) != 0);
	return 0;
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

/* Options that are one bit of sk_flags and nothing else. What some of them are about is not there
 * (a radio, a checksum of frames that the user makes): they are kept, as in Linux. */
static const struct {
	u8 name;
	u32 flag;
} flag_options[] = {
	{ SO_DEBUG, SOCK_DBG },
	{ SO_BROADCAST, SOCK_BROADCAST },
	{ SO_OOBINLINE, SOCK_URGINLINE },
	{ SO_RXQ_OVFL, SOCK_RXQ_OVFL },
	{ SO_WIFI_STATUS, SOCK_WIFI_STATUS },
	{ SO_NOFCS, SOCK_NOFCS },
	{ SO_SELECT_ERR_QUEUE, SOCK_SELECT_ERR_QUEUE },
	{ SO_RCVMARK, SOCK_RCVMARK },
	{ SO_RCVPRIORITY, SOCK_RCVPRIORITY },
};

u32 sock_opt_flag(u32 name)
{
	for (u32 i = 0; i < ARRAY_SIZE(flag_options); i++)
		if (flag_options[i].name == name)
			return flag_options[i].flag;
	return 0;
}

/* __sock_set_timestamps: SO_TIMESTAMP and SO_TIMESTAMPNS, and their forms for 64 bits. */
static int set_timestamps(struct sock *sk, u32 name, bool on)
{
	bool ns = name == SO_TIMESTAMPNS || name == SO_TIMESTAMPNS_NEW;

	set_flag(sk, SOCK_TIMESTAMP, on);
	set_flag(sk, SOCK_RCVTSTAMPNS, on && ns);
	if (on)
		set_flag(sk, SOCK_TSTAMP_NEW,
			 name == SO_TIMESTAMP_NEW || name == SO_TIMESTAMPNS_NEW);
	return 0;
}

/* struct so_timestamping, of which the second half names a hardware clock; or its flags alone. */
static int set_timestamping(struct sock *sk, u32 name, const u8 *val)
{
	int err = sock_set_timestamping(sk, get_le32(val));

	if (!err)
		set_flag(sk, SOCK_TSTAMP_NEW, name == SO_TIMESTAMPING_NEW);
	return err;
}

static int set_zerocopy(struct sock *sk, s32 v)
{
	if (sk->sk_protocol != IPPROTO_TCP)
		return -EOPNOTSUPP;
	if (v < 0 || v > 1)
		return -EINVAL;
	/* Its completions need the error queue. */
	if (!sock_rare_get(sk))
		return -ENOMEM;
	set_flag(sk, SOCK_ZEROCOPY, v != 0);
	return 0;
}

static int set_rcvlowat(struct sock *sk, s32 v)
{
	struct sock_rare *rare = sock_rare_get(sk);

	if (!rare)
		return -ENOMEM;
	if (v < 0)
		v = INT32_MAX;
	rare->rcvlowat = v ? v : 1;
	if (sk->prot->rcvlowat_set)
		sk->prot->rcvlowat_set(sk, rare);
	return 0;
}

/* The buffers, and who may change them. */
static int set_buffers(struct sock *sk, u32 name, s32 v)
{
	const struct netns_sysctl *sysctl = &sk->net->sysctl;

	switch (name) {
	case SO_SNDBUF:
		set_sndbuf(sk, min_u32((u32)v, (u32)sysctl->core_wmem_max));
		return 0;
	case SO_SNDBUFFORCE:
		set_sndbuf(sk, v < 0 ? 0 : (u32)v);
		return 0;
	case SO_RCVBUF:
		set_rcvbuf(sk, min_u32((u32)v, (u32)sysctl->core_rmem_max));
		return 0;
	case SO_RCVBUFFORCE:
		set_rcvbuf(sk, v < 0 ? 0 : (u32)v);
		return 0;
	case SO_BUF_LOCK:
		if (v & ~SOCK_BUF_LOCK_MASK)
			return -EINVAL;
		v |= sk->sk_userlocks & ~SOCK_BUF_LOCK_MASK;
		sk->sk_userlocks = (u32)v & SOCK_LOCK_MASK;
		return 0;
	case SO_RCVLOWAT:
		return set_rcvlowat(sk, v);
	default: /* SO_RESERVE_MEM: there are no memory cgroups to reserve it from */
		return v < 0 ? -EINVAL : -EOPNOTSUPP;
	}
}

/* Values that lie in the rare part. */
static int set_rare(struct sock *sk, u32 name, s32 v)
{
	struct sock_rare *rare;

	if (name == SO_PEEK_OFF && sk->sk_type == SOCK_RAW)
		return -EOPNOTSUPP;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	if (name == SO_PEEK_OFF)
		rare->peek_off = v;
	else
		reuseport_update_incoming_cpu(sk, v);
	return 0;
}

/* SO_BUSY_POLL, SO_PREFER_BUSY_POLL, SO_BUSY_POLL_BUDGET. */
static int set_busy_poll(struct sock *sk, u32 name, s32 v)
{
	struct sock_rare *rare;

	if ((name == SO_BUSY_POLL && v < 0) ||
	    (name == SO_BUSY_POLL_BUDGET && (v < 0 || v > 65535)))
		return -EINVAL;
	rare = sock_rare_get(sk);
	if (!rare)
		return -ENOMEM;
	if (name == SO_BUSY_POLL)
		rare->ll_usec = (u32)v;
	else if (name == SO_PREFER_BUSY_POLL)
		rare->prefer_busy_poll = v != 0;
	else
		rare->busy_poll_budget = (u16)v;
	return 0;
}

/* What sockets are told about how their packets leave. */
static int set_output(struct sock *sk, u32 name, s32 v)
{
	switch (name) {
	case SO_DONTROUTE:
		set_flag(sk, SOCK_LOCALROUTE, v != 0);
		sk_dst_reset(sk);
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
	case SO_CNX_ADVICE: /* dst_negative_advice: 1 says that the way does not seem to work */
		if (v == 1)
			sk_dst_reset(sk);
		return 0;
	case SO_TXREHASH: /* -1: what the namespace says */
		if (sk->sk_protocol != IPPROTO_TCP)
			return -EOPNOTSUPP;
		if (v < -1 || v > 1)
			return -EINVAL;
		sk->sk_txrehash = (v < 0 ? sk->net->sysctl.core_txrehash : v) != 0;
		return 0;
	default: /* SO_BINDTOIFINDEX */
		return bind_to_index(sk, v);
	}
}

static int set_int(struct sock *sk, u32 name, s32 v)
{
	switch (name) {
	case SO_REUSEADDR:
		sk->sk_reuse = v != 0;
		return 0;
	case SO_DETACH_FILTER:
		return sk_detach_filter(sk);
	case SO_DETACH_REUSEPORT_BPF:
		return reuseport_detach_prog(sk);
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
	case SO_BSDCOMPAT: /* gone since Linux 2.6, and still taken */
		return 0;
	case SO_SNDBUF:
	case SO_SNDBUFFORCE:
	case SO_RCVBUF:
	case SO_RCVBUFFORCE:
	case SO_BUF_LOCK:
	case SO_RCVLOWAT:
	case SO_RESERVE_MEM:
		return set_buffers(sk, name, v);
	case SO_DONTROUTE:
	case SO_NO_CHECK:
	case SO_PRIORITY:
	case SO_MARK:
	case SO_CNX_ADVICE:
	case SO_BINDTOIFINDEX:
	case SO_TXREHASH:
		return set_output(sk, name, v);
	case SO_KEEPALIVE:
		if (sk->prot->keepalive)
			sk->prot->keepalive(sk, v != 0);
		set_flag(sk, SOCK_KEEPOPEN, v != 0);
		return 0;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		return set_timestamps(sk, name, v != 0);
	case SO_ZEROCOPY:
		return set_zerocopy(sk, v);
	case SO_PEEK_OFF:
	case SO_INCOMING_CPU:
		return set_rare(sk, name, v);
	case SO_BUSY_POLL:
	case SO_PREFER_BUSY_POLL:
	case SO_BUSY_POLL_BUDGET:
		return set_busy_poll(sk, name, v);
	default:
		return sock_opt_of_unix(name) ? -EOPNOTSUPP : -ENOPROTOOPT;
	}
}

int sock_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len)
{
	u32 flag = sock_opt_flag(name);
	s32 v;

	if (name == SO_BINDTODEVICE)
		return bind_to_device(sk, val, len);
	if (name == SO_ATTACH_FILTER)
		return sk_attach_filter(sk, val, len);
	if (name == SO_ATTACH_REUSEPORT_CBPF)
		return reuseport_attach_prog(sk, val, len);
	if (sock_get_int(val, len, &v))
		return -EINVAL;
	if (flag) {
		set_flag(sk, flag, v != 0);
		return 0;
	}
	switch (name) {
	case SO_LINGER:
		return set_linger(sk, val, len);
	case SO_RCVTIMEO:
	case SO_SNDTIMEO:
	case SO_RCVTIMEO_NEW:
	case SO_SNDTIMEO_NEW:
		return set_timeout(sk, name, val, len);
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		return set_timestamping(sk, name, val);
	case SO_MAX_PACING_RATE:
		return set_max_pacing_rate(sk, val, len);
	default:
		return set_int(sk, name, v);
	}
}
