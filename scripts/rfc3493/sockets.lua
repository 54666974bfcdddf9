-- SPDX-License-Identifier: MIT
-- RFC 3493: sockets of AF_INET6, over IPv6 and with IPv4-mapped addresses; RFC 8200 8.3's largest
-- segment; RFC 9293 over IPv6.
local tap = require "tap"
local net = require "net"

local function tun()
  local host = net.host { addr = "2001:db8::1/64", model = "tun" }
  return host, host.wire:peer { addr = "2001:db8::9", port = 4000 }
end

tap.test("a connection over IPv6: handshake, data both ways, end", function(t)
  local host, peer = tun()
  local server = host:socket "tcp6":listen(80)
  peer:to(80)
  peer:send "S 0:0(0) win 65535 <mss 1440>"
  -- RFC 8200 8.3: MTU less 60 bytes of headers.
  peer:expect("S. 0:0(0) ack 1 <mss 1440>", { within = "1ms" })
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn, from = server:accept()
  t:is(from.addr, "2001:db8::9")
  t:is(from.port, 4000)
  peer:send("P. 1:6(5) ack 1 win 65535", { data = "hello" })
  peer:expect(". 1:1(0) ack 6", { within = "1ms" })
  t:is(conn:recv(100), "hello")
  conn:send "world!"
  peer:expect("P. 1:7(6) ack 6", { within = "1ms" })
  peer:send "F. 6:6(0) ack 7 win 65535"
  peer:expect(". 7:7(0) ack 7", { within = "100ms" })
  conn:close()
  peer:expect("F. 7:7(0) ack 7", { within = "1ms" })
  peer:send ". 7:7(0) ack 8 win 65535"
end)

tap.test("a segment for nobody is reset over IPv6 too", function(t)
  local host, peer = tun()
  peer:to(99)
  peer:send "S 0:0(0) win 65535"
  peer:expect("R. 0:0(0) ack 1 win 0", { within = "1ms" })
  t:is(host:counter "TcpOutRsts", 1)
end)

tap.test("an address that is not ours is not answered", function(t)
  local host, peer = tun()
  peer:send(net.ip6 { dst = "2001:db8::77" } / net.tcp { flags = "S", dport = 80 })
  peer:expect_nothing { during = "1s" }
  t:is(host:counter "Ip6InReceives", 1)
  t:is(host:counter "Ip6InAddrErrors", 1)
end)

tap.test("RFC 4443 4.2: an echo request comes back with its data", function(t)
  local _, peer = tun()
  peer:send(net.icmp6 { type = "echo", id = 1, seq = 7 } / "ping")
  local reply = peer:expect(net.icmp6 { type = "echo-reply", id = 1, seq = 7 } / "ping",
    { within = "1ms" })
  t:is(reply.ip6.hlim, 64)
end)

tap.test("RFC 6724 5 rule 8: the source address has the longest prefix in common", function(t)
  local host, peer = tun()
  host:addr_add "2001:db8::8/64"
  local client = host:socket("tcp6", { nonblock = true })
  local _, err = client:try("connect", "2001:db8::9", 80)
  t:is(err, "EINPROGRESS")
  t:is(client:name().addr, "2001:db8::8")
  peer:expect(net.ip6 { src = "2001:db8::8" } / net.tcp { flags = "S", dport = 80,
    sport = client:name().port }, { within = "1ms" })
end)

tap.test("3.7: an IPv4 peer of an AF_INET6 listener has a mapped address", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  local server = host:socket "tcp6":listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect("S. 0:0(0) ack 1 <mss 1460>", { within = "1ms" })
  peer:send ". 1:1(0) ack 1 win 65535"
  local _, from = server:accept()
  t:is(from.addr, "::ffff:192.0.2.9")
end)

tap.test("5.3: IPV6_V6ONLY keeps IPv4 out", function(t)
  local host = net.host { addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  local server = host:socket "tcp6"
  server:option("IPV6_V6ONLY", 1)
  server:listen(80)
  peer:send "S 0:0(0) win 65535"
  peer:expect("R. 0:0(0) ack 1 win 0", { within = "1ms" })
  t:is(server:option "IPV6_V6ONLY", 1)
end)

tap.test("profile linux: what is bound to an address of IPv6 is for IPv6 only from then on", function(t)
  local host = net.host { up = false }
  local s = host:socket "tcp6"
  t:is(s:option "IPV6_V6ONLY", 0)
  s:bind("::1", 7000)
  t:is(s:option "IPV6_V6ONLY", 1)
  t:is(select(2, s:try("connect", "::ffff:127.0.0.1", 80)), "ENETUNREACH")
  local other = host:socket "tcp6"
  t:is(select(2, other:try("bind", "::1", 7000)), "EADDRINUSE")
  t:is(other:option "IPV6_V6ONLY", 0, "it is not bound")
  other:bind("::", 7001)
  t:is(other:option "IPV6_V6ONLY", 0)
end)

tap.test("IP_MTU is the path's of a connection over IPv6, too", function(t)
  local host = net.host { up = false }
  local server = host:socket "tcp6"
  server:bind("::1", 7000)
  server:listen()
  local s = host:socket "tcp6"
  t:is(select(2, s:try("getsockopt", net.C.SOL_IP, net.C.IP_MTU)), "ENOTCONN")
  s:connect("::1", 7000)
  t:is({ s:option "IP_MTU", s:option "IPV6_MTU" }, { 65536, 65536 })
end)

tap.test("RFC 5082: of an ICMPv6 error the hop limit of the message counts for IPV6_MINHOPCOUNT", function(t)
  local host, peer = tun()
  local client = host:socket("tcp6", { nonblock = true })
  client:option("IPV6_MINHOPCOUNT", 200)
  local _, err = client:try("connect", "2001:db8::9", 4000)
  t:is(err, "EINPROGRESS")
  local syn = peer:expect(net.tcp { flags = "S" }, { within = "1ms" })
  t:is(syn.ip6.hlim, 64)
  local function port_unreachable(hlim)
    peer:send(net.ip6 { hlim = hlim } / net.icmp6 { type = "dest-unreach", code = 4 } /
      net.parse(syn:bytes(), "ip"))
    peer:expect_nothing { during = "1ms" }
  end
  port_unreachable(199)
  t:is(host:counter "TcpExtTCPMinTTLDrop", 1)
  t:is(client:option "SO_ERROR", 0)
  port_unreachable(200)
  t:is(host:counter "TcpExtTCPMinTTLDrop", 1)
  t:is(client:option "SO_ERROR", net.C.ECONNREFUSED)
end)
