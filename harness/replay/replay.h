/* SPDX-License-Identifier: MIT */
/*
 * `tapline replay`: the frames of a capture file go onto the wire of one simulated host at their
 * times; then the host's counters are printed. docs/replay.md is its manual: policies, switches
 * and what the counters prove.
 */
#ifndef TAPLINE_REPLAY_REPLAY_H
#define TAPLINE_REPLAY_REPLAY_H

/*
 * The command; its arguments begin at argv[0]. Prints counters on standard output and messages on
 * standard error. Returns the exit status: 0 all frames were replayed; 2 usage, or a file that can
 * not be read or written to its end (what came before is still replayed and counted); 3 an
 * invariant of the stack broke.
 */
int replay_main(int argc, char **argv);

#endif
