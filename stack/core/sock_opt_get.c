/* SPDX-License-Identifier: MIT */
/*
 * SOL_SOCKET: reading options of all sockets (sk_getsockopt of net/core/sock.c). Values are the
 * bytes of Linux x86-64: little endian, timeval of two 64-bit words; less room gets the first
 * bytes.
 */
#include "core/busy_poll.h"
#include "core/filter.h"
#include "core/sock_mem.h"
#include "core/sock_opt.h"
#include "kernel/timer.h"
#include "lib/str.h"

int sock_put_bytes(u8 *val, u32 len, const void *from, u32 size)
{
	u32 n = min_u32(len, size);

	if (n)
		memcpy(val, from, n);
	return (int)n;
}

int sock_put_int(u8 *val, u32 len, s32 v)
{
	u8 b[4];

	put_le32(b, (u32)v);
	return sock_put_bytes(val, len, b, sizeof(b));
}

static int put_timeout(u64 timeo, u8 *val, u32 len)
{
	u8 b[16];
	u64 sec = 0, usec = 0;

	if (timeo != TIME_NEVER) {
		sec = timeo / NSEC_PER_SEC;
		usec = timeo % NSEC_PER_SEC / NSEC_PER_USEC;
	}
	put_le64(b, sec);
	put_le64(b + 8, usec);
	return sock_put_bytes(val, len, b, sizeof(b));
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

	put_le32(b, (sk->sk_flags & SOCK_LINGER) != 0);
	put_le32(b + 4, sk->sk_rare->lingertime_s);
	return sock_put_bytes(val, len, b, sizeof(b));
}

static int put_timestamping(const struct sock *sk, u32 name, u8 *val, u32 len)
{
	u8 b[8] = { 0 };

	if (name == SO_TIMESTAMPING || sk->sk_flags & SOCK_TSTAMP_NEW)
		put_le32(b, sk->sk_rare->tsflags);
	return sock_put_bytes(val, len, b, sizeof(b));
}

static int put_max_pacing_rate(const struct sock *sk, u8 *val, u32 len)
{
	u64 rate = sk->sk_rare->max_pacing_rate;

	if (len < 8)
		return sock_put_int(val, len, (s32)min_u64(rate, UINT32_MAX));
	put_le64(val, rate);
	return 8;
}

/* struct ucred of a peer that is no process of this machine. */
static int put_peercred(u8 *val, u32 len)
{
	u8 b[12] = { 0 };

	put_le32(b + 4, UINT32_MAX);
	put_le32(b + 8, UINT32_MAX);
	return sock_put_bytes(val, len, b, sizeof(b));
}

void sk_get_meminfo(const struct sock *sk, u32 *mem)
{
	memset(mem, 0, SK_MEMINFO_VARS * sizeof(*mem));
	mem[SK_MEMINFO_RMEM_ALLOC] = sk->sk_rmem_alloc;
	mem[SK_MEMINFO_RCVBUF] = (u32)sk->sk_rcvbuf;
	mem[SK_MEMINFO_WMEM_ALLOC] = sk->sk_wmem_alloc;
	mem[SK_MEMINFO_SNDBUF] = (u32)sk->sk_sndbuf;
	mem[SK_MEMINFO_FWD_ALLOC] = sk_forward_alloc(sk);
	mem[SK_MEMINFO_WMEM_QUEUED] = sk->sk_wmem_queued;
	mem[SK_MEMINFO_DROPS] = sk->sk_drops;
}

static int put_meminfo(const struct sock *sk, u8 *val, u32 len)
{
	u8 b[4 * SK_MEMINFO_VARS];
	u32 mem[SK_MEMINFO_VARS];

	sk_get_meminfo(sk, mem);
	for (u32 i = 0; i < SK_MEMINFO_VARS; i++)
		put_le32(b + 4 * i, mem[i]);
	return sock_put_bytes(val, len, b, sizeof(b));
}

static bool flags_are(const struct sock *sk, u32 set, u32 clear)
{
	return (sk->sk_flags & (set | clear)) == set;
}

static bool is_timestamp_on(const struct sock *sk, u32 name)
{
	switch (name) {
	case SO_TIMESTAMP:
		return flags_are(sk, SOCK_TIMESTAMP, SOCK_TSTAMP_NEW | SOCK_RCVTSTAMPNS);
	case SO_TIMESTAMPNS:
		return flags_are(sk, SOCK_RCVTSTAMPNS, SOCK_TSTAMP_NEW);
	case SO_TIMESTAMP_NEW:
		return flags_are(sk, SOCK_TIMESTAMP | SOCK_TSTAMP_NEW, 0);
	default: /* SO_TIMESTAMPNS_NEW */
		return flags_are(sk, SOCK_RCVTSTAMPNS | SOCK_TSTAMP_NEW, 0);
	}
}

static s32 get_error(struct sock *sk)
{
	s32 v = -sock_error(sk);

	if (!v) {
		v = sk->sk_err_soft;
		sk->sk_err_soft = 0;
	}
	return v;
}

/* What is a bit of sk_flags, also where it takes more to set it. 0: it is none. */
static u32 flag_of(u32 name)
{
	switch (name) {
	case SO_LOCK_FILTER:
		return SOCK_FILTER_LOCKED;
	case SO_DONTROUTE:
		return SOCK_LOCALROUTE;
	case SO_KEEPALIVE:
		return SOCK_KEEPOPEN;
	case SO_ZEROCOPY:
		return SOCK_ZEROCOPY;
	default:
		return sock_opt_flag(name);
	}
}

/* What lies in the rare part. */
static bool get_rare(const struct sock_rare *rare, u32 name, s32 *v)
{
	switch (name) {
	case SO_RCVLOWAT:
		*v = rare->rcvlowat;
		return true;
	case SO_PEEK_OFF:
		*v = rare->peek_off;
		return true;
	case SO_INCOMING_CPU:
		*v = rare->incoming_cpu;
		return true;
	case SO_BUSY_POLL:
		*v = (s32)rare->ll_usec;
		return true;
	case SO_PREFER_BUSY_POLL:
		*v = rare->prefer_busy_poll;
		return true;
	default:
		return false;
	}
}

/* What is a number of the socket. */
static int get_int(struct sock *sk, u32 name, s32 *v)
{
	switch (name) {
	case SO_REUSEADDR:
		*v = sk->sk_reuse;
		return 0;
	case SO_REUSEPORT:
		*v = sk->sk_reuseport;
		return 0;
	case SO_TYPE:
		*v = sk->sk_type;
		return 0;
	case SO_PROTOCOL:
		*v = sk->sk_protocol;
		return 0;
	case SO_DOMAIN:
		*v = sk->family;
		return 0;
	case SO_ERROR:
		*v = get_error(sk);
		return 0;
	case SO_ACCEPTCONN:
		*v = sk->sk_state == TCP_LISTEN;
		return 0;
	case SO_SNDBUF:
		*v = sk->sk_sndbuf;
		return 0;
	case SO_RCVBUF:
		*v = sk->sk_rcvbuf;
		return 0;
	case SO_BUF_LOCK:
		*v = sk->sk_userlocks & SOCK_BUF_LOCK_MASK;
		return 0;
	case SO_NO_CHECK:
		*v = sk->sk_no_check_tx;
		return 0;
	case SO_PRIORITY:
		*v = (s32)sk->sk_priority;
		return 0;
	case SO_MARK:
		*v = (s32)sk->sk_mark;
		return 0;
	case SO_INCOMING_NAPI_ID:
		*v = (s32)sk_napi_id(sk);
		return 0;
	case SO_TXREHASH:
		*v = sk->sk_txrehash;
		return sk->sk_protocol == IPPROTO_TCP ? 0 : -EOPNOTSUPP;
	case SO_BINDTOIFINDEX:
		*v = (s32)sk->sk_bound_dev_if;
		return 0;
	default:
		return sock_opt_of_unix(name) ? -EOPNOTSUPP : -ENOPROTOOPT;
	}
}

/* What is the same for all sockets. */
static bool get_constant(u32 name, s32 *v)
{
	switch (name) {
	case SO_SNDLOWAT:
		*v = 1;
		return true;
	case SO_BPF_EXTENSIONS:
		*v = SKF_AD_MAX;
		return true;
	case SO_BSDCOMPAT:
	case SO_RESERVE_MEM:
		*v = 0;
		return true;
	default:
		return false;
	}
}

int sock_getsockopt(struct sock *sk, u32 name, u8 *val, u32 len)
{
	u32 flag = flag_of(name);
	int err = 0;
	s32 v;

	if (len > INT32_MAX)
		return -EINVAL;
	switch (name) {
	case SO_GET_FILTER:
		return sk_get_filter(sk, val, len);
	case SO_BINDTODEVICE:
		return get_bound_device(sk, val, len);
	case SO_LINGER:
		return get_linger(sk, val, len);
	case SO_RCVTIMEO:
	case SO_RCVTIMEO_NEW:
		return put_timeout(sk->sk_rare->rcvtimeo, val, len);
	case SO_SNDTIMEO:
	case SO_SNDTIMEO_NEW:
		return put_timeout(sk->sk_rare->sndtimeo, val, len);
	case SO_TIMESTAMPING:
	case SO_TIMESTAMPING_NEW:
		return put_timestamping(sk, name, val, len);
	case SO_MAX_PACING_RATE:
		return put_max_pacing_rate(sk, val, len);
	case SO_PEERCRED:
		return put_peercred(val, len);
	case SO_MEMINFO:
		return put_meminfo(sk, val, len);
	case SO_PEERGROUPS:
	case SO_PEERPIDFD:
		return -ENODATA;
	case SO_TIMESTAMP:
	case SO_TIMESTAMPNS:
	case SO_TIMESTAMP_NEW:
	case SO_TIMESTAMPNS_NEW:
		v = is_timestamp_on(sk, name);
		break;
	default:
		if (flag)
			v = (sk->sk_flags & flag) != 0;
		else if (!get_constant(name, &v) && !get_rare(sk->sk_rare, name, &v))
			err = get_int(sk, name, &v);
		break;
	}
	return err ? err : sock_put_int(val, len, v);
}
