/* SPDX-License-Identifier: MIT */
/*
 * System calls as such: blocking and waking, time-outs exact on the virtual clock, cancelling,
 * closing while blocked, descriptors, poll and epoll.
 */
#include "stack/socket/sock_world.h"

#define CLEAN(test) cmocka_unit_test_setup_teardown(test, sock_world_setup, sock_world_teardown)

static void lowest_descriptor_first(void **state)
{
	(void)state;
	assert_int_equal(t_socket(0, 0), 3);
	assert_int_equal(t_socket(0, 0), 4);
	assert_int_equal(t_socket(0, 0), 5);
	assert_int_equal(t_socket(1, 0), 3); /* another host, another process */
	assert_int_equal(t_close(0, 4), 0);
	assert_int_equal(t_close(0, 4), -EBADF);
	assert_int_equal(t_socket(0, 0), 4);
	assert_int_equal(t_call(0, SYS_DUP, 3, 0), 6);
	assert_int_equal(t_bind(0, 3, any_addr, 7), 0);
	assert_int_equal(t_port(0, 6), 7);
	assert_int_equal(t_close(0, 3), 0);
	assert_int_equal(t_port(0, 6), 7); /* the socket lives on in its duplicate */
}

static void descriptors_run_out(void **state)
{
	(void)state;
	for (s32 fd = 3; fd < 1024; fd++)
		assert_int_equal(t_socket(0, 0), fd);
	assert_int_equal(t_socket(0, 0), -EMFILE);
	assert_int_equal(t_close(0, 500), 0);
	assert_int_equal(t_socket(0, 0), 500);
}

static void rlimit(const char *value)
{
	struct op op = { .kind = OP_SYSCTL };

	op.u.sysctl.name = (struct op_bytes){ (const u8 *)"tapline.rlimit_nofile", 21 };
	op.u.sysctl.value = (struct op_bytes){ (const u8 *)value, (u32)strlen(value) };
	assert_int_equal(world_apply(w, &op), 0);
}

/* As setrlimit(2): it bounds the numbers given out from now on, and closes nothing. */
static void descriptors_limit(void **state)
{
	(void)state;
	rlimit("5");
	assert_int_equal(t_socket(0, 0), 3);
	assert_int_equal(t_socket(0, 0), 4);
	assert_int_equal(t_socket(0, 0), -EMFILE);
	assert_int_equal(t_call(0, SYS_DUP, 3, 0), -EMFILE);
	assert_int_equal(t_socket(1, 0), 3); /* another process, another limit */
	rlimit("3000");
	for (s32 fd = 5; fd < 3000; fd++)
		assert_int_equal(t_socket(0, 0), fd);
	assert_int_equal(t_socket(0, 0), -EMFILE);
	rlimit("4");
	assert_int_equal(t_close(0, 2000), 0);
	assert_int_equal(t_socket(0, 0), -EMFILE);
	assert_int_equal(t_close(0, 2999), 0); /* still open until then */
	assert_int_equal(t_close(0, 3), 0);
	assert_int_equal(t_socket(0, 0), 3);
}

static void socket_arguments(void **state)
{
	struct sys_op op = call_of(0, SYS_SOCKET, -1);

	(void)state;
	op.arg[0] = 46;
	op.arg[1] = SOCK_DGRAM;
	assert_int_equal(finish(&op), -EAFNOSUPPORT);
	op.arg[0] = AF_INET;
	op.arg[1] = 11;
	assert_int_equal(finish(&op), -EINVAL);
	op.arg[1] = SOCK_DGRAM | 0x1000;
	assert_int_equal(finish(&op), -EINVAL);
	op.arg[1] = SOCK_DGRAM;
	op.arg[2] = IPPROTO_TCP;
	assert_int_equal(finish(&op), -EPROTONOSUPPORT);
	op.arg[2] = IPPROTO_UDP;
	assert_int_equal(finish(&op), 3);
	op.nr = SYS_NR_COUNT;
	assert_int_equal(sys_submit(w, &op), -EINVAL);
	op.nr = SYS_CLOSE;
	op.host = 2;
	assert_int_equal(sys_submit(w, &op), -EINVAL);
}

static void a_reader_is_woken(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(1, 0);
	struct sys_op reader;
	u8 buf[16];

	(void)state;
	assert_int_equal(t_bind(0, a, any_addr, 7), 0);
	reader = recv_op(0, a, buf, sizeof(buf), 0);
	submit(&reader);
	assert_false(reader.completed);
	run_for(1000);
	assert_false(reader.completed);
	assert_int_equal(t_sendto(1, b, "hello", 5, 0, host_addr[0], 7), 5);
	/* ARP there and back, then the datagram: three flights. */
	run_for(3 * WIRE_DELAY - 1);
	assert_false(reader.completed);
	run_for(1);
	assert_true(reader.completed);
	assert_int_equal(reader.ret, 5);
	assert_memory_equal(buf, "hello", 5);
	assert_int_equal(reader.addr.port, t_port(1, b));
	assert_memory_equal(reader.addr.addr, host_addr[1], 4);
}

/* One datagram, one of two readers: the first one (exclusive waiters, in order). */
static void one_reader_of_two(void **state)
{
	s32 a = t_socket(0, 0);
	struct sys_op first, second;
	u8 buf[2][16];

	(void)state;
	assert_int_equal(t_bind(0, a, lo_addr, 7), 0);
	first = recv_op(0, a, buf[0], 16, 0);
	second = recv_op(0, a, buf[1], 16, 0);
	submit(&first);
	submit(&second);
	assert_int_equal(t_sendto(0, a, "1", 1, 0, lo_addr, 7), 1);
	run_for(0);
	assert_true(first.completed);
	assert_false(second.completed);
	assert_int_equal(t_sendto(0, a, "22", 2, 0, lo_addr, 7), 2);
	run_for(0);
	assert_true(second.completed);
	assert_int_equal(second.ret, 2);
}

static void receive_times_out_exactly(void **state)
{
	s32 a = t_socket(0, 0);
	struct sys_op reader;
	u8 buf[16];

	(void)state;
	assert_int_equal(t_bind(0, a, any_addr, 7), 0);
	assert_int_equal(t_set_timeo(0, a, SO_RCVTIMEO, 1, 500500), 0); /* 1.501 s in jiffies */
	run_for(12345);
	reader = recv_op(0, a, buf, sizeof(buf), 0);
	submit(&reader);
	run_for(1501 * NSEC_PER_MSEC - 1);
	assert_false(reader.completed);
	run_for(1);
	assert_true(reader.completed);
	assert_int_equal(reader.ret, -EAGAIN);
	assert_int_equal(t_set_timeo(0, a, SO_RCVTIMEO, 0, 1000000), -EDOM);
}

static void nobody_waits_when_not_to(void **state)
{
	s32 a = t_socket(0, SOCK_NONBLOCK), b = t_socket(0, 0);
	struct sys_op op;
	u8 buf[4];

	(void)state;
	op = recv_op(0, a, buf, 4, 0);
	assert_int_equal(finish(&op), -EAGAIN);
	op = recv_op(0, b, buf, 4, MSG_DONTWAIT);
	assert_int_equal(finish(&op), -EAGAIN);
	op = call_of(0, SYS_FCNTL, b);
	op.arg[0] = F_SETFL;
	op.arg[1] = O_NONBLOCK;
	assert_int_equal(finish(&op), 0);
	assert_int_equal(t_call(0, SYS_FCNTL, b, F_GETFL), O_RDWR | O_NONBLOCK);
	op = recv_op(0, b, buf, 4, 0);
	assert_int_equal(finish(&op), -EAGAIN);
	op = recv_op(0, b, buf, 4, MSG_ERRQUEUE);
	assert_int_equal(finish(&op), -EAGAIN);
}

static u32 done_calls;

static void count_done(struct sys_op *op)
{
	assert_true(op->completed);
	done_calls++;
}

static void cancelled(void **state)
{
	s32 a = t_socket(0, 0);
	struct sys_op reader;
	u8 buf[4];

	(void)state;
	done_calls = 0;
	reader = recv_op(0, a, buf, 4, 0);
	reader.done = count_done;
	submit(&reader);
	assert_false(reader.completed);
	sys_cancel(w, &reader);
	assert_true(reader.completed);
	assert_int_equal(reader.ret, -EINTR);
	assert_int_equal(done_calls, 1);
	sys_cancel(w, &reader);
	assert_int_equal(done_calls, 1);
	/* By number, as a replayed log does it. */
	submit(&reader);
	{
		struct op op = { .kind = OP_CANCEL };

		op.u.cancel.id = reader.id;
		assert_int_equal(apply(&op), 0);
		assert_int_equal(reader.ret, -EINTR);
		assert_int_equal(apply(&op), -ENOENT);
	}
}

/* As in Linux: close() does not wake a reader, which holds the file; its socket goes with it. */
static void closed_while_blocked(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(0, 0);
	struct sys_op reader;
	u8 buf[4];

	(void)state;
	assert_int_equal(t_bind(0, a, lo_addr, 7), 0);
	reader = recv_op(0, a, buf, 4, 0);
	submit(&reader);
	assert_int_equal(t_close(0, a), 0);
	run_for(1000);
	assert_false(reader.completed);
	assert_int_equal(t_sendto(0, b, "x", 1, 0, lo_addr, 7), 1);
	run_for(0);
	assert_true(reader.completed);
	assert_int_equal(reader.ret, 1);
	/* Now it is gone, and its port free. */
	assert_int_equal(t_bind(0, b, lo_addr, 8), -EINVAL);
	assert_int_equal(t_bind(0, t_socket(0, 0), lo_addr, 7), 0);
}

/* Left pending: the end of the world completes it. */
static struct sys_op at_the_end;
static u8 end_buf[4];

static void pending_at_the_end(void **state)
{
	s32 a = t_socket(0, 0);

	(void)state;
	done_calls = 0;
	at_the_end = recv_op(0, a, end_buf, 4, 0);
	at_the_end.done = count_done;
	submit(&at_the_end);
}

static int teardown_and_see(void **state)
{
	sock_world_teardown(state);
	return at_the_end.completed && at_the_end.ret == -EINTR && done_calls == 1 ? 0 : -1;
}

static void shut_down_while_blocked(void **state)
{
	s32 a = t_socket(0, 0);
	struct sys_op reader;
	u8 buf[4];

	(void)state;
	assert_int_equal(t_bind(0, a, lo_addr, 7), 0);
	reader = recv_op(0, a, buf, 4, 0);
	submit(&reader);
	assert_int_equal(t_call(0, SYS_SHUTDOWN, a, SHUT_RD), -ENOTCONN);
	run_for(0);
	assert_true(reader.completed);
	assert_int_equal(reader.ret, 0);
	/* Linux looks at shutdown only where it would sleep. */
	assert_int_equal(t_recv(0, a, buf, 4, 0), -EAGAIN);
}

/* ---- poll ---- */

static struct sys_op poll_op(u32 host, struct sys_pollfd *p, u32 n, u64 timeout)
{
	struct sys_op op = call_of(host, SYS_POLL, -1);

	op.data = (u8 *)p;
	op.data_len = n * (u32)sizeof(*p);
	op.timeout_ns = timeout;
	return op;
}

static void poll_tells(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(0, 0);
	struct sys_pollfd p[3] = { { a, POLLIN | POLLOUT, 0 }, { 99, POLLIN, 0 }, { -1, 7, 9 } };
	struct sys_op op = poll_op(0, p, 3, 0);

	(void)state;
	assert_int_equal(t_bind(0, a, lo_addr, 7), 0);
	assert_int_equal(finish(&op), 2);
	assert_int_equal(p[0].revents, POLLOUT);
	assert_int_equal(p[1].revents, POLLNVAL);
	assert_int_equal(p[2].revents, 0);
	assert_int_equal(t_sendto(0, b, "x", 1, 0, lo_addr, 7), 1);
	run_for(0);
	assert_int_equal(finish(&op), 2);
	assert_int_equal(p[0].revents, POLLIN | POLLOUT);
}

static void poll_waits(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(0, 0);
	struct sys_pollfd p[2] = { { a, POLLIN, 0 }, { b, POLLIN, 0 } };
	struct sys_op op = poll_op(0, p, 2, 5 * NSEC_PER_MSEC);

	(void)state;
	assert_int_equal(t_bind(0, a, lo_addr, 7), 0);
	submit(&op);
	run_for(5 * NSEC_PER_MSEC - 1);
	assert_false(op.completed);
	run_for(1);
	assert_true(op.completed);
	assert_int_equal(op.ret, 0);
	op.timeout_ns = TIME_NEVER;
	submit(&op);
	run_for(NSEC_PER_SEC);
	assert_false(op.completed);
	assert_int_equal(t_sendto(0, b, "x", 1, 0, lo_addr, 7), 1);
	run_for(0);
	assert_true(op.completed);
	assert_int_equal(op.ret, 1);
	assert_int_equal(p[0].revents, POLLIN);
	assert_int_equal(p[1].revents, 0);
	/* Shut down both ways: for ever readable, hung up. */
	t_call(0, SYS_SHUTDOWN, b, SHUT_RDWR);
	p[0].fd = -1;
	assert_int_equal(finish(&op), 1);
	assert_int_equal(p[1].revents, POLLIN | POLLHUP);
}

/* ---- epoll ---- */

#define EPOLLET (1u << 31)

static s64 ctl(s32 ep, u64 what, s32 fd, u32 events, u64 data)
{
	struct sys_op op = call_of(0, SYS_EPOLL_CTL, ep);
	u8 ev[12];

	put_le32(ev, events);
	put_le64(ev + 4, data);
	op.arg[0] = what;
	op.arg[1] = (u64)fd;
	op.data = ev;
	op.data_len = sizeof(ev);
	return finish(&op);
}

static struct sys_op ep_wait(s32 ep, u8 *out, u32 max, u64 timeout)
{
	struct sys_op op = call_of(0, SYS_EPOLL_WAIT, ep);

	op.arg[0] = max;
	op.data = out;
	op.data_len = max * 12;
	op.timeout_ns = timeout;
	return op;
}

static void epoll_level_and_edge(void **state)
{
	s32 a = t_socket(0, 0), b = t_socket(0, 0);
	s32 ep = (s32)t_call(0, SYS_EPOLL_CREATE, -1, 0);
	u8 out[24], buf[4];
	struct sys_op op = ep_wait(ep, out, 2, 0);

	(void)state;
	assert_int_equal(ep, 5);
	assert_int_equal(t_bind(0, a, lo_addr, 7), 0);
	assert_int_equal(t_bind(0, b, lo_addr, 8), 0);
	assert_int_equal(ctl(ep, 1, a, POLLIN, 111), 0);
	assert_int_equal(ctl(ep, 1, a, POLLIN, 111), -EEXIST);
	assert_int_equal(ctl(ep, 1, b, POLLIN | EPOLLET, 222), 0);
	assert_int_equal(ctl(ep, 2, 99, 0, 0), -EBADF);
	assert_int_equal(finish(&op), 0);
	op.timeout_ns = TIME_NEVER;
	submit(&op);
	run_for(1000);
	assert_false(op.completed);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, lo_addr, 7), 1);
	run_for(0);
	assert_true(op.completed);
	assert_int_equal(op.ret, 1);
	assert_int_equal(get_le32(out), POLLIN);
	assert_int_equal(get_le64(out + 4), 111);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, lo_addr, 8), 1);
	run_for(0);
	op.timeout_ns = 0;
	assert_int_equal(finish(&op), 2);
	/* The edge was told; the level goes on. */
	assert_int_equal(finish(&op), 1);
	assert_int_equal(get_le64(out + 4), 111);
	assert_int_equal(t_recv(0, a, buf, 4, 0), 1);
	assert_int_equal(finish(&op), 0);
	assert_int_equal(t_sendto(0, a, "x", 1, 0, lo_addr, 8), 1);
	run_for(0);
	assert_int_equal(finish(&op), 1);
	assert_int_equal(get_le64(out + 4), 222);
	/* Closing takes it out of the set. */
	assert_int_equal(t_close(0, b), 0);
	assert_int_equal(finish(&op), 0);
}

static void epoll_one_shot(void **state)
{
	s32 a = t_socket(0, 0), ep = (s32)t_call(0, SYS_EPOLL_CREATE, -1, 0);
	u8 out[12];
	struct sys_op op = ep_wait(ep, out, 1, 0);

	(void)state;
	assert_int_equal(ctl(ep, 1, a, POLLOUT | 1u << 30, 1), 0);
	assert_int_equal(finish(&op), 1);
	assert_int_equal(finish(&op), 0);
	assert_int_equal(ctl(ep, 3, a, POLLOUT | 1u << 30, 2), 0);
	assert_int_equal(finish(&op), 1);
	assert_int_equal(get_le64(out + 4), 2);
	assert_int_equal(ctl(ep, 2, a, 0, 0), 0);
	assert_int_equal(ctl(ep, 2, a, 0, 0), -ENOENT);
}

/* Options through a pointer that a copy faults on; a length too short is told before. */
static void options_fault(void **state)
{
	s32 fd = t_socket(0, 0);
	struct sys_op op = call_of(0, SYS_SETSOCKOPT, fd);

	(void)state;
	op.arg[0] = SOL_SOCKET;
	op.arg[1] = SO_BROADCAST;
	op.data_len = 4;
	assert_int_equal(finish(&op), -EFAULT);
	op.data_len = 2;
	assert_int_equal(finish(&op), -EINVAL);
	op.nr = SYS_GETSOCKOPT;
	op.data_len = 4;
	assert_int_equal(finish(&op), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLEAN(lowest_descriptor_first),
		CLEAN(descriptors_run_out),
		CLEAN(descriptors_limit),
		CLEAN(socket_arguments),
		CLEAN(a_reader_is_woken),
		CLEAN(one_reader_of_two),
		CLEAN(receive_times_out_exactly),
		CLEAN(nobody_waits_when_not_to),
		CLEAN(cancelled),
		CLEAN(closed_while_blocked),
		cmocka_unit_test_setup_teardown(pending_at_the_end, sock_world_setup,
						teardown_and_see),
		CLEAN(shut_down_while_blocked),
		CLEAN(poll_tells),
		CLEAN(poll_waits),
		CLEAN(epoll_level_and_edge),
		CLEAN(epoll_one_shot),
		CLEAN(options_fault),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
