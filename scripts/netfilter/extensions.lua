-- SPDX-License-Identifier: MIT
-- Matches by range, MAC, address type, connection mark and MSS; targets that change what goes on:
-- CONNMARK, TCPMSS, TTL. How they read back, and what iptables says when they are wrong.
local tap = require "tap"
local net = require "net"
local s = require "_station"
local ip, tcp, udp = net.ip, net.tcp, net.udp
local matched = s.matched

local function packets_of(host, chain, n) return s.counts(host, chain, n)[1] end

tap.test("iprange: both ends belong to it", function(t)
  local host, peer = s.station()
  local from = {}
  for i, last in ipairs { 9, 10, 20, 21 } do from[i] = ip{ src = "192.0.2." .. last } / udp{} end
  matched(t, host, peer, "-m iprange --src-range 192.0.2.10-192.0.2.20", from, { 0, 1, 1, 0 })
  matched(t, host, peer, "-m iprange ! --src-range 192.0.2.10-192.0.2.20", from, { 1, 0, 0, 1 })
  matched(t, host, peer, "-m iprange --src-range 192.0.2.10-192.0.2.20 --dst-range 192.0.2.2-192.0.2.9", from, { 0, 0, 0, 0 })
  matched(t, host, peer, "-m iprange --dst-range 192.0.2.1", from, { 1, 1, 1, 1 })
end)

tap.test("mac: the sender's, of what came in by Ethernet", function(t)
  local host, peer = s.station()
  matched(t, host, peer, "-m mac --mac-source " .. peer.mac, { udp{} }, { 1 })
  matched(t, host, peer, "-m mac ! --mac-source " .. peer.mac, { udp{} }, { 0 })
  matched(t, host, peer, "-m mac --mac-source 02:00:00:00:ff:ff", { udp{} }, { 0 })
end)

tap.test("addrtype: what an address is to this host", function(t)
  local host, peer = s.station()
  local to = { udp{}, ip{ dst = "192.0.2.255" } / udp{}, ip{ dst = "255.255.255.255" } / udp{} }
  matched(t, host, peer, "-m addrtype --dst-type LOCAL", to, { 1, 0, 0 })
  matched(t, host, peer, "-m addrtype --dst-type BROADCAST", to, { 0, 1, 1 })
  matched(t, host, peer, "-m addrtype --src-type UNICAST,MULTICAST ! --dst-type LOCAL", to, { 0, 1, 1 })
  matched(t, host, peer, "-m addrtype --src-type LOCAL", to, { 0, 0, 0 })
end)

tap.test("tcpmss: by the option of a SYN; one without it is outside of every range", function(t)
  local host, peer = s.station()
  local syn = function(options) return tcp{ dport = 80, flags = "S", options = options } end
  local packets = { syn { { "mss", 1460 } }, syn { { "mss", 536 } }, syn(nil) }
  matched(t, host, peer, "-p tcp -m tcpmss --mss 1000:1460", packets, { 1, 0, 0 })
  matched(t, host, peer, "-p tcp -m tcpmss ! --mss 1000:1460", packets, { 0, 1, 1 })
end)

-- What Linux 6.18 counted: {tcpmss of the range, not of it, option 8, not it} of each SYN.
tap.test("options of TCP that are cut off, of no length, or behind an end of options", function(t)
  local host, peer = s.station()
  local drops = 0
  for _, case in ipairs {
    { "\2\4\5\xb4", { 1, 0, 0, 1 } },
    { "\0\0\2\4\5\xb4\0\0", { 1, 0, 0, 1 } },
    { "\3\0\2\4\5\xb4\0\0", { 1, 0, 0, 1 } },
    { "\5\1\2\4\5\xb4\0\0", { 1, 0, 0, 1 } },
    { "\8\2\2\4\5\xb4\0\0", { 1, 0, 1, 0 } },
    { "\1\1\1\8", { 0, 1, 1, 0 } },
    { "\1\1\1\2", { 0, 1, 0, 1 } },
    { "\2\3\5\xb4", { 0, 1, 0, 1 } },
    { "", { 0, 0, 0, 0 }, doff = 4, drop = true },
    { "\1\1\1\2", { 0, 0, 0, 0 }, doff = 10, drop = true },
  } do
    local options, want = case[1], case[2]
    host:iptables "-F INPUT"
    for _, rule in ipairs { "-m tcpmss --mss 1000:1460", "-m tcpmss ! --mss 1000:1460", "--tcp-option 8", "! --tcp-option 8" } do
      host:iptables("-A INPUT -p tcp " .. rule)
    end
    local head = (">HHIIBBHHH"):pack(5000, 80, 1, 0, (case.doff or 5 + #options // 4) << 4, 2, 4096, 0, 0)
    peer:send(ip{ proto = 6 } / net.raw(head .. options))
    net.sleep "1ms"
    peer:collect { during = "1ms" }
    local seen = {}
    for n = 1, 4 do seen[n] = packets_of(host, "INPUT", n) end
    local name = options:gsub(".", function(c) return ("%02x"):format(c:byte()) end)
    t:is(seen, want, name)
    if case.drop then drops = drops + 1 end
    t:is(host:drops "NETFILTER_DROP" or 0, drops, name)
  end
end)

tap.test("connmark: a mark goes from packet to connection and back", function(t)
  local host, peer, sock = s.station()
  host:iptables "-t mangle -A PREROUTING -p udp --sport 5000 -j MARK --set-mark 0x5"
  host:iptables "-t mangle -A PREROUTING -j CONNMARK --save-mark"
  host:iptables "-A INPUT -m connmark --mark 0x5"
  host:iptables "-A INPUT -m connmark ! --mark 0x5"
  host:iptables "-t mangle -A OUTPUT -j CONNMARK --restore-mark"
  host:iptables "-A OUTPUT -m mark --mark 0x5"
  host:iptables "-A OUTPUT -m mark --mark 0x5 -m connmark --mark 0x6"
  peer:send(udp{ sport = 5000, dport = 7 } / "marked")
  peer:send(udp{ sport = 5001, dport = 7 } / "not")
  net.sleep "1ms"
  t:is({ packets_of(host, "INPUT", 1), packets_of(host, "INPUT", 2) }, { 1, 1 })
  sock:sendto("answer", peer.addr, 5000)
  sock:sendto("answer", peer.addr, 5001)
  net.sleep "1ms"
  peer:collect()
  t:is({ packets_of(host, "OUTPUT", 1), packets_of(host, "OUTPUT", 2) }, { 1, 0 })
  t:like(host:proc "/proc/net/nf_conntrack", "sport=5000 .*mark=5 ")
  host:iptables "-t mangle -F PREROUTING"
  host:iptables "-t mangle -A PREROUTING -j CONNMARK --set-mark 0x7/0xf"
  peer:send(udp{ sport = 5001, dport = 7 } / "again")
  net.sleep "1ms"
  t:like(host:proc "/proc/net/nf_conntrack", "sport=5001 .*mark=7 ")
end)

tap.test("TCPMSS lowers the MSS of what is forwarded, never raises it, and the checksum stays right", function(t)
  local host, near, far = s.router()
  local function through(options, rule)
    host:iptables "-t mangle -F FORWARD"
    host:iptables("-t mangle -A FORWARD -p tcp --tcp-flags SYN,RST SYN -j TCPMSS " .. rule)
    near:send(ip{ dst = far.addr } / tcp{ sport = 5000, dport = 80, flags = "S", seq = 1, options = options })
    return far:expect(tcp { flags = "S" }, { defaults = false, within = "1ms" }) -- checks the checksums
  end
  t:is(through({ { "mss", 1460 } }, "--set-mss 1200").tcp.options[1], { "mss", 1200 })
  t:is(through({ { "nop" }, { "mss", 1460 } }, "--set-mss 1200").tcp.options[2], { "mss", 1200 })
  t:is(through({ { "mss", 536 } }, "--set-mss 1200").tcp.options[1], { "mss", 536 })
  t:is(through(nil, "--set-mss 1200").tcp.options[1], { "mss", 536 })
  t:is(through({ { "mss", 1460 } }, "--clamp-mss-to-pmtu").tcp.options[1], { "mss", 1460 })
  host:link { dev = "eth1", mtu = 1000 }
  t:is(through({ { "mss", 1460 } }, "--clamp-mss-to-pmtu").tcp.options[1], { "mss", 960 })
  host:link { dev = "eth1", mtu = 1500 }
  host:link { dev = "eth0", mtu = 900 } -- the way back counts too
  t:is(through({ { "mss", 1460 } }, "--clamp-mss-to-pmtu").tcp.options[1], { "mss", 860 })
end)

tap.test("TTL: set, less, more, within 0 and 255", function(t)
  local host, near, far = s.router()
  local function through(rule)
    host:iptables "-t mangle -F POSTROUTING"
    host:iptables("-t mangle -A POSTROUTING -p udp -j TTL " .. rule)
    near:send(ip{ dst = far.addr, ttl = 64 } / udp{} / "x")
    return far:expect(udp {}, { defaults = false, within = "1ms" }).ip.ttl
  end
  t:is(through "--ttl-set 9", 9)
  t:is(through "--ttl-dec 3", 60)
  t:is(through "--ttl-inc 250", 255)
  t:is(through "--ttl-dec 200", 0)
end)

tap.test("TCPMSS on the way out: the card makes the checksum of a SYN of ours", function(t)
  local host, peer = s.station()
  host:iptables "-t mangle -A POSTROUTING -p tcp --syn -j TCPMSS --set-mss 700"
  local client = host:socket("tcp", { nonblock = true })
  client:try("connect", peer.addr, 80)
  local syn = peer:expect(tcp { flags = "S" }, { defaults = false, within = "1ms" })
  t:is(syn.tcp.options[1], { "mss", 700 })
end)

tap.test("IPv6: MSS and hop limit", function(t)
  local host = net.host { addr = { "192.0.2.1/24", "2001:db8::1/64" }, model = "tun" }
  local peer = host.wire:peer { addr = "2001:db8::9" }
  host:ip6tables "-t mangle -A POSTROUTING -p tcp --syn -j TCPMSS --set-mss 700"
  host:ip6tables "-t mangle -A POSTROUTING -p tcp -j HL --hl-set 7"
  local client = host:socket("tcp6", { nonblock = true })
  client:try("connect", peer.addr, 80)
  local syn = peer:expect(tcp { flags = "S" }, { defaults = false, within = "1ms" })
  t:is(syn.tcp.options[1], { "mss", 700 })
  t:is(syn.ip6.hlim, 7)
end)

tap.test("they read back as they were written", function(t)
  local host = s.station()
  local rules = {
    "-t mangle -A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -j TCPMSS --clamp-mss-to-pmtu",
    "-t mangle -A FORWARD -p tcp -m tcp --tcp-flags SYN,RST SYN -m tcpmss ! --mss 1000:1400 -j TCPMSS --set-mss 1400",
    "-t mangle -A FORWARD -m iprange --src-range 10.0.0.1-10.0.0.9 ! --dst-range 10.1.0.1-10.1.0.9 -j TTL --ttl-set 64",
    "-t mangle -A FORWARD -m mac --mac-source 02:00:00:00:00:aa -j CONNMARK --save-mark --nfmask 0xffffffff --ctmask 0xffffffff",
    "-t mangle -A FORWARD -m addrtype --src-type LOCAL ! --dst-type UNICAST,BROADCAST -j CONNMARK --set-xmark 0x1/0xff",
    "-t mangle -A FORWARD -m connmark ! --mark 0x1/0xf -j CONNMARK --restore-mark --nfmask 0xf --ctmask 0xff00",
    "-t mangle -A FORWARD -m comment --comment \"it\\'s\"",
  }
  for _, rule in ipairs(rules) do host:iptables(rule) end
  local want = "-P FORWARD ACCEPT\n"
  for _, rule in ipairs(rules) do want = want .. rule:gsub("^%-t mangle ", "") .. "\n" end
  t:is(host:iptables "-t mangle -S FORWARD", want)
  t:like(host:iptables "-t mangle -L FORWARD -n", "TCPMSS clamp to PMTU.*TCPMSS set 1400.*TTL set to 64.*CONNMARK save")
  host:ip6tables "-t mangle -A OUTPUT -j HL --hl-dec 2"
  t:is(host:ip6tables "-t mangle -S OUTPUT", "-P OUTPUT ACCEPT\n-A OUTPUT -j HL --hl-dec 2\n")
end)

tap.test("goes wrong: what they refuse", function(t)
  local host = s.station()
  for words, message in pairs {
    ["-A INPUT -m iprange --src-range 10.0.0.9-10.0.0.1"] = "reversed and will never match",
    ["-A INPUT -m iprange --src-range 10.0.0-9"] = "Bad IP address",
    ["-A INPUT -m mac --mac-source 02:00:00:00:00"] = "Bad mac address",
    ["-A INPUT -m addrtype --dst-type HOME"] = "bad type `HOME'",
    ["-A INPUT -m tcpmss --mss 9:1"] = "bad range `9:1'",
    ["-A FORWARD -p tcp -j TCPMSS --clamp-mss-to-pmtu"] = "only on TCP SYN packets",
    ["-A INPUT -p tcp --syn -j TCPMSS --clamp-mss-to-pmtu"] = "FORWARD, OUTPUT and POSTROUTING",
    ["-A FORWARD -p tcp --syn -j TCPMSS --set-mss 9 --clamp-mss-to-pmtu"] = "only one of its options",
    ["-A FORWARD -p tcp --syn -j TCPMSS"] = "At least one parameter is required",
    ["-t mangle -A FORWARD -j TTL"] = "You must specify an action",
    ["-t mangle -A FORWARD -j CONNMARK"] = "No operation specified",
    ["-A INPUT -j TTL --ttl-set 5"] = "TTL is for the table mangle",
    ["-t mangle -A FORWARD -j TTL --ttl-set 256"] = "bad value for option",
    ["-t mangle -A FORWARD -j TTL --hl-set 5"] = "unknown option",
  } do
    t:error(function() host:iptables(words) end, message)
  end
  t:is(host:iptables "-S INPUT", "-P INPUT ACCEPT\n")
end)
