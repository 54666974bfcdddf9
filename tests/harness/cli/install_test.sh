#!/bin/sh
# SPDX-License-Identifier: MIT
# What cmake --install puts somewhere works there, and in another place, without the source tree.
set -eu
export LC_ALL=C
unset TAPLINE_DATA PKG_CONFIG_PATH

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cmake --install "$(dirname "$TAPLINE")" --prefix "$dir/first" >"$dir/log" || { cat "$dir/log"; exit 1; }
mv "$dir/first" "$dir/moved"
installed=$dir/moved/bin/tapline
cd "$dir"

# The command has its own library and catalogue: without a part of them it fails.
cat >t.lua <<'LUA'
local tap = require "tap"
local net = require "net"
tap.test("installed", function(t)
  t:shows("RFC826-op-1", t:is(net.host {}:sysctl "net.ipv4.ip_default_ttl", "64"))
end)
LUA
id=$(cut -f 1 "$dir"/moved/share/tapline/docs/requirements/arp.tsv | sed -n 2p)
sed -i "s/RFC826-op-1/$id/" t.lua
"$installed" run t.lua
"$installed" cover --missing t.lua >missing
! grep -q "^$id	" missing || { echo "cover does not see what was shown"; exit 1; }
mv moved/share/tapline/scripts/lib/net/util.lua util.lua
! "$installed" run t.lua >out 2>&1 || { echo "the installed library is not what is used"; exit 1; }
mv util.lua moved/share/tapline/scripts/lib/net/util.lua
[ -s moved/share/man/man1/tapline.1 ] || { echo "no man page"; exit 1; }

# The stack as a library.
pc=$(find moved -name tapline.pc)
export PKG_CONFIG_PATH="$dir/$(dirname "$pc")"
cat >use.c <<'C'
#include <stdio.h>
#include <stdlib.h>

#include "stack/assert.h"
#include "stack/world.h"

_Noreturn void stack_panic(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: %s\n", file, line, what);
	abort();
}

int main(void)
{
	const struct world_config config = { .seed = 1 };
	static const struct world_ops ops;
	void *arena = aligned_alloc(64, 1 << 20);
	struct world_leaks leaks;
	struct world *w = world_create(arena, 1 << 20, &config, &ops, NULL);

	world_run(w, 1000000000);
	world_destroy(w, &leaks);
	free(arena);
	return leaks.bytes != 0;
}
C
pkg-config --modversion tapline >/dev/null
library=$(find "$dir/moved" -name libtapline.a)
if nm "$library" 2>/dev/null | grep -q -E '__asan_|__ubsan_|__sanitizer_|__gnu_lto'; then
	echo "instrumented or LTO objects: the library is not tried"
	exit 0
fi
# shellcheck disable=SC2046
cc -std=c17 -Wall -Wextra -Werror use.c $(pkg-config --cflags --libs tapline) -o use
./use
