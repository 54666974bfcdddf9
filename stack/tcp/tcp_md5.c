/* SPDX-License-Identifier: MIT */
/*
 * TCP MD5 signatures (tcp_md5.h; tcp_v4_md5_*, tcp_inbound_md5_hash of net/ipv4). The way of a
 * digest: pseudo header, header without options and with a checksum of 0, data, key (RFC 2385 2.0).
 */
#include "tcp/tcp_md5.h"

#include "lib/crypto/md5.h"
#include "wire/tcp.h"

#define MD5SIG_STRUCT_SIZE	216u /* struct tcp_md5sig of Linux x86-64 */
#define MD5SIG_STORAGE		128u /* its address */
#define TCP_MD5SIG_FLAG_PREFIX	1u
#define TCP_MD5SIG_FLAG_IFINDEX 2u

/* ---- keys ---- */

static u32 addr_bits(u8 family)
{
	return family == AF_INET ? 32 : 128;
}

static bool prefix_equal(const struct inet_addr *a, const struct inet_addr *b, u32 bits)
{
	for (u32 i = 0; i < 4 && bits; i++) {
		u32 n = min_u32(bits, 32);
		u32 mask = n == 32 ? UINT32_MAX : ~(UINT32_MAX >> n);

		if ((ntohl(a->w[i]) ^ ntohl(b->w[i])) & mask)
			return false;
		bits -= n;
	}
	return true;
}

const struct tcp_md5sig_key *tcp_md5_do_lookup(const struct sock *sk, u8 family,
					       const struct inet_addr *addr)
{
	const struct tcp_md5sig_info *info = tcp_sk(sk)->rare->md5sig_info;
	const struct tcp_md5sig_key *best = NULL;

	if (!info)
		return NULL;
	list_for_each(pos, &info->keys) {
		const struct tcp_md5sig_key *k = list_entry(pos, struct tcp_md5sig_key, node);

		if (k->family == family && prefix_equal(&k->addr, addr, k->prefixlen) &&
		    (!best || k->prefixlen > best->prefixlen))
			best = k;
	}
	return best;
}

static struct tcp_md5sig_key *lookup_exact(const struct sock *sk, u8 family,
					   const struct inet_addr *addr, u8 prefixlen)
{
	const struct tcp_md5sig_info *info = tcp_sk(sk)->rare->md5sig_info;

	if (!info)
		return NULL;
	list_for_each(pos, &info->keys) {
		struct tcp_md5sig_key *k = list_entry(pos, struct tcp_md5sig_key, node);

		if (k->family == family && k->prefixlen == prefixlen &&
		    inet_addr_equal(&k->addr, addr))
			return k;
	}
	return NULL;
}

static int md5_do_add(struct sock *sk, u8 family, const struct inet_addr *addr, u8 prefixlen,
		      const u8 *key, u32 keylen)
{
	struct world *w = net_world(sk->net);
	struct tcp_rare *rare = tcp_rare_get(sk);
	struct tcp_md5sig_key *k = lookup_exact(sk, family, addr, prefixlen);

	if (!rare)
		return -ENOMEM;
	if (!rare->md5sig_info) {
		rare->md5sig_info = mem_zalloc(w, MEM_MISC, sizeof(*rare->md5sig_info));
		if (!rare->md5sig_info)
			return -ENOMEM;
		list_init(&rare->md5sig_info->keys);
	}
	if (!k) {
		k = mem_zalloc(w, MEM_MISC, sizeof(*k));
		if (!k)
			return -ENOMEM;
		k->family = family;
		k->addr = *addr;
		k->prefixlen = prefixlen;
		list_add_tail(&k->node, &rare->md5sig_info->keys);
	}
	memcpy(k->key, key, keylen);
	k->keylen = (u8)keylen;
	sk->sk_gso_disabled = true; /* each segment has a digest of its own */
	return 0;
}

static int md5_do_del(struct sock *sk, u8 family, const struct inet_addr *addr, u8 prefixlen)
{
	struct tcp_md5sig_key *k = lookup_exact(sk, family, addr, prefixlen);

	if (!k)
		return -ENOENT;
	list_del_init(&k->node);
	mem_free(net_world(sk->net), MEM_MISC, k, sizeof(*k));
	return 0;
}

int tcp_parse_md5_keys(struct sock *sk, bool ext, const u8 *val, u32 len)
{
	struct inet_addr addr = { { 0 } };
	u8 family, flags, prefixlen;
	u32 keylen;

	if (len < MD5SIG_STRUCT_SIZE)
		return -EINVAL;
	family = (u8)get_le16(val);
	if (family != sk->family)
		return -EINVAL;
	if (family == AF_INET)
		addr.w[0] = load_be32(val + 4);
	else
		for (u32 i = 0; i < 4; i++)
			addr.w[i] = load_be32(val + 8 + 4 * i);
	if (family == AF_INET6 && !addr.w[0] && !addr.w[1] && ntohl(addr.w[2]) == 0xffff) {
		/* An IPv4 peer of this socket. */
		addr = inet_addr4(addr.w[3]);
		family = AF_INET;
	}
	flags = val[MD5SIG_STORAGE];
	prefixlen = (u8)addr_bits(family);
	keylen = get_le16(val + MD5SIG_STORAGE + 2);
	if (ext && flags & TCP_MD5SIG_FLAG_PREFIX) {
		prefixlen = val[MD5SIG_STORAGE + 1];
		if (prefixlen > addr_bits(family))
			return -EINVAL;
	}
	/* There is no VRF here that the key could be bound to. */
	if (ext && flags & TCP_MD5SIG_FLAG_IFINDEX && get_le32(val + MD5SIG_STORAGE + 4))
		return -EINVAL;
	if (!keylen)
		return md5_do_del(sk, family, &addr, prefixlen);
	if (keylen > TCP_MD5SIG_MAXKEYLEN)
		return -EINVAL;
	return md5_do_add(sk, family, &addr, prefixlen, val + MD5SIG_STORAGE + 8, keylen);
}

void tcp_md5_inherit(const struct sock *sk, struct sock *child)
{
	const struct sock_common *skc = inet_skc(child);
	const struct tcp_md5sig_key *k =
		tcp_md5_do_lookup(sk, (u8)skc->skc_family, &skc->skc_daddr);

	if (k && !md5_do_add(child, k->family, &skc->skc_daddr, (u8)addr_bits(k->family), k->key,
			     k->keylen))
		tcp_sk(child)->tcp_header_len += TCPOLEN_MD5SIG_ALIGNED;
}

void tcp_md5_destroy(struct sock *sk)
{
	struct world *w = net_world(sk->net);
	struct tcp_sock *tp = tcp_sk(sk);

	if (!tp->rare->md5sig_info)
		return;
	list_for_each_safe(pos, tmp, &tp->rare->md5sig_info->keys) {
		struct tcp_md5sig_key *k = list_entry(pos, struct tcp_md5sig_key, node);

		list_del_init(&k->node);
		mem_free(w, MEM_MISC, k, sizeof(*k));
	}
	mem_free(w, MEM_MISC, tp->rare->md5sig_info, sizeof(*tp->rare->md5sig_info));
	tcp_rare_own(tp)->md5sig_info = NULL;
}

/* ---- digests ---- */

u8 *tcp_md5_write(u8 *p)
{
	p[0] = TCPOPT_NOP;
	p[1] = TCPOPT_NOP;
	p[2] = TCPOPT_MD5SIG;
	p[3] = TCPOLEN_MD5SIG;
	memset(p + 4, 0, MD5_DIGEST_SIZE);
	return p + TCPOLEN_MD5SIG_ALIGNED;
}

static void hash_begin(struct md5_ctx *ctx, const u8 *th, u32 len, u8 family,
		       const struct inet_addr *saddr, const struct inet_addr *daddr)
{
	u8 b[40 + TCP_HLEN] = { 0 }, *p = b;
	u32 words = family == AF_INET ? 1 : 4;

	for (u32 i = 0; i < words; i++, p += 4)
		store_be32(p, saddr->w[i]);
	for (u32 i = 0; i < words; i++, p += 4)
		store_be32(p, daddr->w[i]);
	if (family == AF_INET) {
		p[1] = IPPROTO_TCP;
		put_be16(p + 2, (u16)len);
		p += 4;
	} else {
		put_be32(p, len);
		p[7] = IPPROTO_TCP;
		p += 8;
	}
	memcpy(p, th, TCP_HLEN);
	put_be16(p + 16, 0); /* the checksum */
	md5_init(ctx);
	md5_update(ctx, b, (size_t)(p - b) + TCP_HLEN);
}

void tcp_md5_sign(u8 *th, u32 len, u8 family, const struct inet_addr *saddr,
		  const struct inet_addr *daddr, const struct tcp_md5sig_key *key)
{
	struct md5_ctx ctx;
	u32 doff = tcp_doff(th);

	ASSERT(doff >= TCP_HLEN + TCPOLEN_MD5SIG_ALIGNED && th[TCP_HLEN + 2] == TCPOPT_MD5SIG);
	hash_begin(&ctx, th, len, family, saddr, daddr);
	md5_update(&ctx, th + doff, len - doff);
	md5_update(&ctx, key->key, key->keylen);
	md5_final(&ctx, th + TCP_HLEN + 4);
}

/* The digest that a segment carries; NULL: none. */
static const u8 *find_digest(const u8 *th)
{
	const u8 *opts = th + TCP_HLEN;
	u32 len = tcp_doff(th) - TCP_HLEN, at = 0, size;
	u8 kind;

	if (!len)
		return NULL;
	do {
		u32 here = at;

		at = tcp_option_next(opts, len, at, &kind, &size);
		if (kind == TCPOPT_MD5SIG && size == TCPOLEN_MD5SIG)
			return opts + here + 2;
	} while (size && at);
	return NULL;
}

enum skb_drop_reason tcp_inbound_md5_hash(const struct sock *sk, const struct sk_buff *skb,
					  u8 family, const struct inet_addr *saddr,
					  const struct inet_addr *daddr)
{
	const struct tcp_md5sig_key *key = tcp_md5_do_lookup(sk, family, saddr);
	const u8 *th = tcp_hdr(skb), *digest = find_digest(th);
	u8 want[MD5_DIGEST_SIZE], chunk[64];
	struct md5_ctx ctx;

	if (!key && !digest)
		return SKB_DROP_REASON_NOT_SPECIFIED;
	if (!key) {
		MIB_INC(sk->net, TcpExtTCPMD5Unexpected);
		return SKB_DROP_REASON_TCP_MD5UNEXPECTED;
	}
	if (!digest) {
		MIB_INC(sk->net, TcpExtTCPMD5NotFound);
		return SKB_DROP_REASON_TCP_MD5NOTFOUND;
	}
	hash_begin(&ctx, th, skb->len, family, saddr, daddr);
	for (u32 at = tcp_doff(th); at < skb->len; at += sizeof(chunk)) {
		u32 n = min_u32(sizeof(chunk), skb->len - at);

		skb_copy_bits(skb, at, chunk, n);
		md5_update(&ctx, chunk, n);
	}
	md5_update(&ctx, key->key, key->keylen);
	md5_final(&ctx, want);
	if (!memcmp(want, digest, sizeof(want)))
		return SKB_DROP_REASON_NOT_SPECIFIED;
	MIB_INC(sk->net, TcpExtTCPMD5Failure);
	return SKB_DROP_REASON_TCP_MD5FAILURE;
}
