-- SPDX-License-Identifier: MIT
-- Named weaknesses of other stacks that no suite of an RFC shows by the way; docs/regressions.md has
-- all of them.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"
local ip, icmp, udp = net.ip, net.icmp, net.udp

local function station(o)
  o = o or {}
  o.addr = "192.0.2.1/24"
  local host = net.host(o)
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

local function alive(peer)
  peer:send(icmp { type = "echo", id = 99, seq = 99 })
  return peer:expect(icmp { type = "echo-reply", id = 99, seq = 99 })
end

tap.test("nestea (CVE-1999-0257): a fragment inside the one before, and one behind both", function(t)
  local host, peer = station()
  host:sysctl("net.ipv4.ipfrag_time", 30)
  peer:send(ip { id = 242, mf = true, proto = 253 } / ("a"):rep(24))
  peer:send(ip { id = 242, off = 1, proto = 253 } / ("b"):rep(4))
  peer:send(ip { id = 242, mf = true, proto = 253 } / ("c"):rep(88))
  net.sleep "1ms"
  t:is({ host:counter "IpReasmOKs", host:counter "IpInDelivers" }, { 0, 0 })
  t:ok(alive(peer))
  net.sleep "31s"
  peer:collect { during = "1ms" } -- time exceeded, for what was left
  t:is(tonumber(host:proc("/proc/net/sockstat"):match "FRAG: inuse (%d+)"), 0)
end)

tap.test("options and IP_PKTINFO (CVE-2017-5970): both are told, though no route goes with the datagram", function(t)
  local host, peer = station()
  local server = host:socket "udp"
  server:bind(7)
  for _, name in ipairs { "IP_PKTINFO", "IP_RECVOPTS", "IP_RETOPTS" } do server:option(name, 1) end
  -- Record route and a time stamp: what is given back is made anew from what came.
  peer:send(ip { options = "\7\7\4\0\0\0\0" .. "\x44\8\5\0\0\0\0\0" } / udp { sport = 5000, dport = 7 } / "hello")
  local data, info = server:recv { control_size = 256 }
  t:is(data, "hello")
  t:is({ info.cmsg.IP_PKTINFO.addr, info.cmsg.IP_PKTINFO.spec_dst }, { "192.0.2.1", "192.0.2.1" })
  t:ok(info.cmsg.IP_RETOPTS and #info.cmsg.IP_RETOPTS >= 15)
  t:ok(alive(peer))
end)

tap.test("SACK of all that is out while a send is refused (CVE-2016-6828): nothing points at what went", function(t)
  local host, peer, conn = tcp.passive { syn = "mss 1460,nop,nop,sackOK", options = { SO_SNDBUF = 100000 } }
  conn:nonblock()
  conn:option("TCP_NODELAY", 1)
  local sent = net.pattern(1, 4380)
  t:is(conn:send(sent), 4380)
  t:is(tcp.sent(peer), "1:1461 1461:2921 2921:4381")
  -- All but the first are there, so that the next to be SACKed is what is sent next.
  peer:send ". 1:1(0) ack 1 <nop,nop,sack 1461:4381>"
  peer:collect { during = "10us" }
  local server, other = host:socket "tcp", host:socket "tcp"
  server:bind("127.0.0.1", 81)
  server:listen()
  other:option("SO_SNDBUF", 4000000)
  other:connect("127.0.0.1", 81)
  other:send(("h"):rep(1500000))
  host:sysctl("net.ipv4.tcp_mem", "1 2 3")
  local taken = 0
  for _ = 1, 5 do taken = taken + (conn:try("send", ("x"):rep(100)) or 0) end
  t:ok(taken < 500, taken)
  peer:send ". 1:1(0) ack 1 <nop,nop,sack 1461:4381>"
  peer:send ". 1:1(0) ack 4381"
  peer:collect { during = "10us" }
  host:sysctl("net.ipv4.tcp_mem", "393216 524288 786432")
  t:is(conn:send "more", 4)
  net.sleep "1ms"
  t:is({ conn:info().sacked, conn:info().state }, { 0, "ESTABLISHED" })
  peer:send((". 1:1(0) ack %d"):format(4381 + taken + 4))
  peer:collect { during = "1ms" }
  t:is({ conn:info().unacked, conn:info().notsent_bytes }, { 0, 0 })
end)

tap.test("SYN flood: with a full queue who answers our number gets in, the flood costs nothing", function(t)
  local host, peer, server = tcp.listen { backlog = 4, sysctl = { ["net.ipv4.tcp_max_syn_backlog"] = 4 } }
  host:route { dst = "198.51.100.0/24", via = "192.0.2.9" }
  for i = 1, 200 do
    peer:send(ip { src = "198.51.100." .. i, dst = "192.0.2.1" } /
      net.tcp { sport = 1024 + i, dport = 80, seq = i, flags = "S", window = 1000 })
  end
  peer:collect { during = "1ms" }
  t:ok(host:counter "TcpExtSyncookiesSent" > 100)
  t:ok(#host:sockets() < 20)
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1"
  peer:send "P. 1:6(5) ack 1"
  peer:expect ". 1:1(0) ack 6"
  t:is(host:counter "TcpExtSyncookiesRecv", 1)
  t:is(#server:accept():recv(), 5)
  peer:collect { during = "100s" }
end)

tap.test("exceptions of routes (CVE-2021-20322): which of them are forgotten is another set on every host", function(t)
  -- More destinations than a next hop has room for; each is told of a smaller path MTU.
  local function forgotten()
    local host, peer = station()
    host:route { dst = "198.18.0.0/15", via = peer.addr }
    local socket = host:socket "udp"
    socket:bind(7)
    local function addr(i) return ("198.18.%d.%d"):format(i // 200, 1 + i % 200) end
    for i = 0, 599 do
      peer:send(icmp { type = "dest-unreach", code = "frag-needed", mtu = 1000 } /
        ip { src = "192.0.2.1", dst = addr(i) } / udp { sport = 7, dport = 9 })
      if i % 50 == 0 then net.sleep "1ms" end
    end
    net.sleep "1ms"
    local list, probe = {}, host:socket "udp"
    for i = 0, 599 do
      probe:connect(addr(i), 9)
      if probe:option "IP_MTU" ~= 1000 then list[#list + 1] = i end
    end
    return list
  end
  local one, other = forgotten(), forgotten()
  if net.C.HOSTILE == 1 then -- all are in one bucket, of five and as many more by chance, and the new one
    for _, list in ipairs { one, other } do t:ok(#list >= 590 and #list <= 594, #list) end
    return
  end
  t:ok(#one > 50 and #one < 500, #one)
  t:ok(#other > 50 and #other < 500, #other)
  local both, set = 0, {}
  for _, i in ipairs(one) do set[i] = true end
  for _, i in ipairs(other) do both = both + (set[i] and 1 or 0) end
  t:ok(both < 0.8 * math.min(#one, #other), ("%d of %d and %d"):format(both, #one, #other))
end)
