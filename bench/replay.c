/* SPDX-License-Identifier: MIT */
/*
 * `tapline replay` as a whole process: packets of a file of 64-byte UDP frames per second of CPU
 * time, file reading and process start included. Usage: bench_replay TAPLINE CAPTURE (the capture
 * is written, then replayed).
 */
#include "bench.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#define PACKETS 300000u

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static void write_capture(const char *path)
{
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 1 };
	uint8_t head[24] = { 0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0 }, record[16 + 64];
	FILE *f = fopen(path, "wb");

	bench_check(f != NULL, "can not write the capture");
	put32(head + 16, 65535);
	put32(head + 20, 1);
	fwrite(head, 1, sizeof(head), f);
	bench_udp_frame(record + 16, 64, mac);
	for (uint32_t i = 0; i < PACKETS; i++) {
		put32(record, i / 100000);
		put32(record + 4, i % 100000 * 10);
		put32(record + 8, 64);
		put32(record + 12, 64);
		fwrite(record, 1, sizeof(record), f);
	}
	bench_check(fclose(f) == 0, "can not write the capture");
}

int main(int argc, char **argv)
{
	bench_rows(argc, argv, "replay_64 ");

	struct rusage use;
	int status = 0, null;
	double seconds;
	pid_t pid;

	bench_check(argc == 3, "usage: bench_replay TAPLINE CAPTURE");
	write_capture(argv[2]);
	pid = fork();
	bench_check(pid >= 0, "fork");
	if (pid == 0) {
		null = open("/dev/null", O_WRONLY);
		dup2(null, STDOUT_FILENO);
		execl(argv[1], argv[1], "replay", "--any", argv[2], (char *)NULL);
		_exit(127);
	}
	bench_check(wait4(pid, &status, 0, &use) == pid, "wait");
	bench_check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "tapline replay failed");
	seconds = (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
		  (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
	bench_print("replay_64", PACKETS / seconds / 1e6, "Mpackets/s");
	return 0;
}
