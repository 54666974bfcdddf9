/* SPDX-License-Identifier: MIT */
/*
 * Classic BPF (McCanne, Jacobson 1993) as Linux takes it from SO_ATTACH_FILTER: a program of
 * instructions that says of a packet how many of its bytes a socket shall have. Checked when it is
 * attached, interpreted for each packet. (net/core/filter.c)
 */
#ifndef TAPLINE_CORE_FILTER_H
#define TAPLINE_CORE_FILTER_H

#include "core/sock.h"

#define BPF_MAXINSNS 4096u
#define BPF_MEMWORDS 16u
#define BPF_INSN_LEN 8u /* struct sock_filter: code, jt, jf, k; little endian */

/* Offsets of loads that are none of the packet (linux/filter.h). */
#define SKF_AD_OFF  (-0x1000)
#define SKF_NET_OFF (-0x100000)
#define SKF_LL_OFF  (-0x200000)

struct sock_filter {
	u16 code;
	u8 jt, jf;
	u32 k;
};

struct sk_filter {
	u32 refcnt;
	u32 len;
	struct sock_filter insns[];
};

/*
 * Checks and keeps a program of `count` instructions at `bytes`. NULL with *err: -EINVAL (it is not
 * one that always ends in a RET, reads what was not written, jumps out, has unknown instructions),
 * -ENOMEM.
 */
struct sk_filter *bpf_prog_create(struct world *w, const u8 *bytes, u32 count, int *err);
void bpf_prog_put(struct world *w, struct sk_filter *fp);
/* What it returns: bytes to keep, 0: none. */
u32 bpf_prog_run(const struct sk_filter *fp, const struct sk_buff *skb);

/* Ancillary loads lie below this, behind SKF_AD_OFF (SO_BPF_EXTENSIONS). */
#define SKF_AD_MAX 64

/* SO_ATTACH_FILTER, SO_DETACH_FILTER. 0 or -errno (-EPERM: locked, -ENOENT: none). */
int sk_attach_filter(struct sock *sk, const u8 *bytes, u32 len);
int sk_detach_filter(struct sock *sk);
/* SO_GET_FILTER: the bytes of the instructions that were copied; -EINVAL: no room for all. */
int sk_get_filter(struct sock *sk, u8 *val, u32 len);
/* With the memory of the socket. */
void sk_filter_release(struct sock *sk);

bool __sk_filter_trim_cap(struct sock *sk, struct sk_buff *skb, u32 cap);
/* Does the socket want the packet? Cuts it to what the filter keeps, but not below `cap` bytes.
 * False: it is to be dropped (SOCKET_FILTER). */
static inline bool sk_filter_trim_cap(struct sock *sk, struct sk_buff *skb, u32 cap)
{
	return !(sk->sk_flags & SOCK_FILTERED) || __sk_filter_trim_cap(sk, skb, cap);
}

#endif
