/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: frames of any bytes from the wire, through NIC, demux, ARP, IPv4, ICMP and UDP of
 * one host, with time, calls and settings between them.
 *
 * Input: seed, topology, then records of an op byte and its arguments (every byte string is valid,
 * and so is each prefix of one): 0..4  RAW len flags bytes   a frame. Without the flag bits the
 * destination MAC, the IPv4 destination, lengths and checksums are made right, so that a mutation
 * deep in a packet reaches the code that reads it. 5     ADV code              2^(code mod 32) us
 * pass 6     SOCK call arg         a call on the UDP socket 7     SET what value        promiscuous
 * mode, forwarding, hook verdict, ...
 */
#include "fuzz_world.h"

#include <string.h>

#include "stack/nic.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"

#define OPS_MAX 256u

enum {
	KEEP_IP_CSUM = 1,
	KEEP_L4_CSUM = 2,
	KEEP_LENGTH = 4,
	KEEP_MAC = 8,
	KEEP_ADDR = 16,
	BAD_FCS = 32,
	LEN_TIMES_8 = 64
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct scenario {
	s32 udp;
	u32 verdict;
};

static void put16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

/* The checksum of a whole UDP or ICMP message at `l4` becomes right. */
static void repair_l4(u8 *ip, u8 *l4, u32 len)
{
	u32 pseudo = 0;

	if (ip[9] == IPPROTO_ICMP && len >= 4) {
		put16(l4 + 2, 0);
		put16(l4 + 2, fuzz_csum(l4, len, 0));
	} else if (ip[9] == IPPROTO_UDP && len >= 8) {
		for (u32 i = 12; i < 20; i += 2)
			pseudo += (u32)ip[i] << 8 | ip[i + 1];
		pseudo += IPPROTO_UDP + len;
		put16(l4 + 4, len);
		put16(l4 + 6, 0);
		put16(l4 + 6, fuzz_csum(l4, len, pseudo));
	}
}

static void repair(u8 *f, u32 len, u8 flags)
{
	u8 *ip = f + 14;
	u32 ip_len, ihl, total;

	if (len >= 6 && !(flags & KEEP_MAC))
		memcpy(f, FUZZ_HOST_MAC, 6);
	if (len < 34 || f[12] != 0x08 || f[13] != 0x00)
		return;
	ip_len = len - 14;
	ihl = (ip[0] & 15u) * 4;
	if (ip[0] >> 4 != 4 || ihl < 20 || ihl > ip_len)
		return;
	if (!(flags & KEEP_LENGTH))
		put16(ip + 2, ip_len);
	if (!(flags & KEEP_ADDR)) {
		memcpy(ip + 12, FUZZ_PEER_ADDR, 4);
		memcpy(ip + 16, FUZZ_HOST_ADDR, 4);
	}
	total = (u32)ip[2] << 8 | ip[3];
	if (!(flags & KEEP_L4_CSUM) && total >= ihl && total <= ip_len && !(ip[6] & 0x3f) && !ip[7])
		repair_l4(ip, ip + ihl, total - ihl);
	if (!(flags & KEEP_IP_CSUM)) {
		put16(ip + 10, 0);
		put16(ip + 10, fuzz_csum(ip, ihl, 0));
	}
}

static void op_raw(struct fuzz_world *f, struct fuzz_input *in)
{
	u8 frame[255 * 8];
	u32 len = fuzz_u8(in);
	u8 flags = fuzz_u8(in);
	size_t got;
	const u8 *p;

	if (flags & LEN_TIMES_8)
		len *= 8;
	p = fuzz_bytes(in, len, &got);
	memcpy(frame, p, got);
	repair(frame, (u32)got, flags);
	fuzz_frame(f, frame, (u32)got, flags & BAD_FCS ? FRAME_BAD_FCS : 0);
}

static void op_sock(struct fuzz_world *f, struct fuzz_input *in)
{
	struct scenario *s = f->ctx;
	struct sys_op op = { .fd = s->udp };
	u8 what = fuzz_u8(in), arg = fuzz_u8(in);
	u8 data[2048], control[256];

	memset(data, arg, sizeof(data));
	op.data = data;
	switch (what % 6) {
	case 0:
	case 1:
		op.nr = SYS_RECVMSG;
		op.arg[0] = MSG_DONTWAIT | (arg & 1 ? MSG_PEEK : 0) | (arg & 2 ? MSG_TRUNC : 0) |
			    (arg & 4 ? MSG_ERRQUEUE : 0);
		op.data_len = arg & 8 ? 4 : sizeof(data);
		op.control = control;
		op.control_len = arg & 16 ? sizeof(control) : arg & 15u;
		break;
	case 2:
		op.nr = SYS_SENDMSG;
		op.arg[0] = MSG_DONTWAIT;
		op.data_len = arg * 8u;
		op.has_addr = true;
		op.addr.family = AF_INET;
		op.addr.port = 9;
		memcpy(op.addr.addr, FUZZ_PEER_ADDR, 4);
		op.addr.addr[3] = (u8)(arg & 3 ? 9 : arg);
		break;
	case 3:
		op.nr = SYS_SETSOCKOPT;
		op.arg[0] = SOL_IP;
		op.arg[1] = arg & 1 ? IP_RECVERR : arg & 2 ? IP_PKTINFO : IP_RECVTTL;
		data[0] = 1;
		memset(data + 1, 0, 3);
		op.data_len = 4;
		break;
	case 4:
		op.nr = SYS_CONNECT;
		op.has_addr = true;
		op.addr.family = arg & 1 ? AF_INET : AF_UNSPEC;
		op.addr.port = arg;
		memcpy(op.addr.addr, FUZZ_PEER_ADDR, 4);
		break;
	default:
		op.nr = SYS_GETSOCKOPT;
		op.arg[0] = SOL_SOCKET;
		op.arg[1] = SO_ERROR;
		op.data_len = 4;
		break;
	}
	(void)fuzz_call(f, &op);
}

static void op_set(struct fuzz_world *f, struct fuzz_input *in)
{
	struct scenario *s = f->ctx;
	u8 what = fuzz_u8(in), value = fuzz_u8(in);

	switch (what % 6) {
	case 0:
		fuzz_link_set(f, LINK_PARAM_PROMISC, value & 1);
		break;
	case 1:
		fuzz_link_set(f, LINK_PARAM_UP, value & 1);
		break;
	case 2:
		(void)fuzz_sysctl(f, "net.ipv4.ip_forward", value & 1 ? "1" : "0");
		break;
	case 3:
		s->verdict = value % 3;
		break;
	case 4:
		(void)fuzz_sysctl(f, "net.ipv4.conf.eth0.arp_accept", value & 1 ? "1" : "0");
		break;
	default:
		fuzz_link_set(f, LINK_PARAM_ANYIP, value & 1);
		break;
	}
}

static u32 on_hook(struct fuzz_world *f, u32 id, u8 *packet, u32 len)
{
	const struct scenario *s = f->ctx;

	(void)id;
	(void)packet;
	FUZZ_CHECK(len >= 20, "a hook saw less than a header");
	return s->verdict == NF_STOLEN ? NF_DROP : s->verdict;
}

static void scenario(struct fuzz_world *f, struct fuzz_input *in)
{
	struct scenario s = { .verdict = NF_ACCEPT };
	u8 topology = fuzz_u8(in);

	f->ctx = &s;
	f->on_hook = on_hook;
	fuzz_boot(f, 1 + (topology & 1), 1 + (topology >> 1 & 1));
	s.udp = fuzz_udp_socket(f, 7);
	if (topology & 4) {
		struct op op = { .kind = OP_HOOK_ADD };

		op.u.hook_add.family = AF_INET;
		op.u.hook_add.hook = topology >> 4 & 3;
		op.u.hook_add.priority = 1u << 31;
		op.u.hook_add.id = 1;
		FUZZ_CHECK(world_apply(f->w, &op) == 0, "no hook");
	}
	for (u32 n = 0; n < OPS_MAX && fuzz_more(in); n++) {
		u8 op = fuzz_u8(in);

		switch (op % 8) {
		case 5:
			fuzz_advance(f, fuzz_u8(in));
			break;
		case 6:
			op_sock(f, in);
			break;
		case 7:
			op_set(f, in);
			break;
		default:
			op_raw(f, in);
			break;
		}
		world_check(f->w, 0);
	}
	fuzz_advance(f, 27); /* 134 s: every queue of fragments and neighbour has given up */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_run(data, size, scenario);
	return 0;
}
