/* SPDX-License-Identifier: MIT */
/*
 * Options of level SOL_TCP (do_tcp_setsockopt, do_tcp_getsockopt), in Linux x86-64's layout on
 * every machine: those that are more than a number. Other levels go to the family.
 */
#include "tcp/tcp_ao.h"
#include "tcp/tcp_cong.h"
#include "tcp/tcp_fastopen.h"
#include "tcp/tcp_md5.h"
#include "tcp/tcp_rare.h"
#include "tcp/tcp_sockopt.h"
#include "tcp/tcp_user.h"

/* ---- set ---- */

static int set_fastopen_key(struct sock *sk, const u8 *val, u32 len)
{
	if (len != TCP_FASTOPEN_KEY_LENGTH && len != TCP_FASTOPEN_KEY_MAX * TCP_FASTOPEN_KEY_LENGTH)
		return -EINVAL;
	return tcp_fastopen_reset_cipher(sk->net, sk, val, len / TCP_FASTOPEN_KEY_LENGTH);
}

int tcp_setsockopt(struct sock *sk, u32 level, u32 name, const u8 *val, u32 len)
{
	s32 v;

	if (level != SOL_TCP)
		return inet_csk(sk)->icsk_af_ops->setsockopt(sk, level, name, val, len);
	if (name == TCP_CONGESTION)
		return len < 1 ? -EINVAL : tcp_set_congestion_control(sk, val, len);
	if (name == TCP_ULP) /* tcp_ulp_find_autoload: there is none */
		return len < 1 ? -EINVAL : -ENOENT;
	if (name == TCP_MD5SIG || name == TCP_MD5SIG_EXT)
		return tcp_parse_md5_keys(sk, name == TCP_MD5SIG_EXT, val, len);
	if (name >= TCP_AO_ADD_KEY && name <= TCP_AO_REPAIR)
		return tcp_ao_setsockopt(sk, name, val, len);
	if (name == TCP_FASTOPEN_KEY)
		return set_fastopen_key(sk, val, len);
	if (sock_get_int(val, len, &v))
		return -EINVAL;
	return tcp_set_int(sk, name, v);
}

/* ---- get ---- */

/* Given once. */
static int get_saved_syn(struct sock *sk, u8 *val, u32 len)
{
	const struct saved_syn *saved = tcp_sk(sk)->rare->saved_syn;
	int n;

	if (!saved)
		return 0;
	if (len < saved->len)
		return -EINVAL;
	n = sock_put_bytes(val, len, saved->data, saved->len);
	tcp_saved_syn_free(sk->net, &tcp_rare_own(tcp_sk(sk))->saved_syn);
	return n;
}

static int get_cc_info(const struct sock *sk, u8 *val, u32 len)
{
	const struct tcp_congestion_ops *ca = inet_csk(sk)->icsk_ca_ops;
	u8 info[16];

	return ca->get_info ? sock_put_bytes(val, len, info, ca->get_info(sk, info)) : 0;
}

int tcp_getsockopt(struct sock *sk, u32 level, u32 name, u8 *val, u32 len)
{
	u8 info[TCP_INFO_SIZE], ca[TCP_CA_NAME_MAX] = { 0 };
	u8 keys[TCP_FASTOPEN_KEY_MAX * TCP_FASTOPEN_KEY_LENGTH];
	s32 v;
	int err;

	if (level != SOL_TCP)
		return inet_csk(sk)->icsk_af_ops->getsockopt(sk, level, name, val, len);
	if (name == TCP_INFO) {
		tcp_get_info(sk, info);
		return sock_put_bytes(val, len, info, sizeof(info));
	}
	if (name == TCP_CONGESTION) {
		const char *s = inet_csk(sk)->icsk_ca_ops->name;

		for (u32 i = 0; s[i] && i + 1 < sizeof(ca); i++)
			ca[i] = (u8)s[i];
		return sock_put_bytes(val, len, ca, sizeof(ca));
	}
	if (name >= TCP_AO_INFO && name <= TCP_AO_REPAIR)
		return tcp_ao_getsockopt(sk, name, val, len);
	if (name == TCP_ULP)
		return 0;
	if (name == TCP_SAVED_SYN)
		return get_saved_syn(sk, val, len);
	if (name == TCP_CC_INFO)
		return get_cc_info(sk, val, len);
	if (name == TCP_FASTOPEN_KEY)
		return sock_put_bytes(val, len, keys,
				      tcp_fastopen_get_cipher(sk->net, sk, keys) *
					      TCP_FASTOPEN_KEY_LENGTH);
	err = tcp_get_int(sk, name, &v);
	return err ? err : sock_put_int(val, len, v);
}
