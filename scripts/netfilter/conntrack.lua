-- SPDX-License-Identifier: MIT
-- Connection tracking of UDP, ICMP, fragments and what nobody knows; its table, limits and views.
local tap = require "tap"
local net = require "net"
local s = require "_station"
local ip, icmp, tcp, udp = net.ip, net.icmp, net.tcp, net.udp

local function stat(host, name) return host:counter("nf_conntrack." .. name) end

-- A router that tracks; send(from, to, packet) tells whether it came out, and how.
local function tracked(options)
  local host, near, far = s.router(options)
  host:iptables "-A FORWARD -m conntrack --ctstate INVALID -j DROP"
  for _, state in ipairs { "NEW", "ESTABLISHED", "RELATED", "UNTRACKED" } do
    host:iptables("-A FORWARD -m conntrack --ctstate " .. state .. " -j ACCEPT")
  end
  local function state_of(f)
    local before = host:iptables "-v -S FORWARD"
    local out = f()
    local after, n = host:iptables "-v -S FORWARD", 0
    local old = {}
    for c in before:gmatch "%-A.- %-c (%d+)" do old[#old + 1] = tonumber(c) end
    for name, c in after:gmatch "ctstate (%u+) %-c (%d+)" do
      n = n + 1
      if tonumber(c) > old[n] then return name, out end
    end
    return nil, out
  end
  local function send(from, to, packet)
    return state_of(function()
      from:send(ip{ src = from.addr, dst = to.addr } / packet)
      return to:collect { during = "1ms" }
    end)
  end
  return host, near, far, send
end

-- UDP ---------------------------------------------------------------------------------------------

tap.test("UDP: a question, an answer, a stream after two seconds", function(t)
  local host, near, far, send = tracked()
  local q, a = udp{ sport = 5000, dport = 53 }, udp{ sport = 53, dport = 5000 }
  local function left() return tonumber(host:conntrack "-L":match "^udp +17 (%d+)") end
  t:is((send(near, far, q / "?")), "NEW")
  t:like(host:conntrack "-L", "^udp +17 29 src=192.0.2.9 dst=198.51.100.9 sport=5000 dport=53 %[UNREPLIED%] src=198.51.100.9")
  t:is((send(near, far, q / "?")), "NEW", "until it is answered")
  t:is((send(far, near, a / "!")), "ESTABLISHED")
  t:is((send(near, far, q / "?")), "ESTABLISHED")
  t:is(left(), 29)
  net.sleep "2s"
  t:is((send(near, far, q / "?")), "ESTABLISHED")
  t:is(left(), 119)
  t:like(host:conntrack "-L", "%[ASSURED%]")
  net.sleep "121s"
  t:is({ host:conntrack "-L", (send(far, near, a / "late")) }, { "", "NEW" })
end)

tap.test("UDP time-outs are sysctls; zero checksums are right, wrong ones and cut lengths INVALID", function(t)
  local host, near, far, send = tracked()
  host:sysctl("net.netfilter.nf_conntrack_udp_timeout", 7)
  host:sysctl("net.netfilter.nf_conntrack_udp_timeout_stream", 77)
  t:is((send(near, far, udp{ sport = 1, dport = 2, checksum = 0 } / "x")), "NEW")
  t:like(host:conntrack "-L", "^udp +17 6 ")
  t:is((send(near, far, udp{ sport = 3, dport = 4, checksum = 0xbad } / "x")), "INVALID")
  t:is((send(near, far, udp{ sport = 3, dport = 4, len = 7 } / "x")), "INVALID")
  t:is((send(near, far, udp{ sport = 3, dport = 4, len = 99 } / "x")), "INVALID")
  t:is({ stat(host, "invalid"), host:conntrack "-C" }, { 3, "1\n" })
end)

-- ICMP (RFC 5508) ---------------------------------------------------------------------------------

tap.test("ICMP queries are connections by id; answers without a question are INVALID", function(t)
  local host, near, far, send = tracked()
  t:is((send(near, far, icmp{ type = "echo", id = 7, seq = 1 } / "x")), "NEW")
  t:like(host:conntrack "-L", "^icmp +1 29 src=192.0.2.9 dst=198.51.100.9 type=8 code=0 id=7 %[UNREPLIED%] src=198.51.100.9 dst=192.0.2.9 type=0 code=0 id=7 ")
  t:is((send(far, near, icmp{ type = "echo-reply", id = 7, seq = 1 } / "x")), "ESTABLISHED")
  t:is((send(far, near, icmp{ type = "echo-reply", id = 8, seq = 1 } / "x")), "INVALID")
  t:is((send(near, far, icmp{ type = "timestamp", id = 9, seq = 1 })), "NEW")
  t:is((send(far, near, icmp{ type = 14, id = 9, seq = 1 })), "ESTABLISHED")
  t:is((send(near, far, icmp{ type = 42, rest = 0 })), "INVALID", "no such type")
  t:is((send(near, far, icmp{ type = "echo", id = 9, seq = 1, checksum = 0xbad })), "INVALID")
end)

tap.test("an ICMP error is RELATED to the connection that it quotes, and prolongs nothing", function(t)
  local host, near, far, send = tracked()
  send(near, far, udp{ sport = 5000, dport = 53 } / "x")
  local sent = ip{ src = near.addr, dst = far.addr } / udp{ sport = 5000, dport = 53 } / "x"
  net.sleep "10s"
  t:is((send(far, near, icmp{ type = 3, code = 3, rest = 0 } / sent)), "RELATED")
  t:like(host:conntrack "-L", "^udp +17 19 .*%[UNREPLIED%]")
  -- Of a connection that nobody knows.
  local other = ip{ src = near.addr, dst = far.addr } / udp{ sport = 1, dport = 53 } / "x"
  t:is((send(far, near, icmp{ type = 3, code = 3, rest = 0 } / other)), "INVALID")
  t:is(stat(host, "error"), 1)
  -- To one who did not send it.
  far:send(ip{ src = far.addr, dst = "192.0.2.77" } / icmp{ type = 3, code = 3, rest = 0 } / sent)
  net.sleep "1ms"
  t:is(stat(host, "error"), 2)
  -- Cut off before its ports.
  local short = net.raw((sent:bytes()):sub(1, 20))
  t:is((send(far, near, icmp{ type = 11, code = 0, rest = 0 } / short)), "INVALID")
end)

tap.test("each kind of ICMP error can be RELATED (RFC 5508 4)", function(t)
  local host, near, far, send = tracked()
  send(near, far, udp{ sport = 5000, dport = 53 } / "x")
  local sent = ip{ src = near.addr, dst = far.addr } / udp{ sport = 5000, dport = 53 } / "x"
  for _, kind in ipairs { { 3, 0 }, { 3, 4 }, { 4, 0 }, { 11, 0 }, { 11, 1 }, { 12, 0 } } do
    t:is((send(far, near, icmp{ type = kind[1], code = kind[2], rest = 0 } / sent)), "RELATED", "type " .. kind[1])
  end
end)

-- Others ------------------------------------------------------------------------------------------

tap.test("a protocol that nobody knows is a connection of two addresses for ten minutes", function(t)
  local host, near, far, send = tracked()
  local function gre() return net.raw "bytes" end
  near:send(ip{ src = near.addr, dst = far.addr, proto = 47 } / gre())
  far:collect { during = "1ms" }
  t:like(host:conntrack "-L", "^unknown +47 599 src=192.0.2.9 dst=198.51.100.9 %[UNREPLIED%] src=198.51.100.9 dst=192.0.2.9 mark=0")
end)

tap.test("fragments are put together in front of tracking, and leave as fragments", function(t)
  local host, near, far = tracked()
  local whole = ip{ src = near.addr, dst = far.addr, id = 5 } / udp{ sport = 5000, dport = 7 } / ("f"):rep(1992)
  local pieces = net.fragments(whole, { 1000 })
  near:send(pieces[2])
  far:expect_nothing { during = "1ms" }
  near:send(pieces[1])
  local out = far:collect { during = "1ms" }
  t:is(#out, 2)
  t:is({ out[1].ip.off, out[1].ip.mf, out[2].ip.off, out[2].ip.mf }, { 0, true, 125, false })
  t:is({ host:counter "IpReasmOKs", host:counter "IpFragOKs", stat(host, "invalid") }, { 1, 1, 0 })
  t:like(host:conntrack "-L", "sport=5000 dport=7")
end)

tap.test("NOTRACK: UNTRACKED, and no entry", function(t)
  local host, near, far, send = tracked()
  host:iptables "-t raw -A PREROUTING -p udp --dport 7 -j NOTRACK"
  t:is((send(near, far, udp{ sport = 5000, dport = 7 } / "x")), "UNTRACKED")
  t:is((send(near, far, udp{ sport = 5000, dport = 8 } / "x")), "NEW")
  t:is(host:conntrack "-C", "1\n")
end)

tap.test("what comes by lo is tracked once", function(t)
  local host, _, socket = s.station()
  host:iptables "-A INPUT -m conntrack --ctstate NEW"
  host:iptables "-A OUTPUT -m conntrack --ctstate NEW"
  local client = host:socket "udp"
  client:sendto("x", "127.0.0.1", 7)
  t:is((socket:recv()), "x")
  t:is(host:iptables "-v -S INPUT 1", "-A INPUT -m conntrack --ctstate NEW -c 1 29\n")
  t:is(host:conntrack "-C", "1\n")
end)

tap.test("a packet that is dropped leaves no entry", function(t)
  local host, near, far, send = tracked()
  host:iptables "-I FORWARD -p udp --dport 9 -j DROP"
  send(near, far, udp{ sport = 5000, dport = 9 } / "x")
  t:is(host:conntrack "-C", "0\n")
end)

tap.test("two first datagrams held by a hook at once: one entry, the other joins it", function(t)
  local host, peer, socket = s.station()
  host:iptables "-A INPUT -m conntrack --ctstate NEW"
  local hook = host:hook("local_in", function() return "queue" end, { priority = -1 })
  peer:send(udp{} / "1")
  peer:send(udp{} / "2")
  net.sleep "1ms"
  t:is(host:conntrack "-C", "2\n")
  for _, held in ipairs(hook:queued()) do held:accept() end
  t:is({ (socket:recv()), (socket:recv()) }, { "1", "2" })
  t:is({ host:conntrack "-C", stat(host, "clash_resolve") }, { "1\n", 1 })
end)

tap.test("tracking begins with the first rule that asks, and ends with the last", function(t)
  local host, peer, socket = s.station()
  local function count() return tonumber(host:sysctl "net.netfilter.nf_conntrack_count") end
  host:iptables "-A INPUT -p udp -j ACCEPT"
  peer:send(udp{} / "1")
  socket:recv()
  t:is(count(), 0)
  host:iptables "-A INPUT -m state --state NEW"
  peer:send(udp{ sport = 1 } / "2")
  socket:recv()
  t:is(count(), 1)
  host:iptables "-F"
  peer:send(udp{ sport = 2 } / "3")
  socket:recv()
  t:is(count(), 1)
  host:sysctl("module.nf_conntrack.enable_hooks", 1)
  peer:send(udp{ sport = 3 } / "4")
  socket:recv()
  t:is(count(), 2)
  t:error(function() host:sysctl("net.netfilter.nf_conntrack_count", 5) end, "EACCES")
end)

-- Counting and views ------------------------------------------------------------------------------

tap.test("nf_conntrack_acct counts packets and bytes of each direction", function(t)
  local host, near, far, send = tracked { sysctl = { ["net.netfilter.nf_conntrack_acct"] = 1 } }
  send(near, far, udp{ sport = 5000, dport = 53 } / "?")
  send(far, near, udp{ sport = 53, dport = 5000 } / "answer")
  send(far, near, udp{ sport = 53, dport = 5000 } / "answer")
  t:is(host:proc "/proc/net/nf_conntrack",
    "ipv4     2 udp      17 29 src=192.0.2.9 dst=198.51.100.9 sport=5000 dport=53 packets=1 bytes=29 " ..
    "src=198.51.100.9 dst=192.0.2.9 sport=53 dport=5000 packets=2 bytes=68 mark=0 zone=0 use=2\n")
end)

tap.test("conntrack lists, deletes and flushes by address, protocol, port and state", function(t)
  local host, near, far, send = tracked()
  for port = 1, 4 do send(near, far, udp{ sport = port, dport = 53 } / "x") end
  send(near, far, tcp{ sport = 9, dport = 80, flags = "S" })
  local function lines(words) return select(2, host:conntrack("-L " .. words):gsub("\n", "")) end
  t:is({ lines "-p udp", lines "-p tcp --state SYN_SENT", lines "-p tcp --state ESTABLISHED", lines "--sport 3",
    lines "-s 192.0.2.9 -d 198.51.100.9", lines "-r 198.51.100.9 -q 192.0.2.9", lines "-s 192.0.2.10", lines "-f ipv6", lines "-f ipv4", lines "-u UNREPLIED" },
    { 4, 1, 0, 1, 5, 5, 0, 0, 5, 5 })
  t:is(host:conntrack "-D --sport 3", 1)
  t:is(host:conntrack "-D -p tcp --dport 80", 1)
  t:is(host:conntrack "-F", 3)
  t:is(host:conntrack(), "")
  t:error(function() host:conntrack "-L --nope 3" end, "unknown option `%-%-nope'")
  t:error(function() host:conntrack "-L -s nowhere" end, "Invalid IP address `nowhere'")
  -- Only what ctnetlink puts in counts as inserted, as in Linux.
  t:like(host:conntrack "-S", "^cpu=0 +\tfound=0 invalid=0 insert=0 insert_failed=0 drop=0 early_drop=0 error=0")
end)

tap.test("IPv6: TCP, ICMPv6 and its errors", function(t)
  local host = net.host { addr = "2001:db8::1/64", model = "tun" }
  local peer = host.wire:peer { addr = "2001:db8::9" }
  host:ip6tables "-A INPUT -m conntrack --ctstate NEW"
  host:ip6tables "-A INPUT -m conntrack --ctstate RELATED"
  host:ip6tables "-A INPUT -m conntrack --ctstate INVALID"
  peer:send(net.ip6{} / net.icmp6{ type = 128, id = 5, seq = 1 } / "six")
  peer:expect(net.ip6{} / net.icmp6{ type = 129 } / "six", { within = "1ms" })
  t:is(host:conntrack "-L", "icmpv6   58 30 src=2001:db8::9 dst=2001:db8::1 type=128 code=0 id=5 src=2001:db8::1 dst=2001:db8::9 type=129 code=0 id=5 mark=0 use=1\n")
  local seen = host:ip6tables "-v -S INPUT"
  t:like(seen, "NEW %-c 1 51\n.*RELATED %-c 0 0\n.*INVALID %-c 0 0\n")
end)

tap.test("IPv6 fragments are put together in front of tracking, a lone one makes no entry", function(t)
  local host = net.host { addr = "2001:db8::1/64", model = "tun" }
  local peer = host.wire:peer { addr = "2001:db8::9" }
  host:ip6tables "-A INPUT -m conntrack --ctstate INVALID -j DROP"
  local whole = net.ip6{ src = peer.addr, dst = "2001:db8::1" } / net.icmp6{ type = 128, id = 5, seq = 1 } / ("six"):rep(300)
  local body = whole:bytes():sub(41)
  local function piece(from, to, more)
    local header = string.pack(">BBI2I4", 58, 0, from | (more and 1 or 0), 77)
    return net.ip6{ next = 44 } / net.raw(header .. body:sub(from + 1, to))
  end
  peer:send(piece(0, 480, true))
  peer:expect_nothing { during = "1ms" }
  t:is(host:conntrack "-C", "0\n")
  peer:send(piece(480, #body, false))
  peer:expect(net.ip6{} / net.icmp6{ type = 129 } / ("six"):rep(300), { within = "1ms" })
  t:like(host:conntrack "-L", "^icmpv6 .*id=5")
  t:is({ host:counter "Ip6ReasmOKs", host:counter "nf_conntrack.invalid", host:drops "NETFILTER_DROP" }, { 1, 0, 0 })
end)

-- Limits ------------------------------------------------------------------------------------------

tap.test("a full table drops what is new; what is not assured makes room where it is near", function(t)
  local host, near, far, send = tracked { sysctl = { ["net.netfilter.nf_conntrack_max"] = 8 } }
  for port = 1, 8 do send(near, far, udp{ sport = port, dport = 53 } / "x") end
  t:is(host:conntrack "-C", "8\n")
  -- Of 262,144 buckets eight are looked through.
  local _, out = send(near, far, udp{ sport = 9, dport = 53 } / "x")
  t:is({ #out, host:drops "NETFILTER_DROP", stat(host, "drop"), stat(host, "early_drop") }, { 0, 1, 1, 0 })
  -- The collector was told, and ends what is not assured.
  net.sleep "2s"
  t:ok(stat(host, "early_drop") > 0)
  local _, more = send(near, far, udp{ sport = 10, dport = 53 } / "x")
  t:is(#more, 1)
end)

tap.test("with few buckets one that is not assured makes room at once", function(t)
  local host, near, far, send = tracked { sysctl = { ["net.netfilter.nf_conntrack_max"] = 4, ["net.netfilter.nf_conntrack_buckets"] = 4 } }
  local q, a = udp{ sport = 1, dport = 53 }, udp{ sport = 53, dport = 1 }
  send(near, far, q / "x")
  send(far, near, a / "x")
  net.sleep "3s"
  send(near, far, q / "assured")
  for port = 2, 9 do t:is((send(near, far, udp{ sport = port, dport = 53 } / "x")), "NEW") end
  t:is({ stat(host, "early_drop"), host:conntrack "-C", stat(host, "drop") }, { 5, "4\n", 0 })
  t:like(host:conntrack "-L", "sport=1 .*%[ASSURED%]", "it stayed")
end)

tap.test("with buckets of two entries each there is always one near that is not assured", function(t)
  local host, near, far, send = tracked { sysctl = { ["net.netfilter.nf_conntrack_max"] = 400, ["net.netfilter.nf_conntrack_buckets"] = 200 } }
  for port = 1, 1000 do
    near:send(ip{ src = near.addr, dst = far.addr } / udp{ sport = port, dport = 53 } / "x")
    if port % 100 == 0 then far:collect { during = "1ms" } end
  end
  -- Eight of 200 buckets hold some 32 tuples.
  t:is({ stat(host, "early_drop"), host:conntrack "-C", stat(host, "drop") }, { 600, "400\n", 0 })
end)

tap.test("thousands of entries come and go", function(t)
  local host, near, far = tracked()
  local came = 0
  for port = 1, 3000 do
    near:send(ip{ src = near.addr, dst = far.addr } / udp{ sport = port, dport = 53 } / "x")
    if port % 100 == 0 then came = came + #far:collect { during = "1ms" } end
  end
  t:is(came, 3000)
  t:is(host:conntrack "-C", "3000\n")
  t:is(host:conntrack "-D --sport 1234", 1)
  net.sleep "91s"
  t:is(host:conntrack "-C", "0\n", "the collector comes once a minute at least")
end)

-- What a user sees when it goes wrong -----------------------------------------------------------------

tap.test("new connections fail while old ones work: the table is full, and the counters say so", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.netfilter.nf_conntrack_max"] = 1 } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 5000 }:to(7)
  host:neigh { addr = peer.addr, mac = peer.mac }
  host:iptables "-A INPUT -m conntrack --ctstate ESTABLISHED -j ACCEPT"
  local server = host:socket "tcp":listen(80)
  local old = host.wire:peer { addr = "192.0.2.10", port = 4000 }:to(80)
  host:neigh { addr = old.addr, mac = old.mac }
  old:send "S 0:0(0) win 65535 <mss 1460>"
  old:expect "S. 0:0(0) ack 1 <mss 1460>"
  old:send ". 1:1(0) ack 1"
  local before = host:counters()
  for i = 1, 3 do
    peer:send(udp{ sport = 6000 + i } / "hello?")
    net.sleep "1s"
  end
  t:is(host:changes(before, "^nf_conntrack"), { ["nf_conntrack.drop"] = 3 })
  t:is(host:changes(before, "^Drop"), { ["Drop.NETFILTER_DROP"] = 3 })
  t:is(host:sysctl "net.netfilter.nf_conntrack_count", host:sysctl "net.netfilter.nf_conntrack_max")
  local conn = server:accept()
  old:send("P. 1:6(5) ack 1", { data = "works" })
  t:is((conn:recv()), "works")
  old:collect { during = "1s" }
  peer:expect_nothing()
end)

-- Memory ------------------------------------------------------------------------------------------

tap.test("whichever allocation fails, rules and tracking refuse or drop, and nothing is lost", function(t)
  local host, peer, socket = s.station()
  for skip = 0, 60 do
    host:fault("alloc", { skip = skip, count = 1 })
    pcall(function()
      host:iptables "-N mine"
      host:iptables "-A INPUT -m conntrack --ctstate NEW -j mine"
      host:iptables "-A mine -p udp --dport 9 -j REJECT"
    end)
    pcall(peer.send, peer, udp{} / "x")
    pcall(peer.send, peer, udp{ dport = 9 } / "x")
    peer:collect { during = "1s" }
    socket:try("recv", { flags = "dontwait" })
    pcall(host.iptables, host, "-F")
    pcall(host.iptables, host, "-X")
    host:conntrack "-F"
  end
  host:fault("alloc", { skip = 1000000, count = 1 })
  host:iptables "-F"
  host:iptables "-X"
  t:is(host:iptables "-S INPUT", "-P INPUT ACCEPT\n")
  peer:send(udp{} / "alive")
  t:is((socket:recv()), "alive")
end)
