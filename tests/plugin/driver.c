/* SPDX-License-Identifier: MIT */
/*
 * Stands in for the original packetdrill: loads the plug-in and uses every part of the interface as
 * packetdrill does. A server gets a connection, data goes both ways, a lost segment comes again
 * after its time, a call blocks in a thread of its own.
 *
 *   packetdrill_plugin_driver LIBRARY
 */
#include "plugin/packetdrill_interface.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOCAL  "192.168.0.1"
#define REMOTE "192.0.2.1"

enum { FIN = 1, SYN = 2, RST = 4, PSH = 8, ACK = 16 };

static struct packetdrill_interface t;
static unsigned int isn; /* the stack's */

#define CHECK(condition) check(condition, #condition, __LINE__)

static void check(int ok, const char *text, int line)
{
	if (ok)
		return;
	fprintf(stderr, "driver.c:%d: %s (errno %s)\n", line, text, strerror(errno));
	exit(1);
}

static void put(unsigned char *p, unsigned int n, int size)
{
	while (size--) {
		p[size] = (unsigned char)n;
		n >>= 8;
	}
}

static unsigned int get(const unsigned char *p, int size)
{
	unsigned int n = 0;

	while (size--)
		n = n << 8 | *p++;
	return n;
}

static unsigned int sum_of(unsigned int sum, const unsigned char *p, size_t len)
{
	for (; len > 1; p += 2, len -= 2)
		sum += get(p, 2);
	return len ? sum + (unsigned int)(*p << 8) : sum;
}

static unsigned int folded(unsigned int sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* A segment from the remote side. */
static void inject(int flags, unsigned int seq, unsigned int ack, size_t len)
{
	unsigned char p[2000] = { 0x45 }, pseudo[4];
	size_t size = 40 + len;

	put(p + 2, (unsigned int)size, 2);
	p[8] = 64;
	p[9] = 6;
	inet_pton(AF_INET, REMOTE, p + 12);
	inet_pton(AF_INET, LOCAL, p + 16);
	put(p + 10, folded(sum_of(0, p, 20)), 2);
	put(p + 20, 5000, 2);
	put(p + 22, 80, 2);
	put(p + 24, seq, 4);
	put(p + 28, flags & ACK ? isn + ack : 0, 4);
	p[32] = 0x50;
	p[33] = (unsigned char)flags;
	put(p + 34, 65535, 2);
	memset(p + 40, 'x', len);
	put(pseudo, 6, 2);
	put(pseudo + 2, (unsigned int)(20 + len), 2);
	put(p + 36, folded(sum_of(sum_of(sum_of(0, p + 12, 8), pseudo, 4), p + 20, 20 + len)), 2);
	CHECK(t.netdev_send(t.userdata, p, size) == 0);
}

/* The next segment of the stack, waited for as packetdrill does; when it left. */
static long long expect(int flags, unsigned int seq, unsigned int ack, size_t len)
{
	unsigned char p[2000];
	long long time = 0;
	size_t size = 0;
	int i;

	for (i = 0; i < 100000 && !size; i++) {
		size = sizeof(p);
		CHECK(t.netdev_receive(t.userdata, p, &size, &time) == 0);
	}
	CHECK(size >= 40);
	if (flags & SYN)
		isn = get(p + 24, 4);
	CHECK(p[33] == flags);
	CHECK(get(p + 24, 4) - isn == seq);
	CHECK(get(p + 28, 4) == ack);
	CHECK(size - 20 - (size_t)(p[32] >> 4) * 4 == len);
	return time;
}

static long long now(void)
{
	struct timeval tv;

	CHECK(t.gettimeofday(t.userdata, &tv, NULL) == 0);
	return tv.tv_sec * 1000000ll + tv.tv_usec;
}

static int listening(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(80) };
	int one = 1, value = 0, fd = t.socket(t.userdata, AF_INET, SOCK_STREAM, IPPROTO_TCP);
	socklen_t len = sizeof(value);

	CHECK(fd >= 0);
	CHECK(t.setsockopt(t.userdata, fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0);
	CHECK(t.getsockopt(t.userdata, fd, SOL_SOCKET, SO_REUSEADDR, &value, &len) == 0);
	CHECK(value == 1 && len == sizeof(value));
	inet_pton(AF_INET, LOCAL, &a.sin_addr);
	CHECK(t.bind(t.userdata, fd, (struct sockaddr *)&a, sizeof(a)) == 0);
	CHECK(t.listen(t.userdata, fd, 1) == 0);
	return fd;
}

static void *blocking_read(void *fd)
{
	char bytes[100];

	CHECK(t.read(t.userdata, *(int *)fd, bytes, sizeof(bytes)) == 50);
	return NULL;
}

static void data(int fd)
{
	struct iovec pieces[2] = { { "abc", 3 }, { "defg", 4 } };
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	pthread_t thread;
	long long sent, again;
	char bytes[2000];

	CHECK(t.recv(t.userdata, fd, bytes, 10, MSG_DONTWAIT) == -1 && errno == EAGAIN);
	CHECK(t.writev(t.userdata, fd, pieces, 2) == 7);
	sent = expect(PSH | ACK, 1, 1, 7);
	again = expect(PSH | ACK, 1, 1, 7); /* lost: the time-out */
	CHECK(again - sent >= 200000 && again - sent < 1100000);
	inject(ACK, 1, 8, 0);
	inject(PSH | ACK, 1, 8, 100);
	expect(ACK, 8, 101, 0);
	CHECK(t.poll(t.userdata, &ready, 1, 0) == 1 && ready.revents == POLLIN);
	CHECK(t.read(t.userdata, fd, bytes, sizeof(bytes)) == 100);
	CHECK(bytes[0] == 'x' && bytes[99] == 'x');
	/* A call that blocks, while the main thread goes on. */
	CHECK(pthread_create(&thread, NULL, blocking_read, &fd) == 0);
	CHECK(t.usleep(t.userdata, 10000) == 0);
	inject(PSH | ACK, 101, 8, 50);
	CHECK(t.usleep(t.userdata, 1000) == 0);
	CHECK(pthread_join(thread, NULL) == 0);
	expect(ACK, 8, 151, 0);
}

int main(int argc, char **argv)
{
	void *library = argc == 2 ? dlopen(argv[1], RTLD_NOW | RTLD_LOCAL) : NULL;
	packetdrill_interface_init_t init;
	struct sockaddr_in peer = { 0 };
	socklen_t len = sizeof(peer);
	void *entry;
	long long start;
	int server, fd;

	if (!library) {
		fprintf(stderr, "%s\n", argc == 2 ? dlerror() : "usage: driver LIBRARY");
		return 2;
	}
	entry = dlsym(library, "packetdrill_interface_init");
	CHECK(entry != NULL);
	memcpy(&init, &entry, sizeof(init));
	init("local_ip=" LOCAL ",remote_ip=" REMOTE ",net.ipv4.tcp_timestamps=0", &t);
	start = now();
	CHECK(now() > start); /* each reading moves the clock */
	CHECK(t.usleep(t.userdata, 100000) == 0);
	CHECK(now() >= start + 100000 && now() < start + 101000);
	server = listening();
	inject(SYN, 0, 0, 0);
	expect(SYN | ACK, 0, 1, 0);
	inject(ACK, 1, 1, 0);
	fd = t.accept(t.userdata, server, (struct sockaddr *)&peer, &len);
	CHECK(fd >= 0 && peer.sin_port == htons(5000));
	data(fd);
	CHECK(t.shutdown(t.userdata, fd, SHUT_WR) == 0);
	expect(FIN | ACK, 8, 151, 0);
	inject(FIN | ACK, 151, 9, 0);
	expect(ACK, 9, 152, 0);
	CHECK(t.close(t.userdata, fd) == 0 && t.close(t.userdata, server) == 0);
	CHECK(t.close(t.userdata, 99) == -1 && errno == EBADF);
	t.free(t.userdata);
	puts("the plug-in: a connection, data, a time-out, a blocking call");
	return 0;
}
