-- SPDX-License-Identifier: MIT
-- REJECT: what is answered, byte for byte; what is not answered; the sockets that hear of it.
local tap = require "tap"
local net = require "net"
local s = require "_station"
local ip, icmp, tcp, udp = net.ip, net.icmp, net.tcp, net.udp

local codes = { ["icmp-net-unreachable"] = 0, ["icmp-host-unreachable"] = 1, ["icmp-proto-unreachable"] = 2,
  ["icmp-port-unreachable"] = 3, ["icmp-net-prohibited"] = 9, ["icmp-host-prohibited"] = 10,
  ["icmp-admin-prohibited"] = 13 }

tap.test("each --reject-with of ICMP, with the whole packet quoted", function(t)
  for name, code in pairs(codes) do
    local host, peer = s.station()
    host:iptables("-A INPUT -p udp -j REJECT --reject-with " .. name)
    local packet = ip{ src = peer.addr, dst = host.addr, id = 77, tos = 0x10 } / udp{ sport = 5000, dport = 7 } / "hello"
    peer:send(packet)
    local error = peer:expect(ip{ tos = 0xd0, ttl = 64 } / icmp{ type = 3, code = code }, { within = "1ms" })
    -- Header, checksum, four bytes of nothing, then all of what came.
    t:is(error:bytes():sub(15 + 20 + 4), "\0\0\0\0" .. packet:bytes():sub(1))
    t:is({ error.ip.src, error.icmp.checksum_status }, { "192.0.2.1", "good" })
    t:is({ host:drops "NETFILTER_DROP", host:counter "IcmpOutDestUnreachs", host:counter "UdpInDatagrams" }, { 1, 1, 0 })
  end
end)

tap.test("tcp-reset: byte for byte the answer to a SYN, to data, to an ACK", function(t)
  local host, peer = s.station()
  host:iptables "-A INPUT -p tcp -j REJECT --reject-with tcp-reset"
  local function answer(segment)
    peer:send(segment)
    return peer:expect(tcp{}, { within = "1ms", defaults = false })
  end
  local rst = answer(tcp{ sport = 5000, dport = 80, flags = "S", seq = 1000, window = 512, options = { { "mss", 1460 } } })
  local want = ip{ src = "192.0.2.1", dst = "192.0.2.9", id = 0, df = true, ttl = 64, tos = 0 } /
    tcp{ sport = 80, dport = 5000, flags = "RA", seq = 0, ack = 1001, window = 0 }
  t:is(rst:bytes():sub(15, 54), want:bytes())
  t:is({ rst.tcp.checksum_status, rst.ip.checksum_status }, { "good", "good" })
  rst = answer(tcp{ sport = 5000, dport = 80, flags = "PA", seq = 1001, ack = 777, window = 512 } / "data")
  t:is({ rst.tcp.flags, rst.tcp.seq, rst.tcp.ack }, { "R", 777, 0 })
  rst = answer(tcp{ sport = 5000, dport = 80, flags = "SF", seq = 0xffffffff } / "data")
  t:is({ rst.tcp.flags, rst.tcp.seq, rst.tcp.ack }, { "R.", 0, 5 })
end)

tap.test("what is not answered: resets, errors, wrong checksums, fragments behind the first, broadcasts", function(t)
  local host, peer = s.station()
  host:iptables "-A INPUT -p tcp -j REJECT --reject-with tcp-reset"
  host:iptables "-A INPUT -j REJECT"
  peer:send(tcp{ sport = 5000, dport = 80, flags = "R", seq = 1 })
  peer:send(tcp{ sport = 5000, dport = 80, flags = "S", seq = 1, checksum = 0xbad })
  peer:send(udp{ sport = 5000, dport = 80, checksum = 0xbad } / "x")
  peer:send(icmp{ type = 3, code = 3, rest = 0 } / (ip{ src = host.addr, dst = peer.addr } / udp{ sport = 1, dport = 2 }))
  peer:send(net.eth{ dst = "ff:ff:ff:ff:ff:ff" } / ip{ dst = "192.0.2.255" } / udp{ sport = 5000, dport = 80 } / "x")
  peer:expect_nothing { during = "10ms" }
  t:is(host:drops "NETFILTER_DROP", 5)
  t:is({ host:counter "IcmpOutMsgs", host:counter "TcpOutRsts" }, { 0, 0 })
end)

tap.test("a router's reset seems to come from the server, its ICMP error from itself", function(t)
  local host, near, far = s.router()
  host:iptables "-A FORWARD -p tcp --dport 80 -j REJECT --reject-with tcp-reset"
  host:iptables "-A FORWARD -p tcp -j REJECT --reject-with icmp-host-prohibited"
  near:send(ip{ dst = far.addr } / tcp{ sport = 5000, dport = 80, flags = "S", seq = 1 })
  near:expect(ip{ src = far.addr } / tcp{ sport = 80, dport = 5000, flags = "RA", ack = 2 }, { within = "1ms" })
  near:send(ip{ dst = far.addr } / tcp{ sport = 5000, dport = 81, flags = "S", seq = 1 })
  local error = near:expect(icmp{ type = 3, code = 10 }, { within = "1ms" })
  t:is({ error.ip.src, error.inner.ip.dst, error.inner.tcp.dport }, { "192.0.2.1", far.addr, 81 })
end)

tap.test("rejected on its way out: connect fails at once", function(t)
  local host, peer = s.station()
  host:iptables "-A OUTPUT -p tcp --dport 80 -j REJECT --reject-with tcp-reset"
  host:iptables "-A OUTPUT -p tcp --dport 81 -j REJECT"
  local one, other = host:socket "tcp", host:socket "tcp"
  t:is(select(2, one:try("connect", peer.addr, 80)), "ECONNREFUSED")
  t:is(select(2, other:try("connect", peer.addr, 81)), "ECONNREFUSED")
  t:is(t:now(), 0)
  peer:expect_nothing { during = "3s" }
end)

tap.test("ICMP errors of REJECT are limited in rate as others are", function(t)
  local host, peer = s.station()
  host:iptables "-A INPUT -p udp -j REJECT"
  for i = 1, 20 do peer:send(udp{} / "x") end
  local seen = #peer:collect { during = "500ms" }
  t:ok(seen < 20 and seen > 0, seen)
  t:is(tonumber(host:iptables "-v -S INPUT 1":match "-c (%d+)"), 20)
end)

tap.test("the reset of a tracked connection is RELATED to it", function(t)
  local host, peer = s.station()
  host:iptables "-A OUTPUT -m conntrack --ctstate RELATED"
  host:iptables "-A INPUT -m conntrack --ctstate NEW -p tcp -j REJECT --reject-with tcp-reset"
  peer:send(tcp{ sport = 5000, dport = 80, flags = "S", seq = 1 })
  peer:expect(tcp{ flags = "RA" }, { within = "1ms", defaults = false })
  t:like(host:iptables "-v -S OUTPUT 1", " %-c 1 40\n")
  t:is(host:conntrack "-C", "0\n")
end)

-- IPv6 --------------------------------------------------------------------------------------------

tap.test("ip6tables: each --reject-with of ICMPv6, with the packet quoted (RFC 4443 3.1)", function(t)
  local kinds = { ["icmp6-no-route"] = 0, ["icmp6-adm-prohibited"] = 1, ["icmp6-addr-unreachable"] = 3,
    ["icmp6-port-unreachable"] = 4, ["icmp6-policy-fail"] = 5, ["icmp6-reject-route"] = 6 }
  for name, code in pairs(kinds) do
    local host = net.host { addr = "2001:db8::1/64", model = "tun" }
    local peer = host.wire:peer { addr = "2001:db8::9" }
    host:ip6tables("-A INPUT -p tcp -j REJECT --reject-with " .. name)
    peer:send(net.ip6{} / tcp{ sport = 5000, dport = 80, flags = "S", seq = 1 })
    local error = peer:expect(net.ip6{} / net.icmp6{ type = 1, code = code }, { within = "1ms" })
    t:is({ error.icmp6.checksum_status, error.ip6.src }, { "good", "2001:db8::1" })
    t:is({ host:counter "Icmp6OutDestUnreachs", host:drops "NETFILTER_DROP" }, { 1, 1 })
  end
end)

tap.test("ip6tables: tcp-reset", function(t)
  local host = net.host { addr = "2001:db8::1/64", model = "tun" }
  local peer = host.wire:peer { addr = "2001:db8::9" }
  host:ip6tables "-A INPUT -p tcp -j REJECT --reject-with tcp-reset"
  peer:send(net.ip6{} / tcp{ sport = 5000, dport = 80, flags = "S", seq = 41 })
  local rst = peer:expect(net.ip6{} / tcp{ sport = 80, dport = 5000, flags = "RA", seq = 0, ack = 42 }, { within = "1ms" })
  t:is({ rst.tcp.checksum_status, rst.ip6.src }, { "good", "2001:db8::1" })
end)

-- What a user sees when it goes wrong -----------------------------------------------------------------

tap.test("connect: a drop is a time-out after minutes, a reject an errno at once", function(t)
  local host, peer = s.station()
  local client = host:socket "tcp"
  peer:send(udp{} / "x")
  host:sysctl("net.ipv4.tcp_syn_retries", 1)
  host:iptables "-A OUTPUT -p tcp --dport 80 -j DROP"
  t:is(select(2, client:try("connect", peer.addr, 80)), "ETIMEDOUT")
  t:ok(t:now() > 1000000000)
  t:ok(host:drops "NETFILTER_DROP" >= 2)
  t:is(host:counter "TcpOutSegs", 1, "TCP knows of one that it gave away")
  host:iptables "-R OUTPUT 1 -p tcp --dport 80 -j REJECT --reject-with icmp-admin-prohibited"
  local now = t:now()
  t:is(select(2, host:socket "tcp":try("connect", peer.addr, 80)), "EHOSTUNREACH")
  t:is(t:now(), now)
  peer:expect_nothing()
end)
