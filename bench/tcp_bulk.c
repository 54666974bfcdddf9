/* SPDX-License-Identifier: MIT */
/*
 * Bulk data over one connection between two hosts of one world: CPU time of both ends, both
 * applications' calls and copies included, per full-sized data segment. Options are Linux's
 * defaults: SACK, time stamps, window scale; so a segment holds 1,448 bytes. Three ways: as it
 * comes: segments are cut in software in front of the driver, GRO joins them; the checksums are
 * made and verified in software;
 * no_gso_gro: each segment is a packet of its own all the way, as in the peer;
 * tso_gro: the device cuts the segments and makes and verifies the checksums.
 * veth: between two namespaces of one host, whose devices hand super-segments over uncut.
 * An argument names the only row to run: for a profile.
 */
#include "two_hosts.h"

#include "kernel/world.h"
#include "socket/socket.h"

#define CHUNK 65536u
#define TOTAL (64u << 20)
#define MSS   1448u

static u8 out[CHUNK], in[CHUNK];

/* One side's call under way, started again when it is through. */
struct side {
	struct sys_op op;
	u64 done;
};

static void start(struct world *w, struct side *s, u32 host, u32 nr, s32 fd, u8 *data)
{
	s->op = (struct sys_op){ .host = host,
				 .nr = nr,
				 .fd = fd,
				 .data = data,
				 .data_len = CHUNK,
				 .timeout_ns = TIME_NEVER };
	bench_check(sys_submit(w, &s->op) == 0, "submit");
}

static void take(struct side *s)
{
	bench_check(s->op.ret > 0, "a transfer ended early");
	s->done += (u64)s->op.ret;
}

static void transfer(struct world *w, const s32 fd[2], u64 total)
{
	struct side tx = { .done = 0 }, rx = { .done = 0 };

	start(w, &tx, bench_end[0], SYS_SENDMSG, fd[0], out);
	start(w, &rx, bench_end[1], SYS_RECVMSG, fd[1], in);
	while (rx.done < total) {
		if (tx.op.completed && tx.done < total) {
			take(&tx);
			if (tx.done < total)
				start(w, &tx, bench_end[0], SYS_SENDMSG, fd[0], out);
			continue;
		}
		if (rx.op.completed) {
			take(&rx);
			if (rx.done < total)
				start(w, &rx, bench_end[1], SYS_RECVMSG, fd[1], in);
			continue;
		}
		bench_check(world_step(w), "the transfer stands still");
	}
	bench_check(tx.done == total && rx.done == total, "bytes are missing");
}

static void nic_set(struct world *w, u32 param, u64 value)
{
	for (u32 host = 0; host < 2; host++) {
		struct op op = { .kind = OP_NIC_SET };

		op.u.nic_set.host = host;
		op.u.nic_set.ifindex = 2;
		op.u.nic_set.param = param;
		op.u.nic_set.value = value;
		bench_apply(w, &op);
	}
}

static void one_by_one(struct world *w, const s32 fd[2])
{
	int err;

	nic_set(w, NIC_PARAM_GRO, 0);
	sockfd_lookup(w->hosts[0], fd[0], &err)->sk->sk_gso_disabled = true;
}

static void offloads(struct world *w, const s32 fd[2])
{
	(void)fd;
	nic_set(w, NIC_PARAM_TX_CSUM, 1);
	nic_set(w, NIC_PARAM_RX_CSUM, 1);
	nic_set(w, NIC_PARAM_TSO, 1);
	nic_set(w, NIC_PARAM_GRO, 1);
}

struct row {
	const char *name;
	struct world *(*create)(void *arena, size_t size);
	void (*configure)(struct world *w, const s32 fd[2]); /* NULL: as it comes */
};

static void run(const struct row *row)
{
	const size_t size = 256u << 20;
	struct world *w;
	s32 listener, fd[2];
	void *arena;
	double t0;

	arena = aligned_alloc(64, size);
	w = row->create(arena, size);
	listener = bench_listen(w, 1);
	for (u32 i = 0; i < CHUNK; i++)
		out[i] = (u8)(i * 7 + i / 251);
	bench_connect(w, listener, fd);
	if (row->configure)
		row->configure(w, fd);
	transfer(w, fd, TOTAL / 8);
	t0 = bench_now_ns();
	transfer(w, fd, TOTAL);
	bench_print(row->name, (bench_now_ns() - t0) / (TOTAL / MSS), "ns/segment");
	world_destroy(w, NULL);
	free(arena);
}

static const struct row rows[] = {
	{ "tcp_bulk_segment", bench_two_hosts, NULL },
	{ "tcp_bulk_segment_no_gso_gro", bench_two_hosts, one_by_one },
	{ "tcp_bulk_segment_tso_gro", bench_two_hosts, offloads },
	{ "tcp_bulk_segment_veth", bench_two_namespaces, NULL },
};

int main(int argc, char **argv)
{
	bench_rows(argc, argv,
		   "tcp_bulk_segment tcp_bulk_segment_no_gso_gro tcp_bulk_segment_tso_gro "
		   "tcp_bulk_segment_veth ");

	u32 ran = 0;

	for (u32 i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (!bench_wanted(argc, argv, rows[i].name))
			continue;
		run(&rows[i]);
		ran++;
	}
	bench_check(ran != 0, "there is no such row: tcp_bulk_segment, ...");
	return 0;
}
