# SPDX-License-Identifier: MIT
#
# What ci/test, ci/conformance and ci/full share: stages that are timed, logged and summed up, and
# points that are counted. Sourced by bash at the top of the tree.
#
#   stage NAME COMMAND...     runs the command, its output in $logs/NAME.log; a failing one is shown
#   need NAME...              true when those stages passed; else the next stage can not run
#   blocked NAME WHY          a stage that could not run: a failure
#   summary                   the table, the totals, and the exit status
#
# A stage that prints TAP or is a ctest run has its points counted; any other failing stage counts
# as one failed point, a passing one as none.

export LC_ALL=C
# A CI system may start us without standard input; file descriptor 0 must not be a file we open.
exec </dev/null

jobs=$(nproc 2>/dev/null || echo 2)
[ "$jobs" -le 2 ] || jobs=$((jobs - 1))
stage_names=() stage_status=() stage_seconds=() stage_points=()
passed=0 failed=0 skipped=0
logs=build/ci
mkdir -p "$logs"

# Counts the points of a log: "PASSED FAILED SKIPPED".
# TAP: lines "ok N", "not ok N" at the start of a line. ctest -V: the points that cmocka prints as
# TAP behind "12: "; a test that fails without one, or prints none, counts as one point.
count_points() {
	awk '
	/^ok [0-9]+/ { if (/# SKIP/) skip++; else pass++ }
	/^not ok [0-9]+/ { fail++ }
	/^[0-9]+: ok [0-9]+ [-#] / { split($1, at, ":"); if (/# SKIP/) skip++; else pass++; points[at[1]]++ }
	/^[0-9]+: not ok [0-9]+ # SKIP/ { split($1, at, ":"); skip++; points[at[1]]++; next }
	/^[0-9]+: not ok [0-9]+ [-#] / { split($1, at, ":"); fail++; points[at[1]]++; bad[at[1]]++ }
	/^ *[0-9]+\/[0-9]+ Test +#[0-9]+: / {
		match($0, /#[0-9]+:/)
		id = substr($0, RSTART + 1, RLENGTH - 2)
		if (/ Passed /) { if (!points[id]) pass++ }
		else if (!bad[id]) fail++
	}
	END { printf "%d %d %d\n", pass, fail, skip }' "$1"
}

note_stage() {
	stage_names+=("$1") stage_status+=("$2") stage_seconds+=("$3") stage_points+=("$4")
}

stage() {
	local name=$1 start end status=0 points p f s
	shift
	start=$(date +%s%N)
	"$@" >"$logs/$name.log" 2>&1 || status=$?
	end=$(date +%s%N)
	read -r p f s < <(count_points "$logs/$name.log")
	if [ $status != 0 ] && [ "$f" = 0 ]; then
		f=1
	elif [ $status = 0 ] && [ "$f" != 0 ]; then
		status=1
		echo "ci: failed points, but exit status 0" >>"$logs/$name.log"
	fi
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	points="$p passed, $f failed"
	[ "$s" = 0 ] || points="$points, $s skipped"
	[ "$p$f$s" != 000 ] || points=
	# What ci/replay-facts sums up is said, not counted: a file of facts is not a test point.
	[ -n "$points" ] || points=$(sed -n "s/^replay-facts: //p" "$logs/$name.log")
	note_stage "$name" $status $(((end - start) / 1000000)) "$points"
	if [ $status = 0 ]; then
		printf '%-24s ok      %6.1f s  %s\n' "$name" "$(seconds $(((end - start) / 1000000)))" "$points"
	else
		printf '%-24s FAILED  %6.1f s  %s\n' "$name" "$(seconds $(((end - start) / 1000000)))" "$points"
		show_failure "$name"
	fi
	return $status
}

seconds() { awk -v ms="$1" 'BEGIN { printf "%.1f", ms / 1000 }'; }

# What a reader needs of a failed stage: the failed points with what follows them, else the end.
show_failure() {
	local log=$logs/$1.log
	echo "--- $log: exit status and failure"
	if grep -q -E '^([0-9]+: )?not ok ' "$log"; then
		grep -v "^[0-9]*: not ok [0-9]* # SKIP" "$log" | grep -E -A 14 "^([0-9]+: )?not ok " | head -120
		grep -E '\*\*\*|ERROR: |runtime error' "$log" | head -20
	else
		tail -n 60 "$log"
	fi
	echo "---"
}

need() {
	local wanted i
	for wanted in "$@"; do
		for i in "${!stage_names[@]}"; do
			[ "${stage_names[$i]}" != "$wanted" ] || [ "${stage_status[$i]}" = 0 ] || return 1
		done
	done
}

blocked() {
	failed=$((failed + 1))
	note_stage "$1" 1 0 "not run: $2"
	printf '%-24s FAILED            not run: %s\n' "$1" "$2"
}

# needs "NAMES" STAGE COMMAND...: the stage, or blocked when one of NAMES failed.
needs() {
	local names=$1
	shift
	# shellcheck disable=SC2086
	if need $names; then
		stage "$@" || true
	else
		blocked "$1" "$names failed"
	fi
}

summary() {
	local i total=0 bad=""
	for i in "${!stage_names[@]}"; do
		total=$((total + stage_seconds[i]))
		[ "${stage_status[$i]}" = 0 ] || bad="$bad ${stage_names[$i]}"
	done
	echo
	if [ -n "$bad" ]; then
		echo "FAILED:$bad (logs in $logs/)"
	else
		echo "all ${#stage_names[@]} stages passed in $(seconds $total) s; logs in $logs/"
	fi
	[ "$skipped" = 0 ] || echo "$skipped skipped"
	echo "$passed passed, $failed failed"
	[ -z "$bad" ] && [ "$failed" = 0 ]
}

# when PATTERN STAGES STAGE COMMAND...: as needs, but a note when no file matches PATTERN yet.
when() {
	local pattern=$1
	shift
	if compgen -G "$pattern" >/dev/null; then
		needs "$@"
	else
		note_stage "$2" 0 0 "nothing there yet: $pattern"
		printf '%-24s nothing there yet: %s\n' "$2" "$pattern"
	fi
}
