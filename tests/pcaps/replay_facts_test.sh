#!/bin/sh
# SPDX-License-Identifier: MIT
#
# ci/replay-facts itself: with a stand-in for tapline whose counters are known, an agreeing folder
# must pass and each kind of disagreement must be found.
set -u
top=${TAPLINE_SOURCE_DIR:-$(cd "$(dirname "$0")/../.." && pwd)}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

# The stand-in prints the counters of FILE.counters (FILE.trust.counters under --checksums trust) and
# ends with the status of FILE.status.
cat >"$tmp/tapline" <<'X'
#!/bin/sh
run=
while [ $# -gt 1 ]; do
	[ "$1" != --checksums ] || run=.$2
	shift
done
cat "$1$run.counters" 2>/dev/null || cat "$1.counters" 2>/dev/null
[ ! -s "$1.message" ] || cat "$1.message" >&2
exit "$(cat "$1.status" 2>/dev/null || echo 0)"
X
chmod +x "$tmp/tapline"

facts() { "$top/ci/replay-facts" --tapline "$tmp/tapline" "$tmp/d" >"$tmp/out" 2>&1; }

# expect NAME STATUS TEXT: what the last run should have ended with, and said.
expect() {
	if [ "$status" = "$2" ] && grep -q -- "$3" "$tmp/out"; then
		echo "ok $1"
	else
		echo "not ok $1: status $status, wanted $2 and '$3' in:"
		cat "$tmp/out"
		failed=1
	fi
}

# folder EXPECT FRAMES UDP: one file in a manifest.
folder() {
	rm -rf "$tmp/d"
	mkdir "$tmp/d"
	printf 'file\texpect\tpackets\tframes\ttrunc\tudp\tip6\tip4_hdrbad\n' >"$tmp/d/MANIFEST.tsv"
	printf 'a b.pcap\t%s\t%s\t%s\t0\t%s\t0\t%s\n' "$1" "$2" "$2" "$3" "${4:-0}" \
		>>"$tmp/d/MANIFEST.tsv"
	counters 3 2 0
}

# counters FRAMES UDP IP6
counters() {
	cat >"$tmp/d/a b.pcap.counters" <<X
Replay.Frames $1
eth0.rx_packets $1
eth0.rx_length_errors 0
Replay.Refused 0
Replay.OtherLinks 0
Replay.Cut 0
Ip6InReceives ${3:-0}
UdpInDatagrams $2
UdpNoPorts 0
UdpInErrors 0
UdpIgnoredMulti 0
Udp6NoPorts 0
Udp6InErrors 0
X
}

folder replay 3 2
facts
status=$?
expect agreement 0 '4 facts agree, 0 do not, 0 do not bind'

folder replay 3 5
facts
status=$?
expect mismatch 1 'a b.pcap: udp: should be 5, is 2 = UdpInDatagrams 2'

folder replay 3 5 1
facts
status=$?
expect 'a fact that does not bind' 0 '3 facts agree, 0 do not, 1 do not bind'

folder replay 3 5
cp "$tmp/d/a b.pcap.counters" "$tmp/d/a b.pcap.trust.counters"
sed -i 's/^UdpInDatagrams.*/UdpInDatagrams 5/' "$tmp/d/a b.pcap.trust.counters"
facts
status=$?
expect 'the run that an equation names' 0 '4 facts agree, 0'

folder replay 3 2
sed -i '/^UdpNoPorts/d' "$tmp/d/a b.pcap.counters"
facts
status=$?
expect 'missing counter' 1 'udp: no counter UdpNoPorts'

folder replay 3 2
echo 2 >"$tmp/d/a b.pcap.status"
echo broken >"$tmp/d/a b.pcap.message"
facts
status=$?
expect 'error where none should be' 1 'should replay, but: broken'

folder error-after-2 5 2
counters 2 2
echo 2 >"$tmp/d/a b.pcap.status"
echo 'frame 3: broken' >"$tmp/d/a b.pcap.message"
facts
status=$?
expect 'expected error' 0 '0 facts agree, 0 do not'

folder error-after-2 5 2
echo 2 >"$tmp/d/a b.pcap.status"
echo 'frame 4: broken' >"$tmp/d/a b.pcap.message"
facts
status=$?
expect 'error in another place' 1 'error after 3 frames, not 2'

folder error-after-2 3 2
facts
status=$?
expect 'a reader that accepts more' 0 '4 facts agree, 0'

folder unsupported-linktype 3 2
facts
status=$?
expect 'not refused' 1 'should be refused for its link type'

folder replay 3 2
echo 139 >"$tmp/d/a b.pcap.status"
facts
status=$?
expect crash 1 'ended with status 139'

"$top/ci/replay-facts" --tapline "$tmp/tapline" "$tmp/nowhere" >"$tmp/out" 2>&1
status=$?
expect 'no manifest' 2 'MANIFEST.tsv can not be read'
exit $failed
