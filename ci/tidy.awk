# SPDX-License-Identifier: MIT
#
# The rules of ci/tidy that read lines. Called with -v rules="NAME NAME ..." and the text files.
#
#   include          C: headers of a lower rank only; the stack never sees the harness, the harness
#                    sees of the stack only stack/include; the table of ranks is below
#   include-path     C: no "..", no absolute path, no bare name in an include
#   banned           C: calls and words that break determinism or safety, with what to use instead
#   leftover         all: no marker of work left for later
#   opening          C, Lua, scripts: licence line, then a comment that says what the file is for
#   line-length      C: at most 100 columns, a tab counts 8, the contents of strings nothing
#   blanks           all: no blank at the end of a line (but .tsv), no CR, a newline at the end
#   lua-indent       Lua: two spaces, no tab
#   work-path        all: no path of somebody's machine
#   links            documents: a link to a file of the tree leads to one
#   guard            headers: #ifndef TAPLINE_<PATH>_H
#   requirement      Lua, documents: an id RFCnnnn-<section>-<n> stands in docs/requirements/
#   mentions         stack/, harness/: a file that a comment names is one of the tree; one of another tree
#                    (Linux, iproute2) has its whole path there, in front of others by their names alone
#   function-length  C: a note on functions of more than 70 lines; never a failure
#
# Portable awk: Debian's mawk is enough.

function say(rule, text) {
	printf "%s:%d: %s: %s\n", FILENAME, FNR, rule, text
}

# ban(WHERE, NAMES, INSTEAD): WHERE is stack, host (harness, tests, fuzz, bench) or harness; NAMES
# are functions.
function ban(where, names, instead,    n, i, name) {
	n = split(names, name, " ")
	for (i = 1; i <= n; i++)
		banned[where, name[i]] = instead
}

function ban_word(where, names, instead,    n, i, name) {
	n = split(names, name, " ")
	for (i = 1; i <= n; i++)
		banned_word[where, name[i]] = instead
}

BEGIN {
	n = split(rules, list, " ")
	for (i = 1; i <= n; i++)
		on[list[i]] = 1

	# The ranks of stack/ (docs/ARCHITECTURE.md); skb stands above netns: docs/decisions/0005.
	ranks = "lib 0 kernel 1 wire 1 netns 2 skb 2.5 core 3 ethernet 4 drivers 5 sched 5 netfilter 5 bridge 5 " \
		"inet 6 ipv4 7 ipv6 7 udp 8 tcp 8 raw 8 ping 8 nf 8 socket 9 proc 9 world 10"
	n = split(ranks, list, " ")
	for (i = 1; i < n; i += 2)
		rank[list[i]] = list[i + 1]

	n = split("string.h stdint.h stddef.h stdbool.h stdarg.h limits.h", list, " ")
	for (i = 1; i <= n; i++)
		stack_system[list[i]] = 1

	ban("stack", "malloc calloc realloc free alloca aligned_alloc strdup",
	    "allocate from the world with kernel/mem.h")
	ban("stack", "printf fprintf sprintf snprintf vsnprintf vprintf puts putchar perror fopen fwrite write",
	    "trace with kernel/trace.h; the harness prints")
	ban("stack", "assert abort exit", "ASSERT or BUG of stack/assert.h")
	ban("stack", "rand random srand srandom rand_r drand48 getrandom",
	    "draw from a named stream of kernel/random.h")
	ban("stack", "time gettimeofday clock_gettime clock nanosleep sleep usleep",
	    "read the CPU's virtual clock of kernel/")
	ban("stack", "qsort bsearch", "keep it sorted with lib/ (list, heap)")
	ban("stack", "setjmp longjmp sigsetjmp siglongjmp", "make it a resumable sys_op")
	ban("stack", "strcpy strncpy strcat strncat strcmp strlen memccpy", "lib/, or memcpy with a length")
	ban("stack", "getenv", "a config field of the world")
	ban_word("stack", "float double", "integers in a stated unit (ns, bytes, 1/1024)")
	ban_word("stack", "__packed packed", "accessors of wire/ over bytes (lib/bytes.h)")
	ban_word("stack", "pthread_t _Thread_local thread_local _Atomic",
		 "nothing: a world has one thread")

	ban("host", "strcpy stpcpy strcat", "snprintf or memcpy with the size of the target")
	ban("host", "strncpy strncat", "snprintf with the size of the target")
	ban("host", "sprintf vsprintf", "snprintf/vsnprintf with the size of the target")
	ban("host", "gets", "fgets or getline")
	ban("host", "strtok", "strtok_r, or strcspn")
	ban("host", "atoi atol atoll atof", "strtol/strtoul with the end pointer and errno checked")
	ban("host", "rand random srand srandom rand_r drand48",
	    "a generator seeded from the run's seed (xorshift in the test itself)")
	ban("host", "time gettimeofday localtime ctime asctime",
	    "virtual time of the world; clock_gettime(CLOCK_MONOTONIC) for watchdogs and benchmarks")
	ban("host", "tmpnam mktemp tempnam", "mkstemp or mkdtemp")
	ban("harness", "system popen", "fork and exec, or do it in C")
	ban("host", "alloca", "an array of fixed size, or malloc")
	ban("host", "setlocale", "nothing: output does not depend on the locale")

	if (on["mentions"])
		read_tree()
	while (catalogue != "" && (getline line < catalogue) > 0)
		in_catalogue[line] = 1

	leftover = "TO" "DO|FIX" "ME|XX" "X"
	leftover = "(^|[^A-Za-z0-9_])(" leftover ")([^A-Za-z0-9_]|$)"
	work_path = "(^|[^A-Za-z0-9_.*-])/(wor" "k|hom" "e|roo" "t)/"
}

# Line without comments, the contents of strings and of character constants emptied. Keeps the
# state of a block comment in in_comment; what comments say is added to remark, each behind a \001.
function code_of(line,    out, at, c) {
	out = ""
	while (line != "") {
		if (in_comment) {
			at = index(line, "*/")
			remark = remark (at ? substr(line, 1, at - 1) : line)
			if (!at)
				return out
			line = substr(line, at + 2)
			in_comment = 0
			out = out " "
			continue
		}
		if (!match(line, /["'\/]/))
			return out line
		out = out substr(line, 1, RSTART - 1)
		line = substr(line, RSTART)
		c = substr(line, 1, 1)
		if (c == "/") {
			if (substr(line, 2, 1) == "*") {
				in_comment = 1
				remark = remark "\001"
				line = substr(line, 3)
			} else if (substr(line, 2, 1) == "/") {
				return out
			} else {
				out = out c
				line = substr(line, 2)
			}
		} else if ((c == "\"" && match(line, /^"([^"\\]|\\.)*"/)) ||
			   (c == "'" && match(line, /^'([^'\\]|\\.)*'/))) {
			out = out c c
			line = substr(line, RLENGTH + 1)
		} else {
			out = out c
			line = substr(line, 2)
		}
	}
	return out
}

# The room of a path below stack/: its folder; "world" for the assembler, stack/world*.[ch].
function room_of(path,    part) {
	if (path ~ /^world[a-z_]*\.[ch]$/)
		return "world"
	split(path, part, "/")
	return part[1]
}

function rank_of(path,    room) {
	room = room_of(path)
	return room in rank ? rank[room] + 0 : -1
}

# The files of the tree, by path, by what an include calls them and what is below stack/ and harness/, by name.
function read_tree(    path, part, n) {
	while ((getline path < tree) > 0) {
		in_tree[path]
		n = split(path, part, "/")
		in_tree[part[n]]
		top[part[1]]
		if (sub(/^(stack\/include|stack|harness)\//, "", path)) {
			in_tree[path]
			split(path, part, "/")
			top[part[1]]
		}
	}
	close(tree)
}

# Is `name`, which is no file of ours, of a tree that is not ours? `before`: the words in front of it.
function of_another_tree(name, before,    part) {
	if (before ~ /(Linux|iproute2|packetdrill)('s|:)? $/)
		return 1
	split(name, part, "/")
	return name ~ /\// && (!(part[1] in top) || name ~ /^drivers\/(net|virtio)\//)
}

# Names of files in what comments said; patterns (*.c), <system.h> and a.b.c are none.
function check_mentions(text,    name, before, after, foreign) {
	before = ""
	while (match(text, /[A-Za-z0-9_.\/*-]*[A-Za-z0-9_*]\.(c|h|def|lua)/)) {
		before = before substr(text, 1, RSTART - 1)
		name = substr(text, RSTART, RLENGTH)
		text = substr(text, RSTART + RLENGTH)
		after = substr(text, 1, 1)
		if (before ~ /\001/)
			foreign_remark = 0
		sub(/^.*\001/, "", before)
		foreign = of_another_tree(name, before)
		if (foreign)
			foreign_remark = 1
		if (!foreign && !foreign_remark && !(name in in_tree) && after !~ /[A-Za-z0-9_]/ && before !~ /<$/ &&
		    name !~ /\*|^[A-Za-z]\.[A-Za-z]\.|\/[A-Z]+\.c$/)
			say("mentions", name " is no file of the tree: mend the name, or give the whole path that it has elsewhere")
		before = before name
	}
	if (text ~ /\001/)
		foreign_remark = 0
}

function exists(path,    line, status) {
	status = (getline line < path)
	if (status >= 0)
		close(path)
	return status >= 0
}

# A quoted include of a file of the stack.
function check_stack_include(path,    own, mine, theirs, from, to) {
	own = FILENAME
	sub(/^stack\//, "", own)
	to = room_of(path)
	if (to == "stack")
		return
	if (own ~ /^include\//) {
		say("include", "a public header may include only \"stack/...\", not \"" path "\"")
		return
	}
	from = room_of(own)
	mine = rank_of(own)
	theirs = rank_of(path)
	if (mine < 0) {
		say("include", "stack/" from " has no rank: add it to ci/tidy.awk and docs/ARCHITECTURE.md")
	} else if (theirs < 0) {
		say("include", "\"" path "\" is not of the stack: the stack knows nothing of its users; " \
		    "go up through an ops table")
	} else if (to != from && theirs >= mine) {
		say("include", sprintf("%s (rank %s) must not include \"%s\" (rank %s): go up through an " \
				       "ops table registered in the world", from, mine, path, theirs))
	} else if (from == "tcp" && to ~ /^ipv[46]$/ && own !~ /^tcp\/tcp_ipv[46][a-z_]*\.[ch]$/) {
		say("include", "only tcp_ipv4*.c and tcp_ipv6*.c include \"" path "\": use icsk_af_ops")
	}
}

function check_include(line,    path, system_header) {
	if (!match(line, /^[ \t]*#[ \t]*include[ \t]*["<][^">]*[">]/))
		return
	path = substr(line, RSTART, RLENGTH)
	system_header = path ~ /<[^>]*>$/
	sub(/^[^"<]*["<]/, "", path)
	sub(/[">]$/, "", path)
	if (on["include-path"]) {
		if (path ~ /(^|\/)\.\.(\/|$)/)
			say("include-path", "\"" path "\" goes up with ..: write it from the top of stack/ or harness/")
		else if (path ~ /^\//)
			say("include-path", "\"" path "\" is absolute: write it from the top of stack/ or harness/")
		else if (!system_header && path !~ /\// &&
			 !(FILENAME ~ /^stack\// && room_of(path) == "world") && FILENAME ~ /^(stack|harness)\//)
			say("include-path", "\"" path "\" has no folder: write it from the top of stack/ or harness/")
	}
	if (!on["include"] || path ~ /\.\./)
		return
	if (FILENAME ~ /^stack\//) {
		if (!system_header)
			check_stack_include(path)
		else if (!(path in stack_system))
			say("include", "<" path "> in the stack: it may use string.h, stdint.h, stddef.h, " \
			    "stdbool.h, stdarg.h, limits.h; the rest belongs into the harness")
	} else if (FILENAME ~ /^harness\// && !system_header && path ~ /\//) {
		if (path ~ /^stack\/include\//)
			say("include", "write \"" substr(path, 15) "\" instead of \"" path "\"")
		else if (path !~ /^stack\// && !exists("harness/" path))
			say("include", "\"" path "\": the harness sees only harness/ and the public \"stack/...\" headers")
	}
}

function check_banned(code, raw,    rest, name, before, punned, where) {
	where = FILENAME ~ /^stack\// ? "stack" : "host"
	rest = code
	before = ""
	while (match(rest, /[A-Za-z_][A-Za-z_0-9]*/)) {
		name = substr(rest, RSTART, RLENGTH)
		before = RSTART > 1 ? substr(rest, RSTART - 1, 1) : " "
		if (before == ">" && (RSTART < 3 || substr(rest, RSTART - 2, 1) != "-"))
			before = " "
		rest = substr(rest, RSTART + RLENGTH)
		if ((where, name) in banned_word)
			say("banned", name ": use " banned_word[where, name])
		else if (FILENAME ~ /^harness\// && (("harness", name) in banned) && before !~ /[.>0-9]/ && rest ~ /^[ \t]*\(/)
			say("banned", name "(): use " banned["harness", name])
		else if (((where, name) in banned) && before !~ /[.>0-9]/ && rest ~ /^[ \t]*\(/)
			say("banned", name "(): use " banned[where, name])
	}
	punned = code
	# Through (void *) it is an offset into a struct of our own, not bytes of a packet.
	gsub(/\*\)\((const )?void \*\)/, "", punned)
	if (where == "stack" && punned ~ /\([ \t]*(const[ \t]+)?(u16|u32|u64|s16|s32|s64|be16|be32|uint16_t|uint32_t|uint64_t)[ \t]*\*[ \t]*\)[ \t]*[A-Za-z_&(]/)
		say("banned", "a pointer cast to a wider integer: use get_be16 and its like of lib/bytes.h")
	if (where == "host" && FILENAME ~ /^harness\// && code ~ /(^|[^A-Za-z0-9_])getenv[ \t]*\(/ &&
	    raw !~ /getenv[ \t]*\([ \t]*"TAPLINE_/)
		say("banned", "getenv(): use an option; only TAPLINE_... variables are read")
}

function expanded_length(line,    length_so_far, at) {
	length_so_far = 0
	while ((at = index(line, "\t")) > 0) {
		length_so_far += at - 1
		length_so_far += 8 - length_so_far % 8
		line = substr(line, at + 1)
	}
	return length_so_far + length(line)
}

# The first lines: [#!...], licence, then a comment with words in it.
function check_opening(    comment, first) {
	first = has_shebang ? 2 : 1
	comment = "# SPDX-License-Identifier: MIT"
	if (is_c)
		comment = "/* SPDX-License-Identifier: MIT */"
	if (is_lua)
		comment = "-- SPDX-License-Identifier: MIT"
	if (FNR == first)
		licensed = $0 == comment
	if (FNR == first && !licensed)
		say("opening", "line " first " must be: " comment)
	if (FNR == first + 1)
		second = $0
	if (FNR == first + 2 && licensed) {
		if (is_c && (second !~ /^\/\*/ || (second $0) !~ /[A-Za-z][A-Za-z]/))
			say("opening", "after the licence line: a comment that says what the file is responsible for")
		else if (is_lua && (second !~ /^--/ || (second $0) !~ /[A-Za-z][A-Za-z]/))
			say("opening", "after the licence line: a comment that says what the file is for")
		else if (!is_c && !is_lua && (second !~ /^#/ || (second $0) !~ /^#.*[A-Za-z][A-Za-z]/))
			say("opening", "after the licence line: a comment that says what the file is for")
	}
}

function wanted_guard(    path) {
	path = FILENAME
	if (!sub(/^stack\/include\//, "", path))
		sub(/^(stack|harness)\//, "", path)
	path = toupper(path)
	gsub(/[^A-Z0-9]/, "_", path)
	return "TAPLINE_" path
}

function end_of_file(    guard) {
	if (last_file == "")
		return
	if (on["guard"] && last_is_header && !guard_seen)
		printf "%s:1: guard: no include guard: #ifndef %s\n", last_file, last_guard
	if (on["opening"] && opening_wanted && licensed && last_line < 3 + had_shebang)
		printf "%s:1: opening: the file does not open with a licence line and a comment\n", last_file
}

FNR == 1 {
	end_of_file()
	is_c = FILENAME ~ /\.[ch]$/
	is_def = FILENAME ~ /\.def$/
	is_lua = FILENAME ~ /\.lua$/
	has_shebang = $0 ~ /^#!/
	is_script = has_shebang || FILENAME ~ /(\.awk|CMakeLists\.txt)$/
	opening_wanted = is_c || is_lua || is_script
	licensed = 1
	foreign_remark = 0
	in_comment = 0
	guard_seen = 0
	function_start = 0
	last_file = FILENAME
	last_is_header = FILENAME ~ /\.h$/
	had_shebang = has_shebang
	last_guard = wanted_guard()
}

{ last_line = FNR }

on["blanks"] {
	if ($0 ~ /\r$/)
		say("blanks", "a carriage return ends the line: use plain newlines")
	else if ($0 ~ /[ \t]$/ && FILENAME !~ /\.tsv$/)
		say("blanks", "blank at the end of the line: remove it")
}

on["leftover"] && $0 ~ leftover {
	say("leftover", "a marker of work left for later: do it now, or open an issue and name it")
}

on["work-path"] && $0 ~ work_path {
	say("work-path", "a path of one machine: use a relative path or an option")
}

on["lua-indent"] && is_lua && /\t/ {
	say("lua-indent", "a tab: Lua is indented by two spaces")
}

on["opening"] && opening_wanted { check_opening() }

on["requirement"] && (is_lua || FILENAME ~ /\.md$/) && /RFC[0-9]+-[A-Za-z0-9.]+-[0-9]/ {
	rest = $0
	while (match(rest, /RFC[0-9]+-[A-Za-z0-9.]+-[0-9]+/)) {
		id = substr(rest, RSTART, RLENGTH)
		rest = substr(rest, RSTART + RLENGTH)
		if (!(id in in_catalogue))
			say("requirement", id " is not in docs/requirements/: use an id that is, or append it there")
	}
}

on["links"] && FILENAME ~ /\.md$/ && /\]\([^)]*\)/ {
	rest = $0
	while (match(rest, /\]\([^)]*\)/)) {
		target = substr(rest, RSTART + 2, RLENGTH - 3)
		rest = substr(rest, RSTART + RLENGTH)
		sub(/#.*/, "", target)
		if (target == "" || target ~ /^[a-z]+:/ || target ~ /\/$/)
			continue
		folder = FILENAME
		if (!sub(/[^\/]*$/, "", folder))
			folder = ""
		if (!exists(folder target))
			say("links", target " does not exist: mend the link (it starts at the document's folder)")
	}
}

on["line-length"] && is_c && length($0) > 12 {
	columns = expanded_length($0)
	if (columns > 100 && /"/) {
		# A message is not broken: one greps for it.
		line = $0
		gsub(/"([^"\\]|\\.)*"/, "\"\"", line)
		columns = expanded_length(line)
	}
	if (columns > 100)
		say("line-length", columns " columns, more than 100: break the line")
}

on["guard"] && last_is_header && /^#ifndef / && !guard_seen {
	guard_seen = 1
	if ($2 != last_guard)
		say("guard", "the include guard must be " last_guard ", not " $2)
}

(is_c || is_def) {
	if (on["include"] || on["include-path"])
		check_include($0)
	if ((on["banned"] || on["mentions"]) && FILENAME ~ /^(stack|harness|tests|fuzz|bench)\//) {
		remark = ""
		code = code_of($0)
		if (on["banned"] && code ~ /[A-Za-z]/)
			check_banned(code, $0)
		if (on["mentions"] && remark ~ /\.(c|h|def|lua)|\001/ && FILENAME ~ /^(stack|harness)\//)
			check_mentions(remark)
	}
}

on["function-length"] && is_c {
	if ($0 ~ /^\{/) {
		function_start = FNR
	} else if ($0 ~ /^\}/ && function_start) {
		if (FNR - function_start - 1 > 70)
			printf "%s:%d: function-length: note: %d lines; more than 70: could it be two?\n", \
			       FILENAME, function_start, FNR - function_start - 1
		function_start = 0
	}
}

END { end_of_file() }
