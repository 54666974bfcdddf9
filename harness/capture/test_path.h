/* SPDX-License-Identifier: MIT */
/*
 * The name of a test's capture file.
 */
#ifndef TAPLINE_CAPTURE_TEST_PATH_H
#define TAPLINE_CAPTURE_TEST_PATH_H

#include "base/strbuf.h"

/*
 * Adds DIR/file-NUMBER-name.pcapng for test i (from 0) of a file; the path's slashes become dashes,
 * so that folders stay apart.
 */
void capture_test_path(struct strbuf *out, const char *dir, const char *path, size_t i,
		       const char *name);

#endif
