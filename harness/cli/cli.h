/* SPDX-License-Identifier: MIT */
/*
 * The commands of tapline. Each gets the arguments after its name and returns the exit status.
 */
#ifndef TAPLINE_CLI_CLI_H
#define TAPLINE_CLI_CLI_H

/* Finds the command and runs it; a first argument that is a path means `run`. */
int cli_main(int argc, char **argv);

/* `tapline list WHAT` */
int list_command(int argc, char **argv);

#endif
