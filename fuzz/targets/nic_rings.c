/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: a card of either model and its driver. Frames come in and go out in all shapes while
 * settings change, rings are remade, interrupts get lost, memory runs short, and the card lies: it
 * writes into its rings what it likes, behind an IOMMU.
 *
 * Input: seed, settings (bit 0 two CPUs, 1 two queues, 2 virtio), then records of an op byte and
 * its arguments (every byte string is valid, and so is each prefix of one):
 *   0..2  FRAMES shape len n        up to 16 frames arrive at once
 *   3..4  SEND len n                datagrams of the host's socket
 *   5     RECV                      the socket is emptied
 *   6..7  TIME code                 2^(code mod 24) us pass
 *   8     SET which value           a setting, as of ethtool
 *   9     FAULT which queue n       a fault of the card that tells no lie
 *   10    LIE which queue n         one that does
 *   11,12 SCRIBBLE ring word value  a word of a ring (word 2, value 4 bytes)
 *   13    FINISH ring slot status len  a receive descriptor is said to be done
 *   14    MEMORY skip n             allocations fail
 *   15    LINK how                  down, up, reset; cable, promisc, allmulti, a VLAN's device
 *
 * Oracles, next to those of all targets: the layers' and the card's accounts after every event; a
 * card that has not lied touches nothing that the driver has not mapped, and delivers in order what
 * was sent, byte for byte; when all faults are over and the device was taken down and up, a
 * datagram comes in and one goes out, and nothing was kept.
 */
#include "fuzz_world.h"

#include <string.h>

#include "stack/counters.h"
#include "stack/fault.h"
#include "stack/nic.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"

#define OPS_MAX	  96u
#define IFINDEX	  2u
#define PORT	  7u
#define PEER_PORT 9u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct scenario {
	s32 fd;
	u16 in_seq, out_seq; /* numbers of what was sent last, to the host and by it */
	u16 seen; /* number of the datagram that the socket gave last */
	s64 vlan; /* ifindex of a VLAN's device; else there is none */
	u32 received, left; /* datagrams that came out of the socket, and off the wire */
};

static u8 content(u32 seq, u32 i)
{
	return (u8)(seq * 7 + i);
}

/* A datagram's payload: its number, then bytes that follow from it. */
static void fill(u8 *p, u32 len, u16 seq)
{
	for (u32 i = 0; i < len; i++)
		p[i] = content(seq, i);
	if (len >= 2) {
		p[0] = (u8)(seq >> 8);
		p[1] = (u8)seq;
	}
}

static bool filled(const u8 *p, u32 len, u16 *seq)
{
	*seq = (u16)(len >= 2 ? p[0] << 8 | p[1] : 0);
	for (u32 i = 2; i < len; i++)
		if (p[i] != content(*seq, i))
			return false;
	return true;
}

/* ---- frames ---- */

enum shape {
	SHAPE_UDP,
	SHAPE_UDP_CSUM,
	SHAPE_TAGGED,
	SHAPE_TCP,
	SHAPE_BAD_CSUM,
	SHAPE_RAW, /* of any length, an EtherType that nobody has */
	SHAPE_FOREIGN, /* for another station */
	SHAPE_PAUSE,
	SHAPES
};

static u32 build_ip(u8 *ip, u8 proto, u32 len)
{
	u16 sum;

	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[2] = (u8)((20 + len) >> 8);
	ip[3] = (u8)(20 + len);
	ip[8] = 64;
	ip[9] = proto;
	memcpy(ip + 12, FUZZ_PEER_ADDR, 4);
	memcpy(ip + 16, FUZZ_HOST_ADDR, 4);
	sum = fuzz_csum(ip, 20, 0);
	ip[10] = (u8)(sum >> 8);
	ip[11] = (u8)sum;
	return 20 + len;
}

/* Over addresses, protocol, length and the packet. */
static u16 l4_csum(const u8 *ip, const u8 *l4, u32 len, u8 proto)
{
	u32 sum = proto + len;

	for (u32 i = 12; i < 20; i += 2)
		sum += (u32)ip[i] << 8 | ip[i + 1];
	return fuzz_csum(l4, len, sum);
}

static u32 build_udp(u8 *ip, u32 payload, u16 seq, enum shape shape)
{
	u8 *udp = ip + 20;
	u16 sum;

	memset(udp, 0, 8);
	udp[1] = PEER_PORT;
	udp[3] = PORT;
	udp[4] = (u8)((8 + payload) >> 8);
	udp[5] = (u8)(8 + payload);
	fill(udp + 8, payload, seq);
	if (shape == SHAPE_UDP_CSUM || shape == SHAPE_BAD_CSUM) {
		sum = l4_csum(ip, udp, 8 + payload, IPPROTO_UDP);
		sum = sum ? sum : 0xffff;
		sum ^= shape == SHAPE_BAD_CSUM ? 0x10 : 0;
		udp[6] = (u8)(sum >> 8);
		udp[7] = (u8)sum;
	}
	return 8 + payload;
}

/* A segment of nobody's connection, each right behind the one before: LRO merges them. */
static u32 build_tcp(u8 *ip, u32 payload, u32 n)
{
	u8 *tcp = ip + 20;
	u32 seq = n * payload;
	u16 sum;

	memset(tcp, 0, 20 + payload);
	tcp[1] = PEER_PORT;
	tcp[3] = 80;
	tcp[4] = (u8)(seq >> 24);
	tcp[5] = (u8)(seq >> 16);
	tcp[6] = (u8)(seq >> 8);
	tcp[7] = (u8)seq;
	tcp[12] = 0x50;
	tcp[13] = 0x10;
	sum = l4_csum(ip, tcp, 20 + payload, IPPROTO_TCP);
	tcp[16] = (u8)(sum >> 8);
	tcp[17] = (u8)sum;
	return 20 + payload;
}

static u32 build_eth(u8 *frame, enum shape shape, u32 len)
{
	static const u8 pause[] = { 0x88, 0x08, 0, 1, 0, 200 };
	static const u8 control[6] = { 1, 0x80, 0xc2, 0, 0, 1 };

	memcpy(frame, FUZZ_HOST_MAC, 6);
	memcpy(frame + 6, FUZZ_PEER_MAC, 6);
	frame[12] = 8;
	frame[13] = 0;
	if (shape == SHAPE_PAUSE) {
		memset(frame, 0, 60);
		memcpy(frame, control, 6);
		memcpy(frame + 6, FUZZ_PEER_MAC, 6);
		memcpy(frame + 12, pause, sizeof(pause));
		return 60;
	}
	if (shape == SHAPE_RAW) {
		memset(frame + 14, 0x55, len);
		frame[12] = 0x88;
		frame[13] = 0xb5;
		return len;
	}
	if (shape == SHAPE_FOREIGN)
		frame[5] ^= 0x80;
	if (shape != SHAPE_TAGGED)
		return 14;
	frame[12] = 0x81;
	frame[14] = 0;
	frame[15] = 0; /* a priority tag: of no VLAN */
	frame[16] = 8;
	frame[17] = 0;
	return 18;
}

static void one_frame(struct fuzz_world *f, enum shape shape, u32 len, u32 n)
{
	struct scenario *s = f->ctx;
	u8 frame[2048];
	u32 at = build_eth(frame, shape, len), l4;

	if (shape != SHAPE_RAW && shape != SHAPE_PAUSE) {
		u32 max = 1500 - 20 - (shape == SHAPE_TCP ? 20 : 8);
		u32 payload = len > max ? max : len;
		u8 proto = shape == SHAPE_TCP ? IPPROTO_TCP : IPPROTO_UDP;

		build_ip(frame + at, proto, payload + (shape == SHAPE_TCP ? 20 : 8));
		l4 = shape == SHAPE_TCP ? build_tcp(frame + at, payload, n) :
					  build_udp(frame + at, payload, ++s->in_seq, shape);
		at += 20 + l4;
	}
	fuzz_frame(f, frame, at, 0);
}

static void op_frames(struct fuzz_world *f, struct fuzz_input *in)
{
	enum shape shape = fuzz_u8(in) % SHAPES;
	u32 len = fuzz_u8(in) * 8u, n = fuzz_u8(in) % 16 + 1;

	for (u32 i = 0; i < n; i++)
		one_frame(f, shape, len > 1600 ? 1600 : len, i);
}

/* ---- the socket ---- */

static void send_one(struct fuzz_world *f, u32 len)
{
	struct scenario *s = f->ctx;
	struct sys_op op = { .nr = SYS_SENDMSG, .fd = s->fd, .has_addr = true };
	static u8 data[8192];

	fill(data, len, ++s->out_seq);
	op.addr.family = AF_INET;
	memcpy(op.addr.addr, FUZZ_PEER_ADDR, 4);
	op.addr.port = PEER_PORT;
	op.arg[0] = MSG_DONTWAIT;
	op.data = data;
	op.data_len = len;
	(void)fuzz_call(f, &op);
}

static void op_send(struct fuzz_world *f, struct fuzz_input *in)
{
	u32 len = fuzz_u8(in), n = fuzz_u8(in);

	/* Most of one packet's size, some to be fragmented. */
	len = n & 0x80 ? len * 24 : len * 5;
	for (u32 i = 0; i <= (n & 15); i++)
		send_one(f, len);
}

/* False: nothing waits. */
static bool receive_one(struct fuzz_world *f)
{
	struct scenario *s = f->ctx;
	static u8 data[2048];
	struct sys_op op = { .nr = SYS_RECVMSG, .fd = s->fd };
	u16 seq;
	s64 r;

	op.arg[0] = MSG_DONTWAIT;
	op.data = data;
	op.data_len = sizeof(data);
	r = fuzz_call(f, &op);
	if (r < 0)
		return false;
	s->received++;
	FUZZ_CHECK(f->lied_to || filled(data, (u32)r, &seq), "a datagram has a wrong byte");
	if (f->lied_to || r < 2)
		return true;
	FUZZ_CHECK((s16)(seq - s->seen) > 0, "datagrams arrived out of order, or twice");
	s->seen = seq;
	return true;
}

static void drain(struct fuzz_world *f)
{
	while (receive_one(f))
		;
}

/* Of a whole datagram the bytes are looked at. */
static void on_tx(struct fuzz_world *f, const u8 *frame, u32 len)
{
	struct scenario *s = f->ctx;
	const u8 *udp = frame + 34;
	u32 n;
	u16 seq;

	if (len < 42 || frame[12] != 8 || frame[13] || frame[23] != IPPROTO_UDP)
		return;
	s->left++;
	n = (u32)udp[4] << 8 | udp[5];
	if (f->lied_to || (frame[20] & 0x3f) || frame[21] || n < 8 || n > len - 34)
		return;
	FUZZ_CHECK(filled(udp + 8, n - 8, &seq), "a datagram left with a wrong byte");
}

/* ---- the card ---- */

static s64 nic_set(struct fuzz_world *f, u32 param, u32 index, u64 value)
{
	struct op op = { .kind = OP_NIC_SET };

	op.u.nic_set.ifindex = IFINDEX;
	op.u.nic_set.param = param;
	op.u.nic_set.index = index;
	op.u.nic_set.value = value;
	return world_apply(f->w, &op);
}

static void fail_allocs(struct fuzz_world *f, u64 skip, u64 count)
{
	struct op op = { .kind = OP_FAULT };

	op.u.fault.point = FAULT_ALLOC;
	op.u.fault.skip = skip;
	op.u.fault.count = count;
	(void)world_apply(f->w, &op);
}

static void op_set(struct fuzz_world *f, struct fuzz_input *in)
{
	static const struct {
		u32 param, max;
	} settings[] = {
		{ NIC_PARAM_RX_USECS, 200 },
		{ NIC_PARAM_ADAPTIVE_RX, 1 },
		{ NIC_PARAM_RX_CSUM, 1 },
		{ NIC_PARAM_TX_CSUM, 1 },
		{ NIC_PARAM_TSO, 1 },
		{ NIC_PARAM_USO, 1 },
		{ NIC_PARAM_SG, 1 },
		{ NIC_PARAM_LRO, 1 },
		{ NIC_PARAM_GRO, 1 },
		{ NIC_PARAM_RX_VLAN, 1 },
		{ NIC_PARAM_TX_VLAN, 1 },
		{ NIC_PARAM_RX_PAUSE, 1 },
		{ NIC_PARAM_TX_PAUSE, 1 },
		{ NIC_PARAM_RX_TSTAMP, 1 },
		{ NIC_PARAM_CHANNELS, 2 },
		{ NIC_PARAM_VIRTIO_EVENT_IDX, 1 },
		{ NIC_PARAM_IRQ_CPU, 1 },
		{ NIC_PARAM_DEFER_HARD_IRQS, 3 },
		{ NIC_PARAM_GRO_FLUSH_TIMEOUT, 0xff },
		{ NIC_PARAM_RX_VLAN_FILTER, 1 },
		{ NIC_PARAM_VIRTIO_CTRL_VQ, 1 },
		{ NIC_PARAM_ANNOUNCE, 1 },
	};
	u32 which = fuzz_u8(in), value = fuzz_u8(in);

	if (which & 0x80) {
		(void)nic_set(f, which & 1 ? NIC_PARAM_RX_RING : NIC_PARAM_TX_RING, 0,
			      which & 2 ? value : 8u << value % 4);
		return;
	}
	which %= ARRAY_SIZE(settings);
	value %= settings[which].max + 1;
	if (settings[which].param == NIC_PARAM_GRO_FLUSH_TIMEOUT)
		value *= 1000;
	(void)nic_set(f, settings[which].param, 0, value);
}

static const u32 faults[] = { NIC_PARAM_TX_STALL, NIC_PARAM_RX_STALL,	 NIC_PARAM_IRQ_LOST,
			      NIC_PARAM_IRQ_LATE, NIC_PARAM_RX_BAD_DESC, NIC_PARAM_TX_BAD_DESC };
static const u32 lies[] = { NIC_PARAM_RX_BAD_LEN, NIC_PARAM_RX_NO_EOP, NIC_PARAM_USED_BAD_ID,
			    NIC_PARAM_USED_TWICE, NIC_PARAM_USED_AHEAD };

static void op_fault(struct fuzz_world *f, struct fuzz_input *in)
{
	u32 which = fuzz_u8(in) % (ARRAY_SIZE(faults) + 1), queue = fuzz_u8(in) & 1,
	    n = fuzz_u8(in);

	if (which == ARRAY_SIZE(faults))
		(void)nic_set(f, NIC_PARAM_IRQ_SPURIOUS, queue, 1);
	else
		(void)nic_set(f, faults[which], queue, n);
}

static void op_lie(struct fuzz_world *f, struct fuzz_input *in)
{
	u32 which = fuzz_u8(in) % ARRAY_SIZE(lies), queue = fuzz_u8(in) & 1, n = fuzz_u8(in);

	if (nic_set(f, lies[which], queue, n) == 0)
		f->lied_to = true;
}

static void scribble(struct fuzz_world *f, u32 ring, u32 word, u32 value)
{
	if (nic_set(f, NIC_PARAM_SCRIBBLE, ring, (u64)word << 32 | value) == 0)
		f->lied_to = true;
}

static void op_scribble(struct fuzz_world *f, struct fuzz_input *in)
{
	u32 ring = fuzz_u8(in) & 3, word = fuzz_u16(in), high = fuzz_u16(in);

	scribble(f, ring, word, high << 16 | fuzz_u16(in));
}

/* As a ring's descriptors are laid out; of a virtqueue it is what lies there. */
static void op_finish(struct fuzz_world *f, struct fuzz_input *in)
{
	u32 ring = (fuzz_u8(in) & 1) * 2, slot = fuzz_u8(in), status = fuzz_u8(in);

	scribble(f, ring, slot * 4 + 3, fuzz_u8(in) * 7u);
	scribble(f, ring, slot * 4 + 2, status);
}

/* Made, or taken away again. */
static void toggle_vlan(struct fuzz_world *f, u8 id)
{
	struct scenario *s = f->ctx;
	struct op op = { .kind = OP_LINK_DEL };

	if (s->vlan > 0) {
		op.u.link_del.ifindex = (u64)s->vlan;
		(void)world_apply(f->w, &op);
		s->vlan = 0;
		return;
	}
	op = (struct op){ .kind = OP_LINK_ADD };
	op.u.link_add.kind = (struct op_bytes){ (const u8 *)"vlan", 4 };
	op.u.link_add.link = IFINDEX;
	op.u.link_add.id = id;
	s->vlan = world_apply(f->w, &op);
}

/* What the cable or the card's filter lets through. */
static void op_filter(struct fuzz_world *f, u8 how)
{
	static const u32 params[] = { LINK_PARAM_CARRIER, LINK_PARAM_PROMISC, LINK_PARAM_ALLMULTI };
	u32 which = how >> 1 & 3;

	if (which < ARRAY_SIZE(params))
		fuzz_link_set(f, params[which], how & 1);
	else
		toggle_vlan(f, how >> 3);
}

static void op_link(struct fuzz_world *f, u8 how)
{
	switch (how & 3) {
	case 0:
		fuzz_link_set(f, LINK_PARAM_UP, 0);
		break;
	case 1:
		fuzz_link_set(f, LINK_PARAM_UP, 1);
		break;
	case 2:
		(void)nic_set(f, NIC_PARAM_RESET, 0, 1);
		break;
	default:
		op_filter(f, how >> 2);
	}
}

static u64 dma_faults(struct fuzz_world *f)
{
	u64 v = 0;

	FUZZ_CHECK(counter_get(f->w, 0, "eth0.dma_faults", &v), "a counter is not there");
	return v;
}

static void settle(struct fuzz_world *f, u64 ns)
{
	FUZZ_CHECK(world_run(f->w, world_now(f->w) + ns) == WORLD_TIME, "a storm of events");
}

/* All faults end; down and up: then traffic flows. */
static void heal(struct fuzz_world *f)
{
	struct scenario *s = f->ctx;
	struct op op = { .kind = OP_NEIGH_SET };
	u64 refused;

	fail_allocs(f, 1ull << 40, 1);
	for (u32 q = 0; q < 2; q++) {
		for (u32 i = 0; i < ARRAY_SIZE(faults); i++)
			(void)nic_set(f, faults[i], q, 0);
		for (u32 i = 0; i < ARRAY_SIZE(lies); i++)
			(void)nic_set(f, lies[i], q, 0);
	}
	fuzz_link_set(f, LINK_PARAM_CARRIER, 1);
	fuzz_link_set(f, LINK_PARAM_UP, 0);
	settle(f, NSEC_PER_SEC);
	fuzz_link_set(f, LINK_PARAM_UP, 1);
	settle(f, NSEC_PER_SEC);
	op.u.neigh_set.ifindex = IFINDEX;
	op.u.neigh_set.state = NUD_PERMANENT;
	op.u.neigh_set.addr = (struct op_bytes){ (const u8 *)FUZZ_PEER_ADDR, 4 };
	op.u.neigh_set.lladdr = (struct op_bytes){ (const u8 *)FUZZ_PEER_MAC, 6 };
	(void)world_apply(f->w, &op);
	drain(f);
	refused = dma_faults(f);
	FUZZ_CHECK(f->lied_to || !refused, "an honest card touched what is not mapped");
	world_check(f->w, 1);
	/* From here on it tells the truth. */
	f->lied_to = false;
	s->seen = s->in_seq;
	s->received = 0;
	s->left = 0;
	one_frame(f, SHAPE_UDP_CSUM, 100, 0);
	send_one(f, 200);
	settle(f, NSEC_PER_SEC);
	drain(f);
	FUZZ_CHECK(s->received == 1, "no datagram comes in after all faults are over");
	FUZZ_CHECK(s->left == 1, "no datagram leaves after all faults are over");
	FUZZ_CHECK(dma_faults(f) == refused, "an honest card touched what is not mapped");
}

static void record(struct fuzz_world *f, struct fuzz_input *in)
{
	u8 skip;

	switch (fuzz_u8(in) & 15) {
	case 0:
	case 1:
	case 2:
		op_frames(f, in);
		break;
	case 3:
	case 4:
		op_send(f, in);
		break;
	case 5:
		drain(f);
		break;
	case 6:
	case 7:
		fuzz_advance(f, fuzz_u8(in) % 24);
		break;
	case 8:
		op_set(f, in);
		break;
	case 9:
		op_fault(f, in);
		break;
	case 10:
		op_lie(f, in);
		break;
	case 11:
	case 12:
		op_scribble(f, in);
		break;
	case 13:
		op_finish(f, in);
		break;
	case 14:
		skip = fuzz_u8(in);
		fail_allocs(f, skip, fuzz_u8(in) % 32 + 1u);
		break;
	default:
		op_link(f, fuzz_u8(in));
	}
	world_check(f->w, 0);
}

static void scenario(struct fuzz_world *f, struct fuzz_input *in)
{
	struct scenario s = { .fd = -1 };
	u8 settings = fuzz_u8(in);

	f->ctx = &s;
	f->on_tx = on_tx;
	f->own_frames = 1u << 20; /* pause frames, fragments */
	fuzz_boot_model(f, 1 + (settings & 1), 1 + (settings >> 1 & 1),
			settings & 4 ? NIC_MODEL_VIRTIO : NIC_MODEL_RING);
	s.fd = fuzz_udp_socket(f, PORT);
	FUZZ_CHECK(nic_set(f, NIC_PARAM_DMA_STRICT, 0, 1) == 0, "no IOMMU");
	for (u32 n = 0; n < OPS_MAX && fuzz_more(in); n++)
		record(f, in);
	heal(f);
	f->ctx = NULL;
	f->on_tx = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_run(data, size, scenario);
	return 0;
}
