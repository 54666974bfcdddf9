/* SPDX-License-Identifier: MIT */
/*
 * The classic BPF machine (filter.h): two registers, sixteen words of memory, loads from the packet
 * and from what the kernel knows of it. In the packet's way it stands between a protocol and its
 * socket's receive queue.
 *
 * Invariant: a program that bpf_check_classic() took ends after at most as many steps as it has
 * instructions, and reads only memory that it has written. A load beyond the packet ends it with 0.
 */
#include "core/filter.h"

#include "core/dev_core.h"
#include "kernel/random.h"

/* Instruction fields (linux/bpf_common.h). */
#define BPF_CLASS(code) ((code)&0x07)
enum { BPF_LD, BPF_LDX, BPF_ST, BPF_STX, BPF_ALU, BPF_JMP, BPF_RET, BPF_MISC };
#define BPF_SIZE(code) ((code)&0x18)
#define BPF_W	       0x00
#define BPF_H	       0x08
#define BPF_B	       0x10
#define BPF_MODE(code) ((code)&0xe0)
#define BPF_IMM	       0x00
#define BPF_ABS	       0x20
#define BPF_IND	       0x40
#define BPF_MEM	       0x60
#define BPF_LEN	       0x80
#define BPF_MSH	       0xa0
#define BPF_OP(code)   ((code)&0xf0)
#define BPF_ADD	       0x00
#define BPF_SUB	       0x10
#define BPF_MUL	       0x20
#define BPF_DIV	       0x30
#define BPF_OR	       0x40
#define BPF_AND	       0x50
#define BPF_LSH	       0x60
#define BPF_RSH	       0x70
#define BPF_NEG	       0x80
#define BPF_MOD	       0x90
#define BPF_XOR	       0xa0
#define BPF_JA	       0x00
#define BPF_JEQ	       0x10
#define BPF_JGT	       0x20
#define BPF_JGE	       0x30
#define BPF_JSET       0x40
#define BPF_SRC(code)  ((code)&0x08)
#define BPF_X	       0x08
#define BPF_RVAL(code) ((code)&0x18)
#define BPF_A	       0x10
#define BPF_MISCOP(c)  ((c)&0xf8)
#define BPF_TAX	       0x00
#define BPF_TXA	       0x80

/* Ancillary loads: k - SKF_AD_OFF. */
enum {
	SKF_AD_PROTOCOL = 0,
	SKF_AD_PKTTYPE = 4,
	SKF_AD_IFINDEX = 8,
	SKF_AD_MARK = 20,
	SKF_AD_QUEUE = 24,
	SKF_AD_HATYPE = 28,
	SKF_AD_RXHASH = 32,
	SKF_AD_CPU = 36,
	SKF_AD_ALU_XOR_X = 40,
	SKF_AD_VLAN_TAG = 44,
	SKF_AD_VLAN_TAG_PRESENT = 48,
	SKF_AD_PAY_OFFSET = 52,
	SKF_AD_RANDOM = 56,
	SKF_AD_VLAN_TPID = 60,
};

/* ---- checking ---- */

/* chk_code_allowed() */
static bool code_allowed(u16 code)
{
	switch (BPF_CLASS(code)) {
	case BPF_LD:
		if (BPF_SIZE(code) == 0x18 || code & ~0xffu)
			return false;
		if (BPF_MODE(code) == BPF_ABS || BPF_MODE(code) == BPF_IND)
			return true;
		return BPF_SIZE(code) == BPF_W &&
		       (BPF_MODE(code) == BPF_IMM || BPF_MODE(code) == BPF_MEM ||
			BPF_MODE(code) == BPF_LEN);
	case BPF_LDX:
		return code == (BPF_LDX | BPF_W | BPF_IMM) || code == (BPF_LDX | BPF_W | BPF_MEM) ||
		       code == (BPF_LDX | BPF_W | BPF_LEN) || code == (BPF_LDX | BPF_B | BPF_MSH);
	case BPF_ST:
		return code == BPF_ST;
	case BPF_STX:
		return code == BPF_STX;
	case BPF_ALU:
		if (code & ~0xffu || BPF_OP(code) > BPF_XOR)
			return false;
		return BPF_OP(code) != BPF_NEG || !BPF_SRC(code);
	case BPF_JMP:
		if (code & ~0xffu || BPF_OP(code) > BPF_JSET)
			return false;
		return BPF_OP(code) != BPF_JA || !BPF_SRC(code);
	case BPF_RET:
		return code == BPF_RET || code == (BPF_RET | BPF_A);
	default:
		return code == (BPF_MISC | BPF_TAX) || code == (BPF_MISC | BPF_TXA);
	}
}

/* Netlink attributes are for netlink sockets, which are not here. */
static bool ancillary_known(u32 k)
{
	u32 ad = k - (u32)SKF_AD_OFF;

	return ad % 4 == 0 && ad < SKF_AD_MAX && ad != 12 && ad != 16;
}

static bool insn_ok(const struct sock_filter *f, u32 pc, u32 len)
{
	switch (BPF_CLASS(f->code)) {
	case BPF_ALU:
		if (BPF_SRC(f->code) == BPF_X)
			return true;
		if (BPF_OP(f->code) == BPF_DIV || BPF_OP(f->code) == BPF_MOD)
			return f->k != 0;
		if (BPF_OP(f->code) == BPF_LSH || BPF_OP(f->code) == BPF_RSH)
			return f->k < 32;
		return true;
	case BPF_LD:
		if (BPF_MODE(f->code) == BPF_MEM)
			return f->k < BPF_MEMWORDS;
		if (BPF_MODE(f->code) == BPF_ABS && f->k >= (u32)SKF_AD_OFF)
			return ancillary_known(f->k);
		return true;
	case BPF_LDX:
		return BPF_MODE(f->code) != BPF_MEM || f->k < BPF_MEMWORDS;
	case BPF_ST:
	case BPF_STX:
		return f->k < BPF_MEMWORDS;
	case BPF_JMP:
		if (BPF_OP(f->code) == BPF_JA)
			return f->k < len - pc - 1;
		return pc + f->jt + 1 < len && pc + f->jf + 1 < len;
	default:
		return true;
	}
}

/* check_load_and_stores(): every word of memory that is read was written on each way there. */
static bool memory_ok(const struct sock_filter *f, u32 len, u16 *masks)
{
	u16 valid = 0;

	for (u32 i = 0; i < len; i++)
		masks[i] = 0xffff;
	for (u32 pc = 0; pc < len; pc++) {
		u8 cls = (u8)BPF_CLASS(f[pc].code);

		valid &= masks[pc];
		if (cls == BPF_ST || cls == BPF_STX) {
			valid |= (u16)(1u << f[pc].k);
		} else if ((cls == BPF_LD || cls == BPF_LDX) && BPF_MODE(f[pc].code) == BPF_MEM) {
			if (!(valid & 1u << f[pc].k))
				return false;
		} else if (cls == BPF_JMP) {
			u32 t = BPF_OP(f[pc].code) == BPF_JA ? f[pc].k : f[pc].jt;
			u32 e = BPF_OP(f[pc].code) == BPF_JA ? f[pc].k : f[pc].jf;

			masks[pc + 1 + t] &= valid;
			masks[pc + 1 + e] &= valid;
			valid = 0xffff;
		} else if (cls == BPF_RET) {
			valid = 0xffff;
		}
	}
	return true;
}

/* bpf_check_classic(). 0, -EINVAL or -ENOMEM. */
static int bpf_check_classic(struct world *w, const struct sock_filter *f, u32 len)
{
	u16 *masks;
	bool good;

	for (u32 pc = 0; pc < len; pc++)
		if (!code_allowed(f[pc].code) || !insn_ok(&f[pc], pc, len))
			return -EINVAL;
	if (BPF_CLASS(f[len - 1].code) != BPF_RET)
		return -EINVAL;
	masks = mem_alloc_n(w, MEM_MISC, len, sizeof(*masks));
	if (!masks)
		return -ENOMEM;
	good = memory_ok(f, len, masks);
	mem_free_n(w, MEM_MISC, masks, len, sizeof(*masks));
	return good ? 0 : -EINVAL;
}

static size_t filter_size(u32 len)
{
	return sizeof(struct sk_filter) + len * sizeof(struct sock_filter);
}

struct sk_filter *bpf_prog_create(struct world *w, const u8 *bytes, u32 count, int *err)
{
	struct sk_filter *fp;

	*err = -EINVAL;
	if (!count || count > BPF_MAXINSNS)
		return NULL;
	*err = -ENOMEM;
	fp = mem_alloc_n(w, MEM_MISC, filter_size(count), 1);
	if (!fp)
		return NULL;
	fp->refcnt = 1;
	fp->len = count;
	for (u32 i = 0; i < count; i++, bytes += BPF_INSN_LEN)
		fp->insns[i] = (struct sock_filter){ .code = get_le16(bytes),
						     .jt = bytes[2],
						     .jf = bytes[3],
						     .k = get_le32(bytes + 4) };
	*err = bpf_check_classic(w, fp->insns, count);
	if (!*err)
		return fp;
	bpf_prog_put(w, fp);
	return NULL;
}

void bpf_prog_put(struct world *w, struct sk_filter *fp)
{
	if (--fp->refcnt == 0)
		mem_free_n(w, MEM_MISC, fp, filter_size(fp->len), 1);
}

/* ---- running ---- */

struct bpf_state {
	const struct sk_buff *skb;
	u32 a, x;
	u32 mem[BPF_MEMWORDS];
	bool ended; /* a load went beyond the packet */
};

/* bpf_internal_load_pointer_neg_helper(): relative to the network or link header. */
static const u8 *load_pointer(const struct sk_buff *skb, s32 k, u32 size, u8 *buffer)
{
	s64 at = k;

	if (k < 0 && k >= SKF_NET_OFF)
		at = (s64)k - SKF_NET_OFF + skb_network_offset(skb);
	else if (k < 0 && k >= SKF_LL_OFF && skb_mac_header_was_set(skb))
		at = (s64)k - SKF_LL_OFF + (skb_mac_header(skb) - skb->data);
	else if (k < 0)
		return NULL;
	/* What was pulled is still there, in front of data. */
	if (at < 0) {
		if (-at > (s64)skb_headroom(skb) || at + size > (s64)skb_headlen(skb))
			return NULL;
		return skb->data + at;
	}
	return at > UINT32_MAX ? NULL : skb_header_pointer(skb, (u32)at, size, buffer);
}

static u32 load_packet(struct bpf_state *s, u32 k, u8 size_code)
{
	u32 size = size_code == BPF_W ? 4 : size_code == BPF_H ? 2 : 1;
	u8 buffer[4];
	const u8 *p = load_pointer(s->skb, (s32)k, size, buffer);

	if (!p) {
		s->ended = true;
		return 0;
	}
	return size == 4 ? get_be32(p) : size == 2 ? get_be16(p) : *p;
}

/* skb_get_poff(): where the payload begins, from data on; 0 when that can not be told. */
static u32 payload_offset(const struct sk_buff *skb)
{
	s32 nhoff = skb_network_offset(skb);
	u32 at = nhoff < 0 ? 0 : (u32)nhoff, len;
	u8 buffer[20];
	const u8 *p;

	if (skb->protocol != htons(ETH_P_IP))
		return at;
	p = skb_header_pointer(skb, at, 20, buffer);
	if (!p || (p[0] & 15) < 5)
		return 0;
	len = at + (p[0] & 15) * 4u;
	switch (p[9]) {
	case IPPROTO_TCP:
		p = skb_header_pointer(skb, len + 12, 1, buffer);
		return p ? len + max_u32((*p & 0xf0u) >> 2, 20) : len;
	case IPPROTO_UDP:
	case IPPROTO_ICMP:
		return len + 8;
	default:
		return len;
	}
}

static u32 load_ancillary(struct bpf_state *s, u32 k)
{
	const struct sk_buff *skb = s->skb;
	/* A filter does not change the packet, but the hash is kept where it is. */
	struct sk_buff *hashed = (struct sk_buff *)(uintptr_t)skb;

	switch (k - (u32)SKF_AD_OFF) {
	case SKF_AD_PROTOCOL:
		return ntohs(skb->protocol);
	case SKF_AD_PKTTYPE:
		return skb->pkt_type;
	case SKF_AD_IFINDEX:
	case SKF_AD_HATYPE:
		if (!skb->dev) {
			s->ended = true;
			return 0;
		}
		return k - (u32)SKF_AD_OFF == SKF_AD_IFINDEX ? skb->dev->ifindex : skb->dev->type;
	case SKF_AD_MARK:
		return skb->mark;
	case SKF_AD_QUEUE:
		return skb->queue_mapping;
	case SKF_AD_RXHASH:
		return skb->dev ? skb_get_hash(hashed) : skb->hash;
	case SKF_AD_CPU:
		return skb->net ? this_cpu(skb->net->host)->id : 0;
	case SKF_AD_ALU_XOR_X:
		return s->a ^ s->x;
	case SKF_AD_VLAN_TAG:
		return skb->vlan_present ? skb->vlan_tci : 0;
	case SKF_AD_VLAN_TAG_PRESENT:
		return skb->vlan_present;
	case SKF_AD_PAY_OFFSET:
		return payload_offset(skb);
	case SKF_AD_VLAN_TPID:
		return ntohs(skb->vlan_proto);
	default:
		return get_random_u32(skb->world, RANDOM_BPF);
	}
}

static void run_load(struct bpf_state *s, const struct sock_filter *f)
{
	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
		s->a = f->k;
		break;
	case BPF_MEM:
		s->a = s->mem[f->k];
		break;
	case BPF_LEN:
		s->a = s->skb->len;
		break;
	case BPF_IND:
		s->a = load_packet(s, s->x + f->k, (u8)BPF_SIZE(f->code));
		break;
	default:
		s->a = f->k >= (u32)SKF_AD_OFF ? load_ancillary(s, f->k) :
						 load_packet(s, f->k, (u8)BPF_SIZE(f->code));
		break;
	}
}

static void run_load_x(struct bpf_state *s, const struct sock_filter *f)
{
	switch (BPF_MODE(f->code)) {
	case BPF_IMM:
		s->x = f->k;
		break;
	case BPF_MEM:
		s->x = s->mem[f->k];
		break;
	case BPF_LEN:
		s->x = s->skb->len;
		break;
	default:
		/* BPF_MSH: the length of an IPv4 header. */
		s->x = (load_packet(s, f->k, BPF_B) & 15) << 2;
		break;
	}
}

/* Shifts by 32 and more give 0, as the conversion to eBPF masks them: k & 31. */
static void run_alu(struct bpf_state *s, const struct sock_filter *f)
{
	u32 v = BPF_SRC(f->code) == BPF_X ? s->x : f->k;

	switch (BPF_OP(f->code)) {
	case BPF_ADD:
		s->a += v;
		break;
	case BPF_SUB:
		s->a -= v;
		break;
	case BPF_MUL:
		s->a *= v;
		break;
	case BPF_DIV:
	case BPF_MOD:
		/* A division by X = 0 ends the program with 0. */
		if (!v)
			s->ended = true;
		else
			s->a = BPF_OP(f->code) == BPF_DIV ? s->a / v : s->a % v;
		break;
	case BPF_OR:
		s->a |= v;
		break;
	case BPF_AND:
		s->a &= v;
		break;
	case BPF_LSH:
		s->a <<= v & 31;
		break;
	case BPF_RSH:
		s->a >>= v & 31;
		break;
	case BPF_XOR:
		s->a ^= v;
		break;
	default:
		s->a = 0 - s->a;
		break;
	}
}

static u32 run_jump(const struct bpf_state *s, const struct sock_filter *f)
{
	u32 v = BPF_SRC(f->code) == BPF_X ? s->x : f->k;
	bool yes;

	switch (BPF_OP(f->code)) {
	case BPF_JA:
		return f->k;
	case BPF_JEQ:
		yes = s->a == v;
		break;
	case BPF_JGT:
		yes = s->a > v;
		break;
	case BPF_JGE:
		yes = s->a >= v;
		break;
	default:
		yes = (s->a & v) != 0;
		break;
	}
	return yes ? f->jt : f->jf;
}

u32 bpf_prog_run(const struct sk_filter *fp, const struct sk_buff *skb)
{
	struct bpf_state s = { .skb = skb };

	for (u32 pc = 0; pc < fp->len; pc++) {
		const struct sock_filter *f = &fp->insns[pc];

		switch (BPF_CLASS(f->code)) {
		case BPF_LD:
			run_load(&s, f);
			break;
		case BPF_LDX:
			run_load_x(&s, f);
			break;
		case BPF_ST:
			s.mem[f->k] = s.a;
			break;
		case BPF_STX:
			s.mem[f->k] = s.x;
			break;
		case BPF_ALU:
			run_alu(&s, f);
			break;
		case BPF_JMP:
			pc += run_jump(&s, f);
			break;
		case BPF_RET:
			return BPF_RVAL(f->code) == BPF_A ? s.a : f->k;
		default:
			if (BPF_MISCOP(f->code) == BPF_TAX)
				s.x = s.a;
			else
				s.a = s.x;
			break;
		}
		if (s.ended)
			return 0;
	}
	return 0;
}

/* ---- sockets ---- */

static void set_filter(struct sock *sk, struct sk_filter *fp)
{
	struct sock_rare *rare = sock_rare_own(sk);

	if (rare->filter)
		bpf_prog_put(net_world(sk->net), rare->filter);
	rare->filter = fp;
	sk->sk_flags = fp ? sk->sk_flags | SOCK_FILTERED : sk->sk_flags & ~SOCK_FILTERED;
}

int sk_attach_filter(struct sock *sk, const u8 *bytes, u32 len)
{
	struct sk_filter *fp;
	int err;

	if (sk->sk_flags & SOCK_FILTER_LOCKED)
		return -EPERM;
	if (!len || len % BPF_INSN_LEN)
		return -EINVAL;
	if (!sock_rare_get(sk))
		return -ENOMEM;
	fp = bpf_prog_create(net_world(sk->net), bytes, len / BPF_INSN_LEN, &err);
	if (fp)
		set_filter(sk, fp);
	return err;
}

int sk_detach_filter(struct sock *sk)
{
	if (sk->sk_flags & SOCK_FILTER_LOCKED)
		return -EPERM;
	if (!(sk->sk_flags & SOCK_FILTERED))
		return -ENOENT;
	set_filter(sk, NULL);
	return 0;
}

int sk_get_filter(struct sock *sk, u8 *val, u32 len)
{
	const struct sk_filter *fp = sk->sk_rare->filter;

	if (!fp)
		return 0;
	if (len < fp->len * BPF_INSN_LEN)
		return -EINVAL;
	for (u32 i = 0; i < fp->len; i++, val += BPF_INSN_LEN) {
		put_le16(val, fp->insns[i].code);
		val[2] = fp->insns[i].jt;
		val[3] = fp->insns[i].jf;
		put_le32(val + 4, fp->insns[i].k);
	}
	return (int)(fp->len * BPF_INSN_LEN);
}

void sk_filter_release(struct sock *sk)
{
	if (sk->sk_flags & SOCK_FILTERED)
		set_filter(sk, NULL);
}

bool __sk_filter_trim_cap(struct sock *sk, struct sk_buff *skb, u32 cap)
{
	u32 keep = bpf_prog_run(sk->sk_rare->filter, skb);

	return keep && pskb_trim(skb, max_u32(keep, cap)) == 0;
}
