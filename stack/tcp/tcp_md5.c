/* SPDX-License-Identifier: MIT */
/*
 * TCP MD5 signatures (tcp_md5.h; tcp_v4_md5_*, tcp_inbound_md5_hash of net/ipv4). The way of a
 * digest: pseudo header, header without options and with a checksum of 0, data, key (RFC 2385 2.0).
 */
#include "tcp/tcp_md5.h"

#include "lib/crypto/md5.h"
#include "tcp/tcp_ao.h"
#include "wire/tcp.h"

#define MD5SIG_STRUCT_SIZE	216u /* struct tcp_md5sig of Linux x86-64 */
#define MD5SIG_STORAGE		128u /* its address */
#define TCP_MD5SIG_FLAG_PREFIX	1u
#define TCP_MD5SIG_FLAG_IFINDEX 2u

/* ---- keys ---- */

const struct tcp_md5sig_key *tcp_md5_do_lookup(const struct sock *sk, u8 family,
					       const struct inet_addr *addr)
{
	const struct tcp_auth *auth = tcp_sk(sk)->rare->auth;
	const struct tcp_md5sig_key *best = NULL;

	if (!auth)
		return NULL;
	list_for_each(pos, &auth->md5_keys) {
		const struct tcp_md5sig_key *k = list_entry(pos, struct tcp_md5sig_key, node);

		if (k->family == family && inet_addr_prefix_equal(&k->addr, addr, k->prefixlen) &&
		    (!best || k->prefixlen > best->prefixlen))
			best = k;
	}
	return best;
}

static struct tcp_md5sig_key *lookup_exact(const struct sock *sk, u8 family,
					   const struct inet_addr *addr, u8 prefixlen)
{
	const struct tcp_auth *auth = tcp_sk(sk)->rare->auth;

	if (!auth)
		return NULL;
	list_for_each(pos, &auth->md5_keys) {
		struct tcp_md5sig_key *k = list_entry(pos, struct tcp_md5sig_key, node);

		if (k->family == family && k->prefixlen == prefixlen &&
		    inet_addr_equal(&k->addr, addr))
			return k;
	}
	return NULL;
}

/* A new one; of a key that is there already the bytes change. */
static int key_add(struct net *net, struct tcp_auth *auth, struct tcp_md5sig_key *k,
		   const struct tcp_md5sig_key *from)
{
	if (!k) {
		k = mem_zalloc(net_world(net), MEM_MISC, sizeof(*k));
		if (!k)
			return -ENOMEM;
		k->family = from->family;
		k->addr = from->addr;
		k->prefixlen = from->prefixlen;
		list_add_tail(&k->node, &auth->md5_keys);
	}
	memcpy(k->key, from->key, from->keylen);
	k->keylen = from->keylen;
	return 0;
}

static int md5_do_add(struct sock *sk, const struct tcp_md5sig_key *key)
{
	struct tcp_auth *auth = tcp_auth_get(sk);
	int err = auth ? key_add(sk->net, auth,
				 lookup_exact(sk, key->family, &key->addr, key->prefixlen), key) :
			 -ENOMEM;

	if (!err)
		sk->sk_gso_disabled = true; /* each segment has a digest of its own */
	return err;
}

int tcp_md5_key_copy(struct net *net, struct tcp_auth *auth, const struct inet_addr *addr,
		     const struct tcp_md5sig_key *key)
{
	struct tcp_md5sig_key k = *key;

	k.addr = *addr;
	k.prefixlen = (u8)inet_addr_bits(k.family);
	return key_add(net, auth, NULL, &k);
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

static bool addr_v4mapped(const struct inet_addr *a)
{
	return !a->w[0] && !a->w[1] && ntohl(a->w[2]) == 0xffff;
}

bool tcp_sockopt_addr(const u8 *val, struct inet_addr *addr, u8 *family)
{
	*addr = (struct inet_addr){ 0 };
	*family = (u8)get_le16(val);
	if (*family == AF_INET) {
		addr->w[0] = load_be32(val + 4);
		return true;
	}
	for (u32 i = 0; i < 4; i++)
		addr->w[i] = load_be32(val + 8 + 4 * i);
	if (addr_v4mapped(addr)) {
		*addr = inet_addr4(addr->w[3]);
		*family = AF_INET;
	}
	return get_le16(val) == AF_INET6;
}

int tcp_parse_md5_keys(struct sock *sk, bool ext, const u8 *val, u32 len)
{
	struct tcp_md5sig_key key;
	u8 flags;
	u32 keylen;

	if (len < MD5SIG_STRUCT_SIZE)
		return -EINVAL;
	if (get_le16(val) != sk->family || !tcp_sockopt_addr(val, &key.addr, &key.family))
		return -EINVAL;
	flags = ext ? val[MD5SIG_STORAGE] : 0;
	key.prefixlen = (u8)inet_addr_bits(key.family);
	if (flags & TCP_MD5SIG_FLAG_PREFIX) {
		key.prefixlen = val[MD5SIG_STORAGE + 1];
		if (key.prefixlen > inet_addr_bits(key.family))
			return -EINVAL;
	}
	/* There is no VRF here that the key could be bound to. */
	if (flags & TCP_MD5SIG_FLAG_IFINDEX && get_le32(val + MD5SIG_STORAGE + 4))
		return -EINVAL;
	keylen = get_le16(val + MD5SIG_STORAGE + 2);
	if (!keylen)
		return md5_do_del(sk, key.family, &key.addr, key.prefixlen);
	if (keylen > TCP_MD5SIG_MAXKEYLEN)
		return -EINVAL;
	/* RFC 5925 2.2: not both for a peer. */
	if (tcp_ao_required(sk, &key.addr, key.family, false))
		return -EKEYREJECTED;
	key.keylen = (u8)keylen;
	memcpy(key.key, val + MD5SIG_STORAGE + 8, keylen);
	return md5_do_add(sk, &key);
}

void tcp_md5_clear(struct net *net, struct tcp_auth *auth)
{
	list_for_each_safe(pos, tmp, &auth->md5_keys) {
		struct tcp_md5sig_key *k = list_entry(pos, struct tcp_md5sig_key, node);

		list_del_init(&k->node);
		mem_free(net_world(net), MEM_MISC, k, sizeof(*k));
	}
}

/* ---- digests ---- */

static void hash_begin(struct md5_ctx *ctx, const u8 *th, u32 len, const struct tcp_ends *ends)
{
	u8 b[40 + TCP_HLEN], *p = b + tcp_pseudo_header(b, ends, len);

	memcpy(p, th, TCP_HLEN);
	put_be16(p + 16, 0); /* the checksum */
	md5_init(ctx);
	md5_update(ctx, b, (size_t)(p - b) + TCP_HLEN);
}

void tcp_md5_sign(u8 *th, u32 len, u32 at, const struct tcp_ends *ends,
		  const struct tcp_md5sig_key *key)
{
	u8 *p = th + at;
	struct md5_ctx ctx;
	u32 doff = tcp_doff(th);

	ASSERT(doff >= at + TCPOLEN_MD5SIG_ALIGNED);
	p[0] = TCPOPT_NOP;
	p[1] = TCPOPT_NOP;
	p[2] = TCPOPT_MD5SIG;
	p[3] = TCPOLEN_MD5SIG;
	hash_begin(&ctx, th, len, ends);
	md5_update(&ctx, th + doff, len - doff);
	md5_update(&ctx, key->key, key->keylen);
	md5_final(&ctx, p + 4);
}

enum skb_drop_reason tcp_inbound_md5_hash(const struct sock *sk, const struct sk_buff *skb,
					  const struct tcp_ends *ends, const u8 *hash)
{
	const struct tcp_md5sig_key *key = tcp_md5_do_lookup(sk, ends->family, ends->saddr);
	const u8 *th = tcp_hdr(skb);
	u8 want[MD5_DIGEST_SIZE], chunk[64];
	struct md5_ctx ctx;

	if (!key && !hash)
		return SKB_DROP_REASON_NOT_SPECIFIED;
	if (!key) {
		MIB_INC(sk->net, TcpExtTCPMD5Unexpected);
		return SKB_DROP_REASON_TCP_MD5UNEXPECTED;
	}
	if (!hash) {
		MIB_INC(sk->net, TcpExtTCPMD5NotFound);
		return SKB_DROP_REASON_TCP_MD5NOTFOUND;
	}
	hash_begin(&ctx, th, skb->len, ends);
	for (u32 at = tcp_doff(th); at < skb->len; at += sizeof(chunk)) {
		u32 n = min_u32(sizeof(chunk), skb->len - at);

		skb_copy_bits(skb, at, chunk, n);
		md5_update(&ctx, chunk, n);
	}
	md5_update(&ctx, key->key, key->keylen);
	md5_final(&ctx, want);
	if (!memcmp(want, hash, sizeof(want)))
		return SKB_DROP_REASON_NOT_SPECIFIED;
	MIB_INC(sk->net, TcpExtTCPMD5Failure);
	return SKB_DROP_REASON_TCP_MD5FAILURE;
}
