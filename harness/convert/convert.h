/* SPDX-License-Identifier: MIT */
/*
 * `tapline convert`: a Lua test that does what a capture shows.
 */
#ifndef TAPLINE_CONVERT_CONVERT_H
#define TAPLINE_CONVERT_CONVERT_H

/* The arguments after the command. 0: written; 2: usage, or a file that can not be used. */
int convert_command(int argc, char **argv);

#endif
