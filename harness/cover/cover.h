/* SPDX-License-Identifier: MIT */
/*
 * `tapline cover`: runs tests and holds what they showed against the catalogue of requirements.
 */
#ifndef TAPLINE_COVER_COVER_H
#define TAPLINE_COVER_COVER_H

/* The arguments after the command. Returns the exit status, as that of `tapline run`. */
int cover_command(int argc, char **argv);

#endif
