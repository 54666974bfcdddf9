/* SPDX-License-Identifier: MIT */
/*
 * TCP_AO_ADD_KEY, TCP_AO_DEL_KEY, TCP_AO_INFO, TCP_AO_GET_KEYS (tcp_ao_add_cmd and its likes of
 * net/ipv4/tcp_ao.c), in the layout of linux/tcp.h, little endian on every machine.
 */
#include "tcp/tcp_ao.h"
#include "tcp/tcp_md5.h"

#define SOCKADDR_STORAGE_SIZE 128u
#define ALG_NAME_SIZE	      64u

/* struct tcp_ao_add */
#define ADD_SIZE     288u
#define ADD_ALG	     128u
#define ADD_IFINDEX  192u
#define ADD_FLAGS    196u
#define ADD_RESERVED 200u
#define ADD_PREFIX   202u
#define ADD_SNDID    203u
#define ADD_RCVID    204u
#define ADD_MACLEN   205u
#define ADD_KEYFLAGS 206u
#define ADD_KEYLEN   207u
#define ADD_KEY	     208u

/* struct tcp_ao_del */
#define DEL_SIZE     144u
#define DEL_IFINDEX  128u
#define DEL_FLAGS    132u
#define DEL_RESERVED 136u
#define DEL_PREFIX   138u
#define DEL_SNDID    139u
#define DEL_RCVID    140u
#define DEL_CURRENT  141u
#define DEL_RNEXT    142u
#define DEL_KEYFLAGS 143u

/* struct tcp_ao_info_opt */
#define INFO_SIZE     48u
#define INFO_RESERVED 4u
#define INFO_CURRENT  6u
#define INFO_RNEXT    7u
#define INFO_COUNTERS 8u

/* struct tcp_ao_getsockopt */
#define GET_SIZE     304u
#define GET_ALG	     128u
#define GET_KEY	     192u
#define GET_NKEYS    272u
#define GET_FLAGS    276u
#define GET_SNDID    278u
#define GET_RCVID    279u
#define GET_PREFIX   280u
#define GET_MACLEN   281u
#define GET_KEYFLAGS 282u
#define GET_KEYLEN   283u
#define GET_IFINDEX  284u
#define GET_PKT_GOOD 288u
#define GET_PKT_BAD  296u

/* Bits of their flags. */
#define SET_CURRENT  1u
#define SET_RNEXT    2u
#define DEL_ASYNC    4u
#define AO_REQUIRED  4u
#define SET_COUNTERS 8u
#define ACCEPT_ICMPS 16u
#define IS_CURRENT   1u
#define IS_RNEXT     2u
#define GET_ALL	     4u

static const char *const alg_names[] = {
	[TCP_AO_HMAC_SHA1] = "hmac(sha1)", [TCP_AO_AES_128_CMAC] = "cmac(aes128)"
};

/* copy_struct_from_sockptr(): what a later version adds must be zero. */
static int check_size(const u8 *val, u32 len, u32 size)
{
	if (len < size)
		return -EINVAL;
	for (u32 i = size; i < len; i++)
		if (val[i])
			return -E2BIG;
	return 0;
}

static bool is_fresh(const struct sock *sk)
{
	return sk->sk_state == TCP_CLOSE || sk->sk_state == TCP_LISTEN;
}

/* Makes tcp_ao_info the socket's. NULL: no memory. */
static struct tcp_ao_info *info_get(struct sock *sk)
{
	struct tcp_auth *auth = tcp_auth_get(sk);

	if (!auth)
		return NULL;
	if (!auth->ao_info)
		auth->ao_info = tcp_ao_alloc_info(sk->net);
	if (auth->ao_info)
		sk->sk_gso_disabled = true; /* each segment has a MAC of its own */
	return auth->ao_info;
}

/* The keys that current_key and rnext_key are to be. 0 or -ENOENT. */
static int find_new(const struct tcp_ao_info *ao, u32 flags, u8 current_id, u8 rnext_id,
		    struct tcp_ao_key *found[2])
{
	found[0] = NULL;
	found[1] = NULL;
	if (flags & SET_CURRENT) {
		found[0] = tcp_ao_established_key(ao, current_id, -1);
		if (!found[0])
			return -ENOENT;
	}
	if (flags & SET_RNEXT) {
		found[1] = tcp_ao_established_key(ao, -1, rnext_id);
		if (!found[1])
			return -ENOENT;
	}
	return 0;
}

static void set_new(struct tcp_ao_info *ao, struct tcp_ao_key *const found[2])
{
	if (found[0])
		ao->current_key = found[0];
	if (found[1])
		ao->rnext_key = found[1];
}

/* ---- TCP_AO_ADD_KEY ---- */

static bool addr_is_prefix(const struct inet_addr *addr, u32 bits)
{
	for (u32 i = 0; i < 4; i++) {
		u32 n = bits > 32 * i ? min_u32(bits - 32 * i, 32) : 0;

		if (n < 32 && ntohl(addr->w[i]) << n)
			return false;
	}
	return true;
}

/* tcp_ao_verify_ipv4, tcp_ao_verify_ipv6. An address of the peer that is known must fit. */
static int verify_addr(const struct sock *sk, const u8 *val, u8 prefix, struct inet_addr *addr,
		       u8 *family)
{
	const struct sock_common *skc = inet_skc(sk);
	const struct inet_addr daddr = skc_daddr(skc);

	if (get_le16(val) != sk->family || !tcp_sockopt_addr(val, addr, family) ||
	    get_be16(val + 2))
		return -EINVAL;
	if (inet_addr_any(addr))
		return prefix ? -EINVAL : 0;
	/* An IPv4 address is in the first word; the others of it are 0. */
	if (!prefix || prefix > inet_addr_bits(*family) || !addr_is_prefix(addr, prefix))
		return -EINVAL;
	if (!inet_addr_any(&daddr) &&
	    !(skc->skc_family == *family && inet_addr_prefix_equal(addr, &daddr, prefix)))
		return -EINVAL;
	return 0;
}

static int parse_alg(const u8 *name, u8 *alg)
{
	for (u32 i = 0; i < ARRAY_SIZE(alg_names); i++) {
		u32 len = 0;

		while (alg_names[i][len])
			len++;
		if (!memcmp(name, alg_names[i], len + 1)) {
			*alg = (u8)i;
			return 0;
		}
	}
	return -ENOENT;
}

/* tcp_ao_parse_crypto: the option must fit beside MSS, time stamps and window scale of a SYN. */
static int parse_crypto(const u8 *val, struct tcp_ao_key *key)
{
	int err = parse_alg(val + ADD_ALG, &key->alg);

	if (err)
		return err;
	key->maclen = val[ADD_MACLEN] ? val[ADD_MACLEN] : 12;
	if (tcp_ao_len_aligned(key) >
	    MAX_TCP_OPTION_SPACE - TCPOLEN_MSS - TCPOLEN_TSTAMP_ALIGNED - 4)
		return -EMSGSIZE;
	if (key->maclen > tcp_ao_digest_size(key))
		return -EINVAL;
	tcp_ao_set_master_key(key, val + ADD_KEY, val[ADD_KEYLEN]);
	return 0;
}

/* RFC 5925 3.1: IDs do not overlap where the peers of two keys do. */
static bool ids_overlap(const struct tcp_ao_info *ao, const struct tcp_ao_key *new)
{
	list_for_each(pos, &ao->keys) {
		const struct tcp_ao_key *key = list_entry(pos, struct tcp_ao_key, node);
		u8 prefix = new->prefixlen < key->prefixlen ? new->prefixlen : key->prefixlen;

		if (tcp_ao_key_matches(key, &new->addr, new->family, prefix, new->sndid, -1) ||
		    tcp_ao_key_matches(key, &new->addr, new->family, prefix, -1, new->rcvid))
			return true;
	}
	return false;
}

static int parse_add(struct sock *sk, const u8 *val, u32 len, struct tcp_ao_key *key)
{
	u32 flags, keyflags;
	int err = check_size(val, len, ADD_SIZE);

	if (err)
		return err;
	flags = get_le32(val + ADD_FLAGS);
	keyflags = val[ADD_KEYFLAGS];
	if (val[ADD_KEYLEN] > TCP_AO_MAXKEYLEN || flags & ~(SET_CURRENT | SET_RNEXT) ||
	    get_le16(val + ADD_RESERVED))
		return -EINVAL;
	err = verify_addr(sk, val, val[ADD_PREFIX], &key->addr, &key->family);
	if (err)
		return err;
	if (keyflags & ~(TCP_AO_KEYF_IFINDEX | TCP_AO_KEYF_EXCLUDE_OPT))
		return -EINVAL;
	/* Listeners have no current_key; there are no VRFs. */
	if ((flags && sk->sk_state == TCP_LISTEN) || get_le32(val + ADD_IFINDEX))
		return -EINVAL;
	if (tcp_md5_do_lookup(sk, key->family, &key->addr))
		return -EKEYREJECTED;
	key->prefixlen = val[ADD_PREFIX];
	key->sndid = val[ADD_SNDID];
	key->rcvid = val[ADD_RCVID];
	key->keyflags = (u8)keyflags;
	if (tcp_ao_info_of(sk) && ids_overlap(tcp_ao_info_of(sk), key))
		return -EEXIST;
	return parse_crypto(val, key);
}

static int ao_add_cmd(struct sock *sk, const u8 *val, u32 len)
{
	struct tcp_ao_key new = { 0 }, *key, *found[2];
	struct tcp_ao_info *ao;
	u32 flags;
	int err = parse_add(sk, val, len, &new);

	if (err)
		return err;
	key = mem_alloc(net_world(sk->net), MEM_MISC, sizeof(*key));
	ao = key ? info_get(sk) : NULL;
	if (!ao) {
		mem_free(net_world(sk->net), MEM_MISC, key, sizeof(*key));
		return -ENOMEM;
	}
	*key = new;
	list_add(&key->node, &ao->keys);
	if (!is_fresh(sk)) {
		tcp_ao_calc_key_sk(key, key->snd_other, sk, ao->lisn, ao->risn, true);
		tcp_ao_calc_key_sk(key, key->rcv_other, sk, ao->lisn, ao->risn, false);
	}
	flags = get_le32(val + ADD_FLAGS);
	found[0] = flags & SET_CURRENT ? key : NULL;
	found[1] = flags & SET_RNEXT ? key : NULL;
	set_new(ao, found);
	return 0;
}

/* ---- TCP_AO_DEL_KEY ---- */

static struct tcp_ao_key *find_exact(const struct tcp_ao_info *ao, const u8 *val,
				     const struct inet_addr *addr, u8 family,
				     struct tcp_ao_key *const found[2])
{
	list_for_each(pos, &ao->keys) {
		struct tcp_ao_key *key = list_entry(pos, struct tcp_ao_key, node);

		if (key->sndid == val[DEL_SNDID] && key->rcvid == val[DEL_RCVID] &&
		    key->family == family && key->prefixlen == val[DEL_PREFIX] &&
		    inet_addr_equal(&key->addr, addr) &&
		    !((key->keyflags ^ val[DEL_KEYFLAGS]) & TCP_AO_KEYF_IFINDEX) &&
		    key != found[0] && key != found[1])
			return key;
	}
	return NULL;
}

static int ao_del_cmd(struct sock *sk, const u8 *val, u32 len)
{
	struct tcp_ao_info *ao = tcp_ao_info_of(sk);
	struct tcp_ao_key *found[2], *key;
	struct inet_addr addr;
	u32 flags;
	u8 family;
	int err = check_size(val, len, DEL_SIZE);

	if (err)
		return err;
	flags = get_le32(val + DEL_FLAGS);
	if (flags & ~(SET_CURRENT | SET_RNEXT | DEL_ASYNC) || get_le16(val + DEL_RESERVED) ||
	    (flags & (SET_CURRENT | SET_RNEXT) && sk->sk_state == TCP_LISTEN) ||
	    val[DEL_KEYFLAGS] & ~TCP_AO_KEYF_IFINDEX || get_le32(val + DEL_IFINDEX))
		return -EINVAL;
	if (!ao)
		return -ENOENT;
	err = find_new(ao, flags, val[DEL_CURRENT], val[DEL_RNEXT], found);
	if (err)
		return err;
	if ((flags & DEL_ASYNC && sk->sk_state != TCP_LISTEN) || get_be16(val + 2))
		return -EINVAL;
	key = tcp_sockopt_addr(val, &addr, &family) ? find_exact(ao, val, &addr, family, found) :
						      NULL;
	if (!key)
		return -ENOENT;
	/* One that is in use stays (RFC 5925 3.1), but a new one may take its place first. */
	set_new(ao, found);
	if (ao->current_key == key || ao->rnext_key == key)
		return -EBUSY;
	tcp_ao_delete(sk->net, ao, key);
	return 0;
}

/* ---- TCP_AO_INFO ---- */

static void set_counters(struct tcp_ao_counters *c, const u8 *p)
{
	c->pkt_good = get_le64(p);
	c->pkt_bad = get_le64(p + 8);
	c->key_not_found = get_le64(p + 16);
	c->ao_required = get_le64(p + 24);
	c->dropped_icmp = get_le64(p + 32);
}

static int ao_info_cmd(struct sock *sk, const u8 *val, u32 len)
{
	struct tcp_ao_info *ao = tcp_ao_info_of(sk);
	struct tcp_ao_key *found[2] = { NULL, NULL };
	u32 flags;
	int err = check_size(val, len, INFO_SIZE);

	if (err)
		return err;
	flags = get_le32(val);
	if ((flags & (SET_CURRENT | SET_RNEXT) && sk->sk_state == TCP_LISTEN) ||
	    flags & ~(SET_CURRENT | SET_RNEXT | AO_REQUIRED | SET_COUNTERS | ACCEPT_ICMPS) ||
	    get_le16(val + INFO_RESERVED))
		return -EINVAL;
	if (flags & AO_REQUIRED && tcp_sk(sk)->rare->auth &&
	    !list_empty(&tcp_sk(sk)->rare->auth->md5_keys))
		return -EKEYREJECTED;
	if (!ao && flags & (SET_CURRENT | SET_RNEXT))
		return -ENOENT;
	if (ao)
		err = find_new(ao, flags, val[INFO_CURRENT], val[INFO_RNEXT], found);
	else
		ao = info_get(sk);
	if (err || !ao)
		return err ? err : -ENOMEM;
	if (flags & SET_COUNTERS)
		set_counters(&ao->counters, val + INFO_COUNTERS);
	ao->ao_required = flags & AO_REQUIRED;
	ao->accept_icmps = flags & ACCEPT_ICMPS;
	set_new(ao, found);
	return 0;
}

int tcp_ao_setsockopt(struct sock *sk, u32 name, const u8 *val, u32 len)
{
	/* Only to repair. */
	if (len < 4)
		return -EINVAL;
	if (name == TCP_AO_REPAIR)
		return -EPERM;
	if (name == TCP_AO_GET_KEYS)
		return -ENOPROTOOPT;
	/* A connection that began without TCP-AO goes on without (RFC 5925 7.4.1). */
	if (!is_fresh(sk) && !tcp_ao_info_of(sk))
		return -EISCONN;
	if (name == TCP_AO_ADD_KEY)
		return ao_add_cmd(sk, val, len);
	return name == TCP_AO_DEL_KEY ? ao_del_cmd(sk, val, len) : ao_info_cmd(sk, val, len);
}

/* ---- get ---- */

static int get_info(const struct tcp_ao_info *ao, u8 *val, u32 len)
{
	u8 out[INFO_SIZE] = { 0 };
	u32 flags = (ao->ao_required ? AO_REQUIRED : 0) | (ao->accept_icmps ? ACCEPT_ICMPS : 0);

	if (ao->current_key) {
		flags |= SET_CURRENT;
		out[INFO_CURRENT] = ao->current_key->sndid;
	}
	if (ao->rnext_key) {
		flags |= SET_RNEXT;
		out[INFO_RNEXT] = ao->rnext_key->rcvid;
	}
	put_le32(out, flags);
	put_le64(out + INFO_COUNTERS, ao->counters.pkt_good);
	put_le64(out + INFO_COUNTERS + 8, ao->counters.pkt_bad);
	put_le64(out + INFO_COUNTERS + 16, ao->counters.key_not_found);
	put_le64(out + INFO_COUNTERS + 24, ao->counters.ao_required);
	put_le64(out + INFO_COUNTERS + 32, ao->counters.dropped_icmp);
	len = min_u32(len, INFO_SIZE);
	memcpy(val, out, len);
	return (int)len;
}

/* Which keys are asked for. */
struct key_query {
	struct inet_addr addr;
	u8 family, prefix, sndid, rcvid;
	u32 flags;
};

static int parse_query(const u8 *in, struct key_query *q)
{
	q->flags = get_le16(in + GET_FLAGS);
	q->prefix = in[GET_PREFIX];
	q->sndid = in[GET_SNDID];
	q->rcvid = in[GET_RCVID];
	if (get_le64(in + GET_PKT_GOOD) || get_le64(in + GET_PKT_BAD) ||
	    in[GET_KEYFLAGS] & ~TCP_AO_KEYF_IFINDEX ||
	    (get_le32(in + GET_IFINDEX) && !(in[GET_KEYFLAGS] & TCP_AO_KEYF_IFINDEX)) ||
	    q->flags & ~(IS_CURRENT | IS_RNEXT | GET_ALL))
		return -EINVAL;
	if (q->flags) {
		/* All, or those in use: then nothing else is to be said. */
		if (q->flags & GET_ALL && q->flags != GET_ALL)
			return -EINVAL;
		if (!get_le16(in))
			return q->prefix || q->sndid || q->rcvid ? -EINVAL : 0;
		return get_le16(in) == AF_INET || get_le16(in) == AF_INET6 ? -EINVAL :
									     -EAFNOSUPPORT;
	}
	if (get_le16(in) != AF_INET && get_le16(in) != AF_INET6)
		return -EAFNOSUPPORT;
	(void)tcp_sockopt_addr(in, &q->addr, &q->family);
	if (q->prefix > inet_addr_bits(q->family) || !addr_is_prefix(&q->addr, q->prefix))
		return -EINVAL;
	return inet_addr_any(&q->addr) && q->prefix ? -EINVAL : 0;
}

static bool query_matches(const struct tcp_ao_info *ao, const struct tcp_ao_key *key,
			  const struct key_query *q)
{
	if (q->flags & GET_ALL)
		return true;
	if (q->flags)
		return (q->flags & IS_CURRENT && key == ao->current_key) ||
		       (q->flags & IS_RNEXT && key == ao->rnext_key);
	return tcp_ao_key_matches(key, &q->addr, q->family, q->prefix, q->sndid, q->rcvid);
}

static void put_key(const struct tcp_ao_info *ao, const struct tcp_ao_key *key, u8 *out)
{
	const char *name = alg_names[key->alg];

	memset(out, 0, GET_SIZE);
	put_le16(out, key->family);
	for (u32 i = 0; i < inet_addr_bits(key->family) / 32; i++)
		store_be32(out + (key->family == AF_INET ? 4 : 8) + 4 * i, key->addr.w[i]);
	for (u32 i = 0; name[i]; i++)
		out[GET_ALG + i] = (u8)name[i];
	memcpy(out + GET_KEY, key->key, key->keylen);
	put_le16(out + GET_FLAGS, (u16)((key == ao->current_key ? IS_CURRENT : 0) |
					(key == ao->rnext_key ? IS_RNEXT : 0)));
	out[GET_SNDID] = key->sndid;
	out[GET_RCVID] = key->rcvid;
	out[GET_PREFIX] = key->prefixlen;
	out[GET_MACLEN] = key->maclen;
	out[GET_KEYFLAGS] = key->keyflags;
	out[GET_KEYLEN] = key->keylen;
	put_le64(out + GET_PKT_GOOD, key->pkt_good);
	put_le64(out + GET_PKT_BAD, key->pkt_bad);
}

/*
 * val holds the question, and room for as many answers as fit into len. (Linux takes the length of
 * one from optlen, and how many fit from nkeys alone.)
 */
static int get_keys(const struct tcp_ao_info *ao, u8 *val, u32 len)
{
	u8 in[GET_SIZE] = { 0 }, out[GET_SIZE];
	u32 size = min_u32(len, GET_SIZE), room, found = 0;
	struct key_query q = { 0 };
	int err;

	memcpy(in, val, size);
	err = parse_query(in, &q);
	if (err)
		return err;
	room = min_u32(get_le32(in + GET_NKEYS), len / size);
	list_for_each(pos, &ao->keys) {
		const struct tcp_ao_key *key = list_entry(pos, struct tcp_ao_key, node);

		if (!query_matches(ao, key, &q))
			continue;
		if (found < room) {
			put_key(ao, key, out);
			memcpy(val + found * size, out, size);
		}
		found++;
	}
	if (len >= GET_NKEYS + 4)
		put_le32(val + GET_NKEYS, found);
	return (int)(size * max_u32(1, min_u32(found, room)));
}

int tcp_ao_getsockopt(struct sock *sk, u32 name, u8 *val, u32 len)
{
	const struct tcp_ao_info *ao = tcp_ao_info_of(sk);
	int err;

	if (!len)
		return -EINVAL;
	if (name == TCP_AO_REPAIR)
		return -EPERM; /* only to repair */
	if (name == TCP_AO_INFO) {
		err = len > INFO_SIZE ? check_size(val, len, INFO_SIZE) : 0;
		if (err)
			return err;
		if (len >= INFO_RESERVED + 2 && get_le16(val + INFO_RESERVED))
			return -EINVAL;
	}
	if (!ao)
		return -ENOENT;
	return name == TCP_AO_INFO ? get_info(ao, val, len) : get_keys(ao, val, len);
}
