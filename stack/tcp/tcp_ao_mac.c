/* SPDX-License-Identifier: MIT */
/*
 * TCP-AO's mathematics (RFC 5926): traffic keys by KDF_HMAC_SHA1 or KDF_AES_128_CMAC, MACs by
 * HMAC-SHA-1-96 or AES-128-CMAC-96 (tcp_v4_ao_calc_key, tcp_ao_hash_skb and their likes).
 */
#include "tcp/tcp_ao.h"

#include "lib/crypto/aes_cmac.h"
#include "wire/tcp.h"

_Static_assert(AES_BLOCK_SIZE <= TCP_AO_MAX_TRAFFIC_KEY_LEN, "of both algorithms");

/* ---- the keyed function ---- */

struct ao_mac {
	u8 alg;
	union {
		struct hmac_sha1_ctx hmac;
		struct aes_cmac_ctx cmac;
	};
};

static void mac_init(struct ao_mac *m, u8 alg, const u8 *key, u32 len)
{
	m->alg = alg;
	if (alg == TCP_AO_HMAC_SHA1)
		hmac_sha1_init(&m->hmac, key, len);
	else
		aes_cmac_init(&m->cmac, key);
}

static void mac_update(struct ao_mac *m, const u8 *data, u32 len)
{
	if (m->alg == TCP_AO_HMAC_SHA1)
		hmac_sha1_update(&m->hmac, data, len);
	else
		aes_cmac_update(&m->cmac, data, len);
}

static void mac_final(struct ao_mac *m, u8 *mac)
{
	if (m->alg == TCP_AO_HMAC_SHA1)
		hmac_sha1_final(&m->hmac, mac);
	else
		aes_cmac_final(&m->cmac, mac);
}

u32 tcp_ao_digest_size(const struct tcp_ao_key *mkt)
{
	return mkt->alg == TCP_AO_HMAC_SHA1 ? SHA1_DIGEST_SIZE : AES_BLOCK_SIZE;
}

/* ---- keys ---- */

void tcp_ao_set_master_key(struct tcp_ao_key *mkt, const u8 *key, u32 len)
{
	static const u8 zero[AES128_KEY_SIZE];
	struct ao_mac m;

	if (mkt->alg == TCP_AO_HMAC_SHA1 || len == AES128_KEY_SIZE) {
		if (len)
			memcpy(mkt->key, key, len);
		mkt->keylen = (u8)len;
		return;
	}
	mac_init(&m, mkt->alg, zero, sizeof(zero));
	mac_update(&m, key, len);
	mac_final(&m, mkt->key);
	mkt->keylen = AES128_KEY_SIZE;
}

static u8 *put_addr(u8 *p, const struct inet_addr *a, u8 family)
{
	for (u32 i = 0; i < inet_addr_bits(family) / 32; i++, p += 4)
		store_be32(p, a->w[i]);
	return p;
}

/* i || Label || Context || Output_Length. */
void tcp_ao_calc_traffic_key(const struct tcp_ao_key *mkt, u8 *traffic_key,
			     const struct tcp_ao_context *ctx)
{
	u8 b[7 + 44 + 2] = { 1, 'T', 'C', 'P', '-', 'A', 'O' }, *p = b + 7;
	struct ao_mac m;

	p = put_addr(p, ctx->ends.saddr, ctx->ends.family);
	p = put_addr(p, ctx->ends.daddr, ctx->ends.family);
	put_be16(p, ctx->sport);
	put_be16(p + 2, ctx->dport);
	put_be32(p + 4, ctx->sisn);
	put_be32(p + 8, ctx->disn);
	put_be16(p + 12, (u16)(tcp_ao_digest_size(mkt) * 8));
	mac_init(&m, mkt->alg, mkt->key, mkt->keylen);
	mac_update(&m, b, (u32)(p + 14 - b));
	mac_final(&m, traffic_key);
}

/* ---- MAC ---- */

/* RFC 5925 5.1 3.: the header with checksum and MAC of 0, without other options where the key
 * says so. */
static void hash_header(struct ao_mac *m, const struct tcp_ao_key *mkt,
			const struct tcp_ao_segment *seg)
{
	u8 h[TCP_HLEN_MAX];
	u32 len = tcp_doff(seg->th), mac_at = (u32)(seg->mac_at - seg->th);

	memcpy(h, seg->th, len);
	put_be16(h + 16, 0);
	if (mkt->keyflags & TCP_AO_KEYF_EXCLUDE_OPT) {
		memmove(h + TCP_HLEN, h + mac_at - TCP_AO_HDR_LEN, TCP_AO_HDR_LEN);
		mac_at = TCP_HLEN + TCP_AO_HDR_LEN;
		len = mac_at + mkt->maclen;
	}
	memset(h + mac_at, 0, mkt->maclen);
	mac_update(m, h, len);
}

void tcp_ao_hash(const struct tcp_ao_key *mkt, const u8 *traffic_key,
		 const struct tcp_ao_segment *seg, const struct sk_buff *skb, u8 *mac)
{
	u32 doff = tcp_doff(seg->th);
	struct ao_mac m;
	u8 b[64];

	mac_init(&m, mkt->alg, traffic_key, tcp_ao_digest_size(mkt));
	put_be32(b, seg->sne);
	mac_update(&m, b, 4);
	mac_update(&m, b, tcp_pseudo_header(b, &seg->ends, seg->len));
	hash_header(&m, mkt, seg);
	if (!skb)
		mac_update(&m, seg->th + doff, seg->len - doff);
	else
		for (u32 at = doff; at < seg->len; at += sizeof(b)) {
			u32 n = min_u32(sizeof(b), seg->len - at);

			skb_copy_bits(skb, at, b, n);
			mac_update(&m, b, n);
		}
	mac_final(&m, mac);
}
