#!/bin/sh
# SPDX-License-Identifier: MIT
# Our own packetdrill scripts as Lua tests: all are converted, pass, and fail when an expected packet
# says something else.
set -eu
for family in 4 6 mapped; do
	FAMILY=$family "$TAPLINE_SOURCE_DIR/ci/packetdrill-convert" "$TAPLINE_SOURCE_DIR/scripts/packetdrill"
done
