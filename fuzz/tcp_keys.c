/* SPDX-License-Identifier: MIT */
/*
 * tcp_state_machine: keys of TCP MD5 and TCP-AO, on the host's sockets and with the peer. What the
 * peer signs for other numbers than the connection's is dropped: to the model it got lost.
 */
#include "tcp_scenario.h"

#include <stdio.h>
#include <string.h>

#include "stack/socket.h"
#include "stack/tcp.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_md5.h"

#define AO_KEYS	     4u
#define AO_GET_SIZE  304u
#define AO_ADD_SIZE  288u
#define AO_DEL_SIZE  144u
#define AO_INFO_SIZE 48u
#define MD5SIG_SIZE  216u

static const char key_bytes[] = "a key that both sides know";

/* Key n of TCP-AO: the host sends as n and receives as n + AO_KEYS. */
static u8 host_id(u32 n)
{
	return (u8)n;
}

static u8 peer_id(u32 n)
{
	return (u8)(n + AO_KEYS);
}

/* sockaddr_storage of the peer. */
static void put_peer(u8 *p)
{
	p[0] = AF_INET;
	memcpy(p + 4, FUZZ_PEER_ADDR, 4);
}

static void set(struct fuzz_world *f, const struct slot *s, u32 name, u8 *value, u32 len)
{
	struct sys_op op = { .nr = SYS_SETSOCKOPT, .fd = s->fd };

	op.arg[0] = SOL_TCP;
	op.arg[1] = name;
	op.data = value;
	op.data_len = len;
	(void)fuzz_call(f, &op);
}

static void md5_key(struct fuzz_world *f, const struct slot *s, bool on)
{
	u8 v[MD5SIG_SIZE] = { 0 };

	put_peer(v);
	v[130] = on ? sizeof(key_bytes) : 0;
	memcpy(v + 136, key_bytes, sizeof(key_bytes));
	set(f, s, TCP_MD5SIG, v, sizeof(v));
}

/* Key n is of the one algorithm or the other, with or without the options. */
static void describe(u32 n, u8 *alg, u8 *keyflags, u8 *maclen)
{
	*alg = n & 1 ? TCP_AO_AES_128_CMAC : TCP_AO_HMAC_SHA1;
	*keyflags = n & 2 ? TCP_AO_KEYF_EXCLUDE_OPT : 0;
	*maclen = n == 3 ? 5 : 12;
}

static void ao_add(struct fuzz_world *f, const struct slot *s, u32 n, u32 bits)
{
	u8 v[AO_ADD_SIZE] = { 0 }, alg;

	put_peer(v);
	describe(n, &alg, v + 206, v + 205);
	snprintf((char *)v + 128, 64, "%s",
		 alg == TCP_AO_HMAC_SHA1 ? "hmac(sha1)" : "cmac(aes128)");
	v[196] = bits & 3;
	v[202] = 32;
	v[203] = host_id(n);
	v[204] = peer_id(n);
	v[207] = sizeof(key_bytes);
	memcpy(v + 208, key_bytes, sizeof(key_bytes));
	set(f, s, TCP_AO_ADD_KEY, v, sizeof(v));
}

static void ao_del(struct fuzz_world *f, const struct slot *s, u32 n, u32 bits)
{
	u8 v[AO_DEL_SIZE] = { 0 };

	put_peer(v);
	v[132] = bits & 3;
	v[138] = 32;
	v[139] = host_id(n);
	v[140] = peer_id(n);
	v[141] = host_id(n ^ 1);
	v[142] = peer_id(n ^ 1);
	set(f, s, TCP_AO_DEL_KEY, v, sizeof(v));
}

static void ao_info(struct fuzz_world *f, const struct slot *s, u32 n, u32 bits)
{
	u8 v[AO_INFO_SIZE] = { 0 };

	v[0] = (u8)(bits & 3) | (bits & 4 ? 16 : 0) | (bits == 7 ? 4 : 0);
	v[6] = host_id(n);
	v[7] = peer_id(n);
	set(f, s, TCP_AO_INFO, v, sizeof(v));
}

static void ao_look(struct fuzz_world *f, const struct slot *s)
{
	u8 v[2 * AO_GET_SIZE] = { 0 };
	struct sys_op op = { .nr = SYS_GETSOCKOPT, .fd = s->fd };

	v[272] = 2; /* room for two */
	v[276] = 4; /* all */
	op.arg[0] = SOL_TCP;
	op.arg[1] = TCP_AO_GET_KEYS;
	op.data = v;
	op.data_len = sizeof(v);
	FUZZ_CHECK(fuzz_call(f, &op) <= (s64)sizeof(v), "more keys than there is room for");
}

void do_keys(struct fuzz_world *f, struct slot *s, u8 arg)
{
	struct scenario *sc = f->ctx;
	u32 n = arg >> 3 & 3, bits = arg >> 5;

	switch (arg & 7) {
	case 0:
		md5_key(f, s, true);
		break;
	case 1:
		md5_key(f, s, false);
		break;
	case 2:
	case 3:
		ao_add(f, s, n, bits);
		break;
	case 4:
		ao_del(f, s, n, bits);
		break;
	case 5:
		ao_info(f, s, n, bits);
		break;
	case 6:
		sc->sign = (u8)(bits & 1 ? SIGN_AO + n : bits & 2 ? SIGN_MD5 : 0);
		break;
	default:
		ao_look(f, s);
		break;
	}
	run(f, DELIVERY_NS);
}

u32 sign_room(const struct scenario *sc)
{
	if (!sc->sign)
		return 0;
	return sc->sign == SIGN_MD5 ? 20 : sc->sign == SIGN_AO + 3 ? 12 : 16;
}

void sign_segment(const struct scenario *sc, const struct conn *c, u8 *th, u32 len)
{
	const struct inet_addr peer = inet_addr4(htonl(get32((const u8 *)FUZZ_PEER_ADDR))),
			       host = inet_addr4(htonl(get32((const u8 *)FUZZ_HOST_ADDR)));
	const struct tcp_ends ends = { .family = AF_INET, .saddr = &peer, .daddr = &host };
	struct tcp_md5sig_key md5 = { .keylen = sizeof(key_bytes) };
	struct tcp_ao_context ctx = { .ends = ends, .sport = c->sport, .dport = c->dport };
	struct tcp_ao_key ao = { 0 };
	struct tcp_key key = { .pad = 1 };
	u32 n = sc->sign - SIGN_AO, seq = get32(th + 4);

	if (sc->sign == SIGN_MD5) {
		memcpy(md5.key, key_bytes, sizeof(key_bytes));
		key.type = TCP_KEY_MD5;
		key.md5_key = &md5;
	} else {
		describe(n, &ao.alg, &ao.keyflags, &ao.maclen);
		tcp_ao_set_master_key(&ao, (const u8 *)key_bytes, sizeof(key_bytes));
		key.type = TCP_KEY_AO;
		key.ao_key = &ao;
		key.keyid = peer_id(n);
		key.rnext = host_id(n);
		ctx.sisn = th[13] & SYN ? seq : c->signed_syn;
		ctx.disn = (th[13] & (SYN | ACK)) == SYN ? 0 : c->isn;
		key.sne = th[13] & SYN ? 0 : tcp_ao_compute_sne(0, ctx.sisn, seq);
		tcp_ao_calc_traffic_key(&ao, key.traffic_key, &ctx);
	}
	tcp_key_sign(&key, th, len, 20, &ends);
}
