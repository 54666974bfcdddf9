/* SPDX-License-Identifier: MIT */
/* `tapline corpus`: seeds for a fuzz target from capture files. */
#ifndef TAPLINE_CORPUS_CORPUS_H
#define TAPLINE_CORPUS_CORPUS_H

/* The command; its arguments begin at argv[0]. Exit status: 0, or 2 for usage and files that can
 * not be read or written. */
int corpus_main(int argc, char **argv);

#endif
