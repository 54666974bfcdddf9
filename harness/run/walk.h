/* SPDX-License-Identifier: MIT */
/*
 * From the paths of a command line to the list of test files, in an order that no file system
 * decides: arguments as given, the entries of a folder bytewise.
 */
#ifndef TAPLINE_RUN_WALK_H
#define TAPLINE_RUN_WALK_H

#include "stack/types.h"

struct walk {
	char **files;
	size_t count;
	size_t size;
};

/*
 * Adds a file as it is, or all *.lua and *.pkt files below a folder; a capture (*.pcap, *.pcapng)
 * stands for the Lua file of the same name beside it. Names that begin with '.' or '_' and folders
 * named "lib" hold what tests share and are passed over, as are symbolic links to folders. A file
 * that is there already is not added twice. Returns 0, or an errno for the path; a path that does
 * not exist is added too (the run reports it as a failure of its own).
 */
int walk_add(struct walk *w, const char *path);
void walk_free(struct walk *w);

#endif
