-- SPDX-License-Identifier: MIT
-- Tables of rules: each match and target, the order of chains and tables, counters, what iptables
-- says when a command is wrong.
local tap = require "tap"
local net = require "net"
local s = require "_station"
local ip, icmp, tcp, udp = net.ip, net.icmp, net.tcp, net.udp
local counts, matched = s.counts, s.matched

-- Matches -----------------------------------------------------------------------------------------

tap.test("addresses with prefix, mask and negation", function(t)
  local host, peer = s.station()
  local packets = { udp{}, ip{ src = "192.0.2.77" } / udp{}, ip{ src = "198.51.100.1" } / udp{} }
  matched(t, host, peer, "-s 192.0.2.9", packets, { 1, 0, 0 })
  matched(t, host, peer, "-s 192.0.2.0/24", packets, { 1, 1, 0 })
  matched(t, host, peer, "! -s 192.0.2.0/255.255.255.0", packets, { 0, 0, 1 })
  matched(t, host, peer, "-s 192.0.2.9/25 -d 192.0.2.1", packets, { 1, 1, 0 })
  matched(t, host, peer, "! -d 192.0.2.1", packets, { 0, 0, 0 })
  matched(t, host, peer, "-s 0/0", { udp{} }, { 1 })
end)

tap.test("interfaces: names, names that begin so, negation", function(t)
  local host, near, far = s.router()
  host:iptables "-A FORWARD -i eth0 -o eth1"
  host:iptables "-A FORWARD -i eth+ ! -o eth0"
  host:iptables "-A FORWARD -i eth1"
  host:iptables "-A FORWARD -i +"
  host:iptables "-A FORWARD -i wlan+"
  near:send(ip{ dst = far.addr } / udp{} / "x")
  far:expect(ip{ src = near.addr, ttl = 63 } / udp{ sport = 5000, dport = 7 } / "x", { within = "1ms" })
  local seen = {}
  for n = 1, 5 do seen[n] = counts(host, "FORWARD", n)[1] end
  t:is(seen, { 1, 1, 0, 1, 0 })
end)

tap.test("protocols by name and number, fragments", function(t)
  local host, peer = s.station()
  local packets = { udp{}, tcp{ flags = "S" }, icmp{ type = "echo", id = 1, seq = 1 }, ip{ proto = 47 } / net.raw "gre" }
  matched(t, host, peer, "-p udp", packets, { 1, 0, 0, 0 })
  matched(t, host, peer, "-p 6", packets, { 0, 1, 0, 0 })
  matched(t, host, peer, "! -p icmp", packets, { 1, 1, 0, 1 })
  matched(t, host, peer, "-p all", packets, { 1, 1, 1, 1 })
  matched(t, host, peer, "-p gre", packets, { 0, 0, 0, 1 })
  -- At PREROUTING fragments have not been put together.
  host:iptables "-t raw -A PREROUTING -f"
  local whole = ip{ src = peer.addr, dst = host.addr, id = 9 } / udp{ sport = 1, dport = 7 } / ("f"):rep(24)
  for _, piece in ipairs(net.fragments(whole, { 16 })) do peer:send(piece) end
  net.sleep "1ms"
  t:is(tonumber(host:iptables("-t raw -v -S PREROUTING 1"):match "-c (%d+)"), 1)
end)

tap.test("ports and ranges of them", function(t)
  local host, peer = s.station()
  local packets = { udp{ sport = 1000, dport = 80 }, udp{ sport = 1001, dport = 81 }, udp{ sport = 65535, dport = 1 } }
  matched(t, host, peer, "-p udp --dport 80", packets, { 1, 0, 0 })
  matched(t, host, peer, "-p udp --dport 80:81", packets, { 1, 1, 0 })
  matched(t, host, peer, "-p udp ! --dport 80:81", packets, { 0, 0, 1 })
  matched(t, host, peer, "-p udp --sport 1001:", packets, { 0, 1, 1 })
  matched(t, host, peer, "-p udp --sport :1000 --dport http", packets, { 1, 0, 0 })
  matched(t, host, peer, "-p udp -m multiport --dports 1,80:81", packets, { 1, 1, 1 })
  matched(t, host, peer, "-p udp -m multiport ! --ports 1000,65535", packets, { 0, 1, 0 })
  matched(t, host, peer, "-p udp -m multiport --sports 1001", packets, { 0, 1, 0 })
  matched(t, host, peer, "-p tcp --dport 80", packets, { 0, 0, 0 })
end)

tap.test("TCP flags, --syn and options", function(t)
  local host, peer = s.station()
  local packets = { tcp{ flags = "S", options = { { "mss", 1460 } } }, tcp{ flags = "SA", ack = 1 },
    tcp{ flags = "A", ack = 1 }, tcp{ flags = "R" } }
  matched(t, host, peer, "-p tcp --syn", packets, { 1, 0, 0, 0 })
  matched(t, host, peer, "-p tcp ! --syn", packets, { 0, 1, 1, 1 })
  matched(t, host, peer, "-p tcp --tcp-flags SYN,ACK SYN,ACK", packets, { 0, 1, 0, 0 })
  matched(t, host, peer, "-p tcp --tcp-flags ALL NONE", packets, { 0, 0, 0, 0 })
  matched(t, host, peer, "-p tcp ! --tcp-flags RST RST", packets, { 1, 1, 1, 0 })
  matched(t, host, peer, "-p tcp --tcp-option 2", packets, { 1, 0, 0, 0 })
  matched(t, host, peer, "-p tcp ! --tcp-option 2", packets, { 0, 1, 1, 1 })
end)

tap.test("ICMP types by number, name and code", function(t)
  local host, peer = s.station()
  local error = icmp{ type = 3, code = 1, rest = 0 } / (ip{ src = host.addr, dst = peer.addr } / udp{ sport = 9, dport = 9 })
  local packets = { icmp{ type = "echo", id = 1, seq = 1 }, error }
  matched(t, host, peer, "-p icmp --icmp-type 8", packets, { 1, 0 })
  matched(t, host, peer, "-p icmp --icmp-type echo-request", packets, { 1, 0 })
  matched(t, host, peer, "-p icmp --icmp-type destination-unreachable", packets, { 0, 1 })
  matched(t, host, peer, "-p icmp --icmp-type 3/1", packets, { 0, 1 })
  matched(t, host, peer, "-p icmp --icmp-type port-unreachable", packets, { 0, 0 })
  matched(t, host, peer, "-p icmp ! --icmp-type ping", packets, { 0, 1 })
  matched(t, host, peer, "-p icmp --icmp-type any", packets, { 1, 1 })
end)

tap.test("length, TTL, packet type, comment", function(t)
  local host, peer = s.station()
  local packets = { ip{ ttl = 3 } / udp{} / "xx", ip{ ttl = 200 } / udp{} / ("x"):rep(100) }
  matched(t, host, peer, "-m length --length 30", packets, { 1, 0 })
  matched(t, host, peer, "-m length ! --length 0:100", packets, { 0, 1 })
  matched(t, host, peer, "-m ttl --ttl-lt 64", packets, { 1, 0 })
  matched(t, host, peer, "-m ttl --ttl-gt 64", packets, { 0, 1 })
  matched(t, host, peer, "-m ttl ! --ttl-eq 3", packets, { 0, 1 })
  matched(t, host, peer, "-m pkttype --pkt-type unicast", packets, { 1, 1 })
  matched(t, host, peer, "-m pkttype --pkt-type broadcast", packets, { 0, 0 })
  matched(t, host, peer, "-m comment --comment \"all of them\"", packets, { 1, 1 })
end)

tap.test("limit lets a burst through, then its rate", function(t)
  local host, peer, socket = s.station()
  host:iptables "-A INPUT -p udp -m limit --limit 2/second --limit-burst 3 -j ACCEPT"
  host:iptables "-A INPUT -p udp -j DROP"
  for i = 1, 10 do peer:send(udp{} / "x") end
  net.sleep "1ms"
  t:is(counts(host, "INPUT", 1)[1], 3)
  net.sleep "1499ms"
  for i = 1, 10 do peer:send(udp{} / "x") end
  net.sleep "1ms"
  t:is({ counts(host, "INPUT", 1)[1], counts(host, "INPUT", 2)[1] }, { 6, 14 })
end)

tap.test("statistic: every n-th packet, or some of them", function(t)
  local host, peer = s.station()
  host:iptables "-A INPUT -m statistic --mode nth --every 3 --packet 0"
  host:iptables "-A INPUT -m statistic --mode nth --every 3 --packet 2"
  host:iptables "-A INPUT -m statistic --mode random --probability 0.5"
  host:iptables "-A INPUT -m statistic --mode random --probability 1.0"
  local first, third = {}, {}
  for i = 1, 6 do
    peer:send(udp{} / "x")
    net.sleep "1ms"
    first[i], third[i] = counts(host, "INPUT", 1)[1], counts(host, "INPUT", 2)[1]
  end
  t:is(first, { 1, 1, 1, 2, 2, 2 })
  t:is(third, { 0, 0, 1, 1, 1, 2 })
  for i = 7, 200 do peer:send(udp{} / "x") end
  net.sleep "1ms"
  local some = counts(host, "INPUT", 3)[1]
  t:ok(some > 60 and some < 140, some)
  t:is(counts(host, "INPUT", 4)[1], 200)
end)

tap.test("a mark that mangle sets is seen by filter", function(t)
  local host, peer = s.station()
  host:iptables "-t mangle -A PREROUTING -p udp --dport 7 -j MARK --set-mark 0x21"
  host:iptables "-A INPUT -m mark --mark 0x21"
  host:iptables "-A INPUT -m mark --mark 0x1/0x1"
  host:iptables "-A INPUT -m mark ! --mark 0x21"
  peer:send(udp{ dport = 7 } / "x")
  peer:send(udp{ dport = 8 } / "x")
  net.sleep "1ms"
  peer:collect()
  t:is({ counts(host, "INPUT", 1)[1], counts(host, "INPUT", 2)[1], counts(host, "INPUT", 3)[1] }, { 1, 1, 1 })
end)

-- Targets and chains ------------------------------------------------------------------------------

tap.test("the first rule that decides does; counters count packets and bytes of IP", function(t)
  local host, peer, socket = s.station()
  host:iptables "-A INPUT -p udp --dport 7"
  host:iptables "-A INPUT -p udp --dport 7 -j ACCEPT"
  host:iptables "-A INPUT -j DROP"
  peer:send(udp{} / "12345678")
  t:is((socket:recv()), "12345678")
  peer:send(udp{ dport = 8 } / "x")
  net.sleep "1ms"
  t:is({ counts(host, "INPUT", 1), counts(host, "INPUT", 2), counts(host, "INPUT", 3) },
    { { 1, 36 }, { 1, 36 }, { 1, 29 } })
  t:is({ host:drops "NETFILTER_DROP", host:counter "UdpNoPorts" }, { 1, 0 })
end)

tap.test("chains of the user: jump, return, goto, the end of a chain", function(t)
  local host, peer, socket = s.station()
  host:iptables "-N first"
  host:iptables "-N second"
  host:iptables "-N third"
  host:iptables "-A INPUT -j first"
  host:iptables "-A INPUT -m comment --comment after"
  host:iptables "-A first -p udp --dport 7 -j second"
  host:iptables "-A first -p udp --dport 7"
  host:iptables "-A first -p udp --dport 9 -g third"
  host:iptables "-A first -p udp --dport 9"
  host:iptables "-A second -p udp -j RETURN"
  host:iptables "-A second -j DROP"
  host:iptables "-A third -p udp --sport 1"
  peer:send(udp{} / "x")
  t:is((socket:recv()), "x")
  peer:send(udp{ dport = 9 })
  peer:collect { during = "1ms" }
  local seen = { counts(host, "INPUT", 2)[1], counts(host, "first", 2)[1], counts(host, "first", 3)[1],
    counts(host, "first", 4)[1], counts(host, "second", 2)[1] }
  -- What a goto leads to returns to where the last jump came from.
  t:is(seen, { 2, 1, 1, 0, 0 })
  t:like(host:iptables "-L first -n", "^Chain first %(1 references%)\n")
end)

tap.test("chains call each other 16 deep, whichever end they are tied at; each is looked at once", function(t)
  local host, peer = s.station()
  for i = 1, 20 do host:iptables("-N down" .. i) host:iptables("-N up" .. i) end
  for i = 1, 16 do
    host:iptables(("-A %s -j down%d"):format(i == 1 and "INPUT" or "down" .. i - 1, i))
  end
  local deep = "more than 16 deep"
  t:error(function() host:iptables "-A down16 -j down17" end, deep)
  t:error(function() host:iptables "-A down16 -g down17" end, deep)
  for i = 15, 1, -1 do
    for _ = 1, 10 do host:iptables(("-A up%d -j up%d"):format(i, i + 1)) end -- 10^15 ways
  end
  host:iptables "-A up16 -p tcp"
  t:error(function() host:iptables "-A down15 -j up15" end, deep)
  host:iptables "-A down15 -j up16"
  t:error(function() host:iptables "-A up16 -j up1" end, "Too many levels of symbolic links")
  peer:send(udp{ dport = 9 })
  peer:collect { during = "1ms" }
  t:is({ counts(host, "down15", 1)[1], counts(host, "down15", 2)[1], counts(host, "up16", 1)[1] }, { 1, 1, 0 })
end)

tap.test("policy DROP holds for what no rule accepts, and counts", function(t)
  local host, peer, socket = s.station()
  host:iptables "-P INPUT DROP"
  host:iptables "-A INPUT -p udp --dport 7 -j ACCEPT"
  peer:send(udp{} / "in")
  t:is((socket:recv()), "in")
  peer:send(udp{ dport = 8 } / "out")
  peer:expect_nothing { during = "1ms" }
  t:is(host:iptables "-v -S INPUT",
    "-P INPUT DROP -c 1 31\n-A INPUT -p udp -m udp --dport 7 -c 1 30 -j ACCEPT\n")
end)

tap.test("RETURN in a chain of a hook is its policy", function(t)
  local host, peer = s.station()
  host:iptables "-P INPUT DROP"
  host:iptables "-A INPUT -j RETURN"
  host:iptables "-A INPUT -j ACCEPT"
  peer:send(udp{} / "x")
  net.sleep "1ms"
  t:is({ counts(host, "INPUT", 2)[1], host:drops "NETFILTER_DROP" }, { 0, 1 })
end)

tap.test("tables come by priority: raw, mangle, filter; INPUT, FORWARD and OUTPUT by the way", function(t)
  local host, near, far = s.router()
  net.trace "nf_log"
  for _, rule in ipairs { "-t filter -A FORWARD", "-t mangle -A PREROUTING", "-t raw -A PREROUTING",
    "-t mangle -A FORWARD", "-t mangle -A POSTROUTING", "-A INPUT", "-t raw -A OUTPUT", "-A OUTPUT",
    "-t mangle -A INPUT", "-t mangle -A OUTPUT" } do
    host:iptables(rule .. " -m comment --comment pad")
    host:iptables(rule .. (" -p udp -j LOG --log-prefix \"x \""))
  end
  near:send(ip{ dst = far.addr } / udp{} / "x")
  far:expect(ip{ src = near.addr, ttl = 63 } / udp{ sport = 5000, dport = 7 } / "x", { within = "1ms" })
  local hooks = {}
  for _, r in ipairs(net.traces()) do hooks[#hooks + 1] = r.hook * 10 + r.number end
  local C = net.C
  t:is(hooks, { C.NF_INET_PRE_ROUTING * 10 + 2, C.NF_INET_PRE_ROUTING * 10 + 2, C.NF_INET_FORWARD * 10 + 2,
    C.NF_INET_FORWARD * 10 + 2, C.NF_INET_POST_ROUTING * 10 + 2 })
end)

tap.test("rules of a table and hooks of a script share a place by priority", function(t)
  local host, peer = s.station()
  local seen = {}
  host:hook("local_in", function() seen[#seen + 1] = "before" end, { priority = -1 })
  host:hook("local_in", function() seen[#seen + 1] = "after" end, { priority = 1 })
  host:iptables "-A INPUT -p udp -j DROP"
  peer:send(udp{} / "x")
  net.sleep "1ms"
  t:is(seen, { "before" })
end)

tap.test("OUTPUT DROP gives the sender EPERM", function(t)
  local host, peer, socket = s.station()
  host:iptables "-A OUTPUT -p udp -d 192.0.2.9 -j DROP"
  t:is(select(2, socket:try("sendto", "x", peer.addr, 9)), "EPERM")
  t:is(counts(host, "OUTPUT"), { 1, 29 })
  peer:expect_nothing()
end)

tap.test("ip6tables has tables of its own", function(t)
  local host = net.host { addr = "2001:db8::1/64", model = "tun" }
  local peer = host.wire:peer { addr = "2001:db8::9" }
  host:ip6tables "-A INPUT -s 2001:db8::/32 ! -d 2001:db8::2 -p icmpv6 --icmpv6-type echo-request"
  host:ip6tables "-A INPUT -p icmpv6 --icmpv6-type 129"
  host:ip6tables "-A OUTPUT -m hl --hl-eq 64 -j ACCEPT"
  peer:send(net.ip6{} / net.icmp6{ type = 128, id = 1, seq = 1 } / "six")
  peer:expect(net.ip6{} / net.icmp6{ type = 129 } / "six", { within = "1ms" })
  t:is({ counts(host, "INPUT", 1, "ip6tables"), counts(host, "INPUT", 2, "ip6tables")[1], counts(host, "OUTPUT", 1, "ip6tables")[1] },
    { { 1, 51 }, 0, 1 })
  t:is(host:iptables "-S", "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n")
  t:like(host:ip6tables "-S INPUT 1", "^%-A INPUT %-s 2001:db8::/32 ! %-d 2001:db8::2/128 %-p ipv6%-icmp ")
end)

-- Commands ----------------------------------------------------------------------------------------

tap.test("rules read back as they were written", function(t)
  local host = s.station()
  local rules = {
    "-A INPUT -s 192.0.2.0/24 ! -d 198.51.100.7/32 -i eth0 -p tcp -m tcp --sport 1000:2000 ! --dport 80 -j ACCEPT",
    "-A INPUT ! -p udp -f -j DROP",
    "-A INPUT -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j REJECT --reject-with tcp-reset",
    "-A INPUT -p icmp -m icmp --icmp-type 3/4 -j RETURN",
    "-A INPUT -m conntrack ! --ctstate INVALID,NEW --ctstatus ASSURED --ctdir REPLY -j ACCEPT",
    "-A INPUT -m state --state RELATED,ESTABLISHED -j ACCEPT",
    "-A INPUT -p udp -m multiport ! --dports 1,2:3 -m limit --limit 10/min --limit-burst 7 -j LOG --log-prefix \"a b\" --log-level 6",
    "-A INPUT -m mark --mark 0x1/0xff -m length --length 1:2 -m ttl --ttl-gt 3 -m pkttype --pkt-type multicast -m comment --comment \"say \\\"so\\\"\"",
    "-A INPUT -m statistic --mode nth --every 4 --packet 1 -m statistic --mode random --probability 0.25000000000 -j REJECT --reject-with icmp-admin-prohibited",
    "-A INPUT -s 10.0.0.0/255.0.255.0 -p 99",
  }
  for _, rule in ipairs(rules) do host:iptables(rule) end
  t:is(host:iptables "-S INPUT", "-P INPUT ACCEPT\n" .. table.concat(rules, "\n") .. "\n")
  for i = #rules, 1, -1 do
    host:iptables((rules[i]:gsub("^%-A", "-C")))
    host:iptables((rules[i]:gsub("^%-A", "-D")))
  end
  t:is(host:iptables "-S INPUT", "-P INPUT ACCEPT\n")
end)

tap.test("insert, replace, delete by number, zero, flush, rename", function(t)
  local host, peer = s.station()
  local function list() return (host:iptables "-S INPUT":gsub("%-P INPUT ACCEPT\n", ""):gsub("%-A INPUT %-p ", "")) end
  host:iptables "-A INPUT -p tcp"
  host:iptables "-I INPUT -p udp"
  host:iptables "-I INPUT 2 -p icmp"
  t:is(list(), "udp\nicmp\ntcp\n")
  host:iptables "-R INPUT 2 -p gre"
  host:iptables "-D INPUT 3"
  t:is(list(), "udp\ngre\n")
  peer:send(udp{} / "x")
  net.sleep "1ms"
  t:is(counts(host, "INPUT", 1)[1], 1)
  host:iptables "-Z INPUT"
  t:is(counts(host, "INPUT", 1)[1], 0)
  host:iptables "-A INPUT -p esp -c 7 700"
  t:is(counts(host, "INPUT", 3), { 7, 700 })
  host:iptables "-N old"
  host:iptables "-A INPUT -j old"
  host:iptables "-E old new"
  t:like(host:iptables "-S", "%-j new\n")
  host:iptables "-F"
  host:iptables "-X"
  t:is(host:iptables "-S", "-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n")
end)

tap.test("iptables -L -v -n and iptables-save -c look as people know them", function(t)
  local host, peer, socket = s.station()
  host:iptables "-A INPUT -p udp --dport 7 -j ACCEPT"
  host:iptables "-A INPUT -i eth0 -s 192.0.2.0/24 -p tcp --syn -m conntrack --ctstate NEW -j REJECT"
  host:iptables "-t raw -A OUTPUT -d 127.0.0.1 -j CT --notrack"
  peer:send(udp{} / "x")
  socket:recv()
  t:is(host:iptables "-L INPUT -v -n", table.concat({
    "Chain INPUT (policy ACCEPT 0 packets, 0 bytes)",
    " pkts bytes target     prot opt in     out     source               destination         ",
    "    1    29 ACCEPT     udp  --  *      *       0.0.0.0/0            0.0.0.0/0            udp dpt:7",
    "    0     0 REJECT     tcp  --  eth0   *       192.0.2.0/24         0.0.0.0/0            tcp flags:0x17/0x02 ctstate NEW reject-with icmp-port-unreachable",
    "" }, "\n"))
  t:is(host:iptables_save "-c", table.concat({ "*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]",
    "[1:29] -A INPUT -p udp -m udp --dport 7 -j ACCEPT",
    "[0:0] -A INPUT -s 192.0.2.0/24 -i eth0 -p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j REJECT --reject-with icmp-port-unreachable",
    "COMMIT", "*raw", ":PREROUTING ACCEPT [1:29]", ":OUTPUT ACCEPT [0:0]", "[0:0] -A OUTPUT -d 127.0.0.1/32 -j NOTRACK", "COMMIT", "" }, "\n"))
end)

tap.test("a wrong command says what is wrong in iptables' words", function(t)
  local host = s.station()
  host:iptables "-N mine"
  host:iptables "-A INPUT -j mine"
  local wrong = {
    ["-A NOWHERE -j ACCEPT"] = "iptables: No chain/target/match by that name%.",
    ["-A INPUT -j NOWHERE"] = "Couldn't load target `NOWHERE':No such file or directory",
    ["-A INPUT -m nothing"] = "Couldn't load match `nothing':No such file or directory",
    ["-A INPUT --foo"] = "unknown option \"%-%-foo\"",
    ["-A INPUT --dport 80"] = "unknown option \"%-%-dport\"",
    ["-A INPUT -p tcp --dport"] = "option \"%-%-dport\" requires an argument",
    ["-A INPUT -p tcp --dport 99999"] = "invalid port/service `99999' specified",
    ["-A INPUT -p nope"] = "unknown protocol \"nope\" specified",
    ["-A INPUT -s 300.1.1.1"] = "host/network `300%.1%.1%.1' not found",
    ["-A INPUT -s 1.2.3.4/33"] = "invalid mask `33' specified",
    ["-A INPUT -m conntrack --ctstate SOMETIMES"] = "Bad ctstate \"SOMETIMES\"",
    ["-D INPUT -p tcp"] = "Bad rule %(does a matching rule exist in that chain%?%)",
    ["-D INPUT 5"] = "Index of deletion too big",
    ["-I INPUT 5 -p tcp"] = "Index of insertion too big",
    ["-N mine"] = "Chain already exists",
    ["-X mine"] = "Too many links",
    ["-P mine DROP"] = "Bad built%-in chain name",
    ["-P INPUT REJECT"] = "Bad policy name",
    ["-t nat -A PREROUTING -j ACCEPT"] = "table `nat': Table does not exist",
    ["-A mine -j mine"] = "Too many levels of symbolic links",
    ["-A INPUT -j REJECT --reject-with tcp-reset"] = "tcp%-reset needs %-p tcp",
    ["-A INPUT -o eth0"] = "Can't use %-o with INPUT",
    ["-A OUTPUT -i eth0"] = "Can't use %-i with OUTPUT",
    ["-t raw -A PREROUTING -j REJECT"] = "REJECT is for the table filter",
    ["-A INPUT -j NOTRACK"] = "NOTRACK is for the table raw",
    ["-L -A INPUT"] = "Cannot use %-A with another command",
    ["-p tcp"] = "no command specified",
    ["-A INPUT ! -j DROP"] = "unexpected ! flag before %-j",
    ["-A INPUT -j DROP -j ACCEPT"] = "multiple %-j flags not allowed",
  }
  for words, message in pairs(wrong) do
    t:error(function() host:iptables(words) end, message)
  end
  host:iptables "-N other"
  host:iptables "-A mine -j other"
  t:error(function() host:iptables "-A other -j mine" end, "Too many levels of symbolic links")
  host:iptables "-F mine"
  host:iptables "-A other -p tcp"
  t:error(function() host:iptables "-X other" end, "Directory not empty")
  t:is(host:iptables "-S INPUT", "-P INPUT ACCEPT\n-A INPUT -j mine\n")
end)

tap.test("a rule whose answer meets a hook that changes the table finds it busy", function(t)
  local host, peer = s.station()
  local message
  host:iptables "-A INPUT -p udp -j REJECT"
  host:hook("local_out", function()
    local ok, err = pcall(host.iptables, host, "-F INPUT")
    message = tostring(err)
  end)
  peer:send(udp{} / "x")
  peer:expect(icmp{ type = "dest-unreach" }, { within = "1ms" })
  t:like(message, "Resource temporarily unavailable")
  t:is(counts(host, "INPUT", 1)[1], 1)
end)

-- What a user sees when it goes wrong -----------------------------------------------------------------

tap.test("a service that listens and does not answer: which rule is it?", function(t)
  local host, peer = s.station()
  host:socket "tcp":listen(80)
  host:iptables "-A INPUT -p tcp --dport 22 -j ACCEPT"
  host:iptables "-A INPUT -p tcp --dport 80 -s 192.0.2.128/25 -j ACCEPT"
  host:iptables "-A INPUT -p tcp -j DROP"
  local before = host:counters()
  for i = 1, 3 do
    peer:send(tcp{ sport = 4000, dport = 80, flags = "S", window = 65535 })
    net.sleep "1s"
  end
  peer:expect_nothing()
  t:is(host:changes(before, "^Tcp"), {}, "TCP never saw them")
  t:is(host:changes(before, "^Drop"), { ["Drop.NETFILTER_DROP"] = 3 })
  t:is({ counts(host, "INPUT", 1)[1], counts(host, "INPUT", 2)[1], counts(host, "INPUT", 3) }, { 0, 0, { 3, 120 } })
end)
