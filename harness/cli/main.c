/* SPDX-License-Identifier: MIT */
/*
 * Entry of the tapline command. All else is in the libraries, where tests can reach it; the fuzz
 * targets, which lie above the harness, are handed to it here.
 */
#include "cli/cli.h"

#include "repro/repro.h"

int main(int argc, char **argv)
{
	repro_set_targets(&fuzz_targets);
	return cli_main(argc, argv);
}
