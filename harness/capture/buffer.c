/* SPDX-License-Identifier: MIT */
/* The reader's input: a file read in large pieces, or bytes in memory. See buffer.h. */
#include "capture/buffer.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER_SIZE = 1 << 18 };

bool input_fill(struct input *in, size_t n)
{
	size_t left = input_left(in);

	if (!in->file)
		return false;
	if (n > in->size || !in->mem) {
		size_t size = n > BUFFER_SIZE ? n : BUFFER_SIZE;
		u8 *mem = malloc(size);

		if (!mem)
			abort();
		if (left)
			memcpy(mem, in->at, left);
		free(in->mem);
		in->mem = mem;
		in->size = size;
	} else if (left) {
		memmove(in->mem, in->at, left);
	}
	in->at = in->mem;
	while (left < n) {
		size_t got = fread(in->mem + left, 1, in->size - left, in->file);

		left += got;
		if (!got) {
			in->failed = ferror(in->file) != 0;
			if (in->owned)
				fclose(in->file);
			in->file = NULL;
			break;
		}
	}
	in->end = in->mem + left;
	return left >= n;
}

bool input_skip(struct input *in, u64 n)
{
	while (n) {
		size_t left = input_left(in);

		if (!left && !input_have(in, 1))
			return false;
		left = input_left(in);
		if (left > n)
			left = (size_t)n;
		in->at += left;
		n -= left;
	}
	return true;
}
