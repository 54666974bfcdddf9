/* SPDX-License-Identifier: MIT */
/*
 * The list of the targets. CMake makes fuzz_targets.def from the files of fuzz/targets, and
 * compiles each of them once more with its entry named fuzz_target_NAME.
 */
#include "repro/repro.h"

#include "fuzz_world.h"

#define FUZZ_TARGET(name) int fuzz_target_##name(const uint8_t *data, size_t size);
#include "fuzz_targets.def"
#undef FUZZ_TARGET

static const struct repro_target list[] = {
#define FUZZ_TARGET(name) { #name, fuzz_target_##name },
#include "fuzz_targets.def"
#undef FUZZ_TARGET
};

const struct repro_targets fuzz_targets = {
	.list = list,
	.count = sizeof(list) / sizeof(list[0]),
	.seed = FUZZ_SEED,
	.record = fuzz_record,
};
