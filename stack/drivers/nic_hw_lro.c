/* SPDX-License-Identifier: MIT */
/*
 * Large receive offload of the software NIC (as 82599's RSC): in-order segments of one TCP
 * connection, over IPv4, become one frame before the host's memory sees them. A frame waits on
 * the board only while its interrupt is held back (moderation, or the driver is polling), so
 * nothing comes later than without; and no longer than until something ends it: a segment that does
 * not follow on, PSH, a short segment, the length that the driver allows, no room for another
 * connection.
 * What can not be undone is not merged away: flags, other TCP options than time stamps, a CE mark;
 * but acknowledgement, window and time stamp become those of the last segment, and how long each of
 * them was is lost. So such a frame must not be forwarded.
 *
 * Invariants: frames of one connection leave in the order in which they came; every frame on the
 * board counts in `held`, and in rx_frames or rx_missed when it has left; `timer` is armed
 * while there is one.
 */
#include "drivers/nic_hw_priv.h"

#include "lib/checksum.h"
#include "lib/seq.h"

#define LRO_FLOWS  8u /* of a queue */
#define LRO_ETH	   14u
#define LRO_IHL	   20u
#define LRO_TS_OPT 0x0101080au /* NOP, NOP, time stamps of 10 bytes (RFC 7323 appendix A) */

#define TCP_ACK_FLAG 0x10u
#define TCP_PSH_FLAG 0x08u

struct lro_flow {
	u8 *bytes; /* the frame so far; hw->lro->max of them */
	struct nic_hw_rx rx; /* len 0: the place is free */
	u32 l4; /* where TCP's header lies */
	u32 next_seq, mss;
	u64 until; /* when it leaves at the latest */
};

struct nic_hw_lro {
	u32 max; /* bytes of a merged frame; 0: off */
	u64 held;
	struct event timer;
	struct nic_hw *hw;
	u8 *memory;
	struct lro_flow flow[]; /* LRO_FLOWS for each queue */
};

/* What there is to know of a segment. */
struct lro_segment {
	const u8 *frame, *tcp, *data;
	u32 l4, thlen, len; /* len: of the data */
	bool mergeable;
};

static size_t lro_size(const struct nic_hw *hw)
{
	return sizeof(struct nic_hw_lro) + hw->queues * LRO_FLOWS * sizeof(struct lro_flow);
}

/* ---- what may be merged ---- */

static bool ip_plain(const u8 *ip)
{
	return ip[0] == 0x45 && (ip[1] & 3) != 3 && csum_fold(csum_partial(ip, LRO_IHL, 0)) == 0;
}

static bool tcp_plain(const struct lro_segment *s)
{
	if ((s->tcp[12] & 1) || (s->tcp[13] & ~TCP_PSH_FLAG) != TCP_ACK_FLAG)
		return false;
	return s->thlen == 20 || (s->thlen == 32 && get_be32(s->tcp + 20) == LRO_TS_OPT);
}

/* False: it is no TCP over IPv4. */
static bool lro_parse(const u8 *frame, u32 len, u32 status, struct lro_segment *s)
{
	struct nic_hw_parse p;

	if (!nic_hw_parse(frame, len, &p) || p.v6 || p.proto != 6 || !p.l4 || p.l4_len < 20)
		return false;
	*s = (struct lro_segment){ .frame = frame, .tcp = p.l4, .l4 = (u32)(p.l4 - frame) };
	s->thlen = (u32)(p.l4[12] >> 4) * 4;
	if (s->thlen < 20 || s->thlen >= p.l4_len)
		return true;
	s->data = p.l4 + s->thlen;
	s->len = p.l4_len - s->thlen;
	s->mergeable = status & RXD_L4CS && ip_plain(p.ip) && tcp_plain(s);
	return true;
}

static bool same_connection(const struct lro_flow *f, const struct lro_segment *s)
{
	const u8 *a = f->bytes + f->l4, *b = s->tcp;

	return f->rx.len && memcmp(a, b, 4) == 0 && memcmp(a - 8, b - 8, 8) == 0;
}

/* Does the segment follow on what the flow has? */
static bool follows(const struct nic_hw_lro *lro, const struct lro_flow *f,
		    const struct lro_segment *s)
{
	const u8 *a = f->bytes, *tcp = a + f->l4;
	u32 ip = f->l4 - LRO_IHL;

	if (f->l4 != s->l4 || s->len > f->mss || f->rx.len + s->len > lro->max)
		return false;
	/* Link header and tag; TOS and time to live; length of TCP's header. */
	if (memcmp(a, s->frame, ip) != 0 || a[ip + 1] != s->frame[ip + 1] ||
	    a[ip + 8] != s->frame[ip + 8] || tcp[12] != s->tcp[12])
		return false;
	return get_be32(s->tcp + 4) == f->next_seq &&
	       !before(get_be32(s->tcp + 8), get_be32(tcp + 8)) &&
	       (s->thlen == 20 || !before(get_be32(s->tcp + 24), get_be32(tcp + 24)));
}

/* ---- frames that are being gathered ---- */

/* The lengths and sums of a frame of several segments; the device vouches for the latter anyway. */
static void lro_headers(struct lro_flow *f)
{
	u8 *ip = f->bytes + f->l4 - LRO_IHL, *tcp = f->bytes + f->l4;
	u32 l4_len = f->rx.len - f->l4;

	put_be16(ip + 2, (u16)(LRO_IHL + l4_len));
	store_be16(ip + 10, 0);
	store_be16(ip + 10, csum_fold(csum_partial(ip, LRO_IHL, 0)));
	store_be16(tcp + 16, 0);
	store_be16(tcp + 16, csum_tcpudp_magic(load_be32(ip + 12), load_be32(ip + 16), l4_len, 6,
					       csum_partial(tcp, l4_len, 0)));
}

static void lro_close(struct nic_hw *hw, struct lro_flow *f)
{
	u32 queue = (u32)(f - hw->lro->flow) / LRO_FLOWS;
	struct nic_hw_rx rx = f->rx;

	if (rx.segs > 1) {
		lro_headers(f);
		rx.status |= RXD_LRO;
		hw->stats.rx_lro_flushed++;
	}
	if (rx.tagged)
		rx.len -= 4;
	hw->lro->held -= rx.segs;
	f->rx.len = 0;
	nic_hw_place(hw, queue, &rx);
}

static void lro_open(struct nic_hw *hw, struct lro_flow *f, const struct lro_segment *s,
		     const struct nic_hw_rx *rx, u64 until)
{
	u32 len = (u32)(s->data - s->frame) + s->len;

	memcpy(f->bytes, s->frame, len);
	f->rx = *rx;
	f->rx.frame = f->bytes;
	f->rx.len = len; /* with the tag, without padding */
	f->l4 = s->l4;
	f->next_seq = get_be32(s->tcp + 4) + s->len;
	f->mss = s->len;
	f->until = until;
	hw->lro->held++;
	if (event_armed(&hw->lro->timer) && hw->lro->timer.time <= until)
		return;
	event_cancel(hw->world, &hw->lro->timer);
	event_arm(hw->world, &hw->lro->timer, until, EVENT_WIRE);
}

static void lro_merge(struct nic_hw *hw, struct lro_flow *f, const struct lro_segment *s, u32 wire)
{
	u8 *tcp = f->bytes + f->l4;

	memcpy(f->bytes + f->rx.len, s->data, s->len);
	f->rx.len += s->len;
	f->rx.segs++;
	f->rx.wire += wire;
	f->next_seq += s->len;
	memcpy(tcp + 8, s->tcp + 8, 4); /* acknowledgement */
	memcpy(tcp + 14, s->tcp + 14, 2); /* window */
	if (s->thlen == 32)
		memcpy(tcp + 24, s->tcp + 24, 8);
	tcp[13] |= s->tcp[13] & TCP_PSH_FLAG;
	hw->stats.rx_lro_merged++;
	hw->lro->held++;
}

/* A place for a new one; the oldest leaves when there is none. */
static struct lro_flow *lro_place(struct nic_hw *hw, u32 queue)
{
	struct lro_flow *flow = hw->lro->flow + queue * LRO_FLOWS, *oldest = flow;

	for (u32 i = 0; i < LRO_FLOWS; i++) {
		if (!flow[i].rx.len)
			return &flow[i];
		if (flow[i].rx.stamp < oldest->rx.stamp)
			oldest = &flow[i];
	}
	lro_close(hw, oldest);
	return oldest;
}

static struct lro_flow *lro_find(struct nic_hw *hw, u32 queue, const struct lro_segment *s)
{
	struct lro_flow *flow = hw->lro->flow + queue * LRO_FLOWS;

	for (u32 i = 0; i < LRO_FLOWS; i++)
		if (same_connection(&flow[i], s))
			return &flow[i];
	return NULL;
}

bool nic_hw_lro_receive(struct nic_hw *hw, u32 queue, const struct nic_hw_rx *rx, u32 len)
{
	struct lro_segment s;
	struct lro_flow *f;
	bool last;
	u64 until;

	if (!lro_parse(rx->frame, len, rx->status, &s))
		return false;
	f = lro_find(hw, queue, &s);
	if (f && s.mergeable && follows(hw->lro, f, &s)) {
		last = s.len < f->mss || s.tcp[13] & TCP_PSH_FLAG;
		lro_merge(hw, f, &s, len);
		if (last || f->rx.len + f->mss > hw->lro->max)
			lro_close(hw, f);
		return true;
	}
	if (f)
		lro_close(hw, f);
	if (!s.mergeable || s.tcp[13] & TCP_PSH_FLAG ||
	    (u32)(s.data - s.frame) + 2 * s.len > hw->lro->max)
		return false;
	until = nic_hw_vector_when(hw, queue, ICR_RX);
	if (until <= hw->world->now)
		return false;
	if (until == UINT64_MAX)
		until = hw->world->now + NIC_LRO_USECS * NSEC_PER_USEC;
	lro_open(hw, lro_place(hw, queue), &s, rx, until);
	return true;
}

/* All whose time is over; armed again for the oldest of the others. */
static void lro_timer(struct world *w, struct event *ev)
{
	struct nic_hw_lro *lro = container_of(ev, struct nic_hw_lro, timer);
	u64 next = UINT64_MAX;
	struct nic_hw *hw = lro->hw;

	for (u32 i = 0; i < hw->queues * LRO_FLOWS; i++) {
		struct lro_flow *f = &lro->flow[i];

		if (f->rx.len && f->until <= w->now)
			lro_close(hw, f);
		else if (f->rx.len && f->until < next)
			next = f->until;
	}
	if (next != UINT64_MAX)
		event_arm(w, &lro->timer, next, EVENT_WIRE);
}

void nic_hw_lro_unmasked(struct nic_hw *hw, u32 queue)
{
	struct lro_flow *flow = hw->lro->flow + queue * LRO_FLOWS;
	u64 until = nic_hw_vector_when(hw, queue, ICR_RX);

	for (u32 i = 0; i < LRO_FLOWS; i++)
		if (flow[i].rx.len && until <= hw->world->now)
			lro_close(hw, &flow[i]);
		else if (until != UINT64_MAX)
			flow[i].until = until;
}

/* ---- life ---- */

u64 nic_hw_lro_held(const struct nic_hw *hw)
{
	return hw->lro ? hw->lro->held : 0;
}

u32 nic_hw_lro_max(const struct nic_hw *hw)
{
	return hw->lro ? hw->lro->max : 0;
}

/* What is on the board is lost with it (reset), or goes to the host (switched off). */
static void lro_end(struct nic_hw *hw, bool lose)
{
	struct nic_hw_lro *lro = hw->lro;
	u32 flows = hw->queues * LRO_FLOWS;

	for (u32 i = 0; i < flows; i++) {
		if (lro->flow[i].rx.len && lose)
			hw->stats.rx_missed += lro->flow[i].rx.segs;
		else if (lro->flow[i].rx.len)
			lro_close(hw, &lro->flow[i]);
	}
	event_cancel(hw->world, &lro->timer);
	mem_free(hw->world, MEM_NIC, lro->memory, (size_t)flows * lro->max);
	mem_free(hw->world, MEM_NIC, lro, lro_size(hw));
	hw->lro = NULL;
}

void nic_hw_lro_reset(struct nic_hw *hw)
{
	if (hw->lro)
		lro_end(hw, true);
}

void nic_hw_lro_set(struct nic_hw *hw, u32 max)
{
	u32 flows = hw->queues * LRO_FLOWS;
	struct nic_hw_lro *lro;

	if (hw->lro)
		lro_end(hw, false);
	if (!max)
		return;
	max = min_u32(max, NIC_LRO_MAX);
	lro = mem_zalloc(hw->world, MEM_NIC, lro_size(hw));
	if (!lro)
		return;
	lro->memory = mem_alloc(hw->world, MEM_NIC, (size_t)flows * max);
	if (!lro->memory) {
		mem_free(hw->world, MEM_NIC, lro, lro_size(hw));
		return;
	}
	for (u32 i = 0; i < flows; i++)
		lro->flow[i].bytes = lro->memory + (size_t)i * max;
	lro->max = max;
	lro->hw = hw;
	event_init(&lro->timer, lro_timer);
	hw->lro = lro;
}
