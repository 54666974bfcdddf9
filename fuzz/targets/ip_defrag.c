/* SPDX-License-Identifier: MIT */
/*
 * Fuzz target: IPv4 reassembly against a model that is a byte array per datagram and knows the
 * rules of RFC 791 and RFC 815 as Linux keeps them.
 *
 * Input: seed, topology, then records: op byte, its arguments.
 *   0..5  FRAG id off_hi off_lo len mf   a fragment of datagram `id` (8 of them, from two senders);
 * every payload byte is a function of id and place 6     ADV code                       time passes
 *   7     CORRUPT id off len             a fragment whose header checksum is wrong: must leave no
 * trace
 *
 * The reassembled datagram is seen by a hook at LOCAL_IN. Oracle: what arrives is exactly what the
 * model says, byte for byte, no sooner and no later; the counters agree; memory for fragments stays
 * under its limit.
 */
#include "fuzz_world.h"

#include <string.h>

#include "stack/counters.h"
#include "stack/rtnetlink.h"
#include "stack/socket.h"

#define OPS_MAX	    256u
#define DATAGRAMS   8u
#define PROTOCOL    253u /* RFC 3692: for experiments */
#define PAYLOAD_MAX 65515u
#define TIMEOUT_NS  (30 * NSEC_PER_SEC) /* net.ipv4.ipfrag_time */
#define DELIVERY_NS 10000u /* more than the wire's delay: an instant for the host */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* One datagram as the model sees it. */
struct model {
	bool open;
	u64 born;
	u32 len; /* highest end so far */
	bool last_in;
	u32 have; /* bytes there */
	u32 runs, tail_end, tail_run; /* runs made; end and run of the last fragment */
	u16 run[65536]; /* of each byte, 0: not there; valid below `dirty` */
	u32 dirty; /* bytes from here on are not there */
};

struct scenario {
	struct model m[DATAGRAMS];
	u32 delivered, expected; /* datagrams */
	u32 oks; /* reassembled ones, without those that came whole */
	u32 expect_id, expect_len;
	bool expecting;
};

static u8 content(u32 id, u32 off)
{
	return (u8)(off * 31 + id * 101 + (off >> 8) * 7);
}

static void model_close(struct model *m)
{
	m->open = false;
}

/*
 * True: the datagram is complete with this fragment. Linux keeps runs: fragments that came one
 * right behind the other at the end are one run, any other is a run of its own. A fragment inside
 * one run is a duplicate; one that lies across two that touch is an overlap, though all its bytes
 * are there.
 */
static bool model_add(struct model *m, u64 now, u32 off, u32 len, bool mf)
{
	u32 end = off + len, there = 0, run;
	bool one_run = true;

	if (m->open && now - m->born >= TIMEOUT_NS)
		model_close(m);
	if (!m->open) {
		memset(m->run, 0, m->dirty * sizeof(m->run[0]));
		m->runs = 0;
		m->tail_end = 0;
		m->tail_run = 0;
		m->dirty = 0;
		m->len = 0;
		m->have = 0;
		m->last_in = false;
		m->open = true;
		m->born = now;
	}
	if (!mf) {
		/* A second last fragment must agree with the first and with all before it. */
		if (end < m->len || (m->last_in && end != m->len)) {
			model_close(m);
			return false;
		}
		m->last_in = true;
		m->len = end;
	} else {
		end &= ~7u; /* all but the last are multiples of 8 */
		if (end > m->len) {
			if (m->last_in) {
				model_close(m);
				return false;
			}
			m->len = end;
		}
	}
	if (end == off) {
		model_close(m);
		return false;
	}
	for (u32 i = off; i < end; i++) {
		there += m->run[i] != 0;
		one_run = one_run && m->run[i] == m->run[off];
	}
	if (there == end - off && one_run)
		return false; /* a duplicate: ignored (DUP_FRAG) */
	if (there) {
		model_close(m); /* an overlap: the whole datagram goes */
		return false;
	}
	run = off == m->tail_end && m->tail_run ? m->tail_run : ++m->runs;
	for (u32 i = off; i < end; i++)
		m->run[i] = (u16)run;
	if (end > m->tail_end) {
		m->tail_end = end;
		m->tail_run = run;
	}
	if (end > m->dirty)
		m->dirty = end;
	m->have += end - off;
	return m->last_in && m->have == m->len;
}

static u32 on_hook(struct fuzz_world *f, u32 id, u8 *packet, u32 len)
{
	struct scenario *s = f->ctx;
	u32 hlen = (packet[0] & 15u) * 4, datagram = packet[5] & 7u;

	(void)id;
	FUZZ_CHECK(s->expecting, "a datagram arrived that is not complete");
	FUZZ_CHECK(datagram == s->expect_id, "another datagram arrived");
	FUZZ_CHECK(len - hlen == s->expect_len, "a datagram of a wrong length arrived");
	FUZZ_CHECK(((u32)packet[2] << 8 | packet[3]) == len, "a wrong total length");
	FUZZ_CHECK((packet[6] & 0x3f) == 0 && packet[7] == 0,
		   "a reassembled datagram is a fragment");
	for (u32 i = 0; i < len - hlen; i++)
		FUZZ_CHECK(packet[hlen + i] == content(datagram, i), "a wrong byte arrived");
	s->expecting = false;
	s->delivered++;
	return NF_DROP;
}

static void send_fragment(struct fuzz_world *f, u32 id, u32 off, u32 len, bool mf, bool corrupt)
{
	u8 frame[14 + 20 + 1480];
	u8 *ip = frame + 14;
	u16 sum;

	memcpy(frame, FUZZ_HOST_MAC, 6);
	memcpy(frame + 6, FUZZ_PEER_MAC, 6);
	frame[12] = 8;
	frame[13] = 0;
	memset(ip, 0, 20);
	ip[0] = 0x45;
	ip[2] = (u8)((20 + len) >> 8);
	ip[3] = (u8)(20 + len);
	ip[5] = (u8)id;
	ip[6] = (u8)((mf ? 0x20 : 0) | off >> 11);
	ip[7] = (u8)(off >> 3);
	ip[8] = 64;
	ip[9] = PROTOCOL;
	memcpy(ip + 12, FUZZ_PEER_ADDR, 4);
	ip[15] = (u8)(ip[15] + (id >> 2)); /* two senders */
	memcpy(ip + 16, FUZZ_HOST_ADDR, 4);
	sum = fuzz_csum(ip, 20, 0);
	ip[10] = (u8)(sum >> 8);
	ip[11] = (u8)sum;
	if (corrupt)
		ip[8] ^= 1;
	for (u32 i = 0; i < len; i++)
		frame[34 + i] = content(id, off + i);
	fuzz_frame(f, frame, 34 + len, 0);
}

static u64 counter(struct fuzz_world *f, const char *name)
{
	u64 v = 0;

	FUZZ_CHECK(counter_get(f->w, 0, name, &v), "a counter is not there");
	return v;
}

static void op_frag(struct fuzz_world *f, struct fuzz_input *in)
{
	struct scenario *s = f->ctx;
	u32 id = fuzz_u8(in) % DATAGRAMS;
	u32 off = (fuzz_u16(in) & 0x1fffu) * 8;
	u8 len8 = fuzz_u8(in), mf8 = fuzz_u8(in);
	u32 len = len8;
	bool mf = mf8 & 1, complete;

	/* Lengths: multiples of 8 up to 1480 for most, any number up to 255 for the rest. */
	if (mf8 & 2)
		len = len8 * 8u > 1480 ? 1480 : len8 * 8u;
	if (mf8 & 4)
		off &= 0x7ff; /* crowd together */
	if (off + len > PAYLOAD_MAX)
		return; /* over 65,535: a rule of its own, with its own cases */
	if (!off && !mf) {
		/* No fragment at all. */
		s->expecting = true;
		s->expect_id = id;
		s->expect_len = len;
		send_fragment(f, id, off, len, mf, false);
		s->expected++;
	} else {
		complete = model_add(&s->m[id], world_now(f->w) + 1000, off, len, mf);
		if (complete) {
			s->expecting = true;
			s->expect_id = id;
			s->expect_len = s->m[id].len;
			s->expected++;
			s->oks++;
			model_close(&s->m[id]);
		}
		send_fragment(f, id, off, len, mf, false);
	}
	FUZZ_CHECK(world_run(f->w, world_now(f->w) + DELIVERY_NS) == WORLD_TIME,
		   "a storm of events");
	FUZZ_CHECK(!s->expecting, "a complete datagram did not arrive");
	FUZZ_CHECK(s->delivered == s->expected, "datagrams arrived that are not complete");
}

static void op_corrupt(struct fuzz_world *f, struct fuzz_input *in)
{
	u32 id = fuzz_u8(in) % DATAGRAMS, off = fuzz_u8(in) * 8u;

	send_fragment(f, id, off, fuzz_u8(in), true, true);
	/* Each by itself: the ring must not overflow. */
	FUZZ_CHECK(world_run(f->w, world_now(f->w) + DELIVERY_NS) == WORLD_TIME,
		   "a storm of events");
}

static void scenario(struct fuzz_world *f, struct fuzz_input *in)
{
	static struct scenario s; /* large: what an earlier input left is closed, not wiped */
	struct op op = { .kind = OP_HOOK_ADD };
	u8 topology = fuzz_u8(in);

	for (u32 i = 0; i < DATAGRAMS; i++)
		model_close(&s.m[i]);
	s.delivered = 0;
	s.expected = 0;
	s.oks = 0;
	s.expecting = false;
	f->ctx = &s;
	f->on_hook = on_hook;
	fuzz_boot(f, 1 + (topology & 1), 1 + (topology >> 1 & 1));
	/* The distance rule looks at the order of other datagrams: it has its own cases. */
	FUZZ_CHECK(fuzz_sysctl(f, "net.ipv4.ipfrag_max_dist", "0"), "no sysctl");
	op.u.hook_add.family = AF_INET;
	op.u.hook_add.hook = NF_INET_LOCAL_IN;
	op.u.hook_add.priority = 1u << 31;
	op.u.hook_add.id = 1;
	FUZZ_CHECK(world_apply(f->w, &op) == 0, "no hook");
	for (u32 n = 0; n < OPS_MAX && fuzz_more(in); n++) {
		u8 what = fuzz_u8(in);

		if (what % 8 == 6)
			fuzz_advance(f, fuzz_u8(in) % 27);
		else if (what % 8 == 7)
			op_corrupt(f, in);
		else
			op_frag(f, in);
		world_check(f->w, 0);
	}
	FUZZ_CHECK(counter(f, "IpReasmOKs") == s.oks,
		   "IpReasmOKs is not the number of datagrams put together");
	FUZZ_CHECK(world_run(f->w, world_now(f->w) + 2 * TIMEOUT_NS) == WORLD_TIME,
		   "a storm of events");
	FUZZ_CHECK(s.delivered == s.expected, "a datagram arrived late");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_run(data, size, scenario);
	return 0;
}
