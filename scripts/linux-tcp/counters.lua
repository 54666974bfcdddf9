-- SPDX-License-Identifier: MIT
-- What Linux counts, and where: read off a kernel by ci/linux-differential counters.
local tap = require "tap"
local net = require "net"

tap.test("the loopback counts octets without the link header", function(t)
  local host = net.host { up = false }
  local s = host:socket "udp"
  s:bind(7)
  s:sendto("x", "127.0.0.1", 7)
  net.sleep("1ms")
  t:like(host:proc "/proc/net/dev", "lo:%s+29%s+1 .-%s29%s+1 ")
end)

tap.test("TCPHPHits: the short way is for data that fits into the rest of the last page", function(t)
  local host = net.host { up = false }
  local server = host:socket "tcp":listen(80)
  local client = host:socket "tcp"
  client:connect("127.0.0.1", 80)
  local conn = server:accept()
  local hits = 0
  -- Whether a packet takes it follows from its size and from what the last page has left.
  local function arrives(data, hit)
    local before = conn:meminfo()
    client:send(data)
    net.sleep("1ms")
    local size = conn:meminfo().rmem - before.rmem
    hits = hits + (size <= before.forward and 1 or 0)
    t:is(host:counter "TcpExtTCPHPHits", hits, data)
    -- In the hostile build a packet's head is made anew at every pull: another size.
    if net.C.HOSTILE == 0 then t:is(size <= before.forward, hit, data) end
  end
  arrives("first", false)
  arrives("second", true)
  conn:recv()
  t:is(conn:meminfo().forward, 0)
  arrives("third: the queue is empty again, and the page given back", false)
end)

tap.test("a D-SACK while nothing is outstanding: no block of it counts as discarded", function(t)
  local host = net.host { up = false }
  local s = host:socket("tcp", { nonblock = true })
  s:bind "127.0.0.1:7000"
  s:try("connect", "127.0.0.1", 7000)
  net.sleep("1ms")
  t:is(s:info().state, "ESTABLISHED")
  t:is(host:changes({}, "SACK"), { TcpExtTCPDSACKRecv = 1, TcpExtTCPDSACKOldSent = 1, TcpExtTCPDSACKIgnoredDubious = 1 })
end)

tap.test("sockstat and protocols count TCP's sockets by family, as they are in its tables", function(t)
  local host = net.host { up = false }
  host:socket "tcp" -- not bound: in no table
  host:socket "tcp":listen(80)
  host:socket "tcp6":listen(81)
  t:like(host:proc "/proc/net/sockstat", "\nTCP: inuse 1 orphan 0 tw 0 alloc 3 mem 0\n")
  t:like(host:proc "/proc/net/sockstat6", "^TCP6: inuse 1\n")
  t:like(host:proc "/proc/net/protocols", "\nTCPv6 +2432 +1 ")
  t:like(host:proc "/proc/net/protocols", "\nTCP +2304 +1 ")
end)

tap.test("netstat: the counters of TcpExt in the kernel's order", function(t)
  local names = net.host { up = false }:proc "/proc/net/netstat":match "TcpExt: ([^\n]+)"
  t:like(names, "^SyncookiesSent SyncookiesRecv SyncookiesFailed EmbryonicRsts PruneCalled RcvPruned OfoPruned ")
  t:like(names, " TCPHystartTrainDetect TCPHystartTrainCwnd TCPHystartDelayDetect TCPHystartDelayCwnd ")
end)

tap.test("snmp6: every counter of IPv6 that a kernel shows, in its order", function(t)
  local names = {}
  for name in net.host { up = false }:proc "/proc/net/snmp6":gmatch "(%w+) +\t%d+\n" do names[#names + 1] = name end
  local text = table.concat(names, " ")
  t:like(text, "^Ip6InReceives Ip6InHdrErrors Ip6InTooBigErrors Ip6InNoRoutes Ip6InAddrErrors ")
  t:like(text, " Ip6InNoECTPkts Ip6InECT1Pkts Ip6InECT0Pkts Ip6InCEPkts Ip6OutTransmits Icmp6InMsgs ")
  t:like(text, " Udp6IgnoredMulti Udp6MemErrors$")
end)

tap.test("snmp6: packets are counted by their ECN field", function(t)
  local host = net.host { up = false }
  local s = host:socket("tcp6", { nonblock = true })
  s:try("connect", "::1", 1)
  net.sleep "1ms"
  t:is(host:changes({}, "^Ip6In"), { Ip6InReceives = 2, Ip6InDelivers = 2, Ip6InOctets = 140, Ip6InNoECTPkts = 2 })
  t:like(host:nstat "-s Ip6InNo*", "Ip6InNoECTPkts +2 ")
end)

-- A SYN to a station that does not answer, and what TCP_INFO tells when it has gone twice.
local function after_timeout(prepare)
  local host = net.host { model = "tun", dev = "tun0", addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local s = host:socket("tcp", { nonblock = true })
  prepare(host, s)
  s:try("connect", "192.0.2.9", 80)
  net.sleep "1.5s"
  peer:collect { during = "1us" }
  return host, s
end

tap.test("a time-out counts as one that gave the flow another hash", function(t)
  local host, s = after_timeout(function() end)
  t:is(host:counter "TcpExtTcpTimeoutRehash", 1)
  t:is(s:info().rehash, 1)
  t:is(s:info().retransmits, 1)
  s:connect(nil)
  t:is(s:info().rehash, 1, "counted on")
  t:is(s:info().retransmits, 1, "forgotten until the next connect()")
  t:is(s:info().total_retrans, 0)
end)

tap.test("SO_TXREHASH 0 and net.core.txrehash 0: the flow stays where it is", function(t)
  local host, s = after_timeout(function(_, s) s:setsockopt(net.C.SOL_SOCKET, net.C.SO_TXREHASH, 0) end)
  t:is({ host:counter "TcpExtTcpTimeoutRehash", s:info().rehash }, { 0, 0 })
  s:close()
  host, s = after_timeout(function(h, old)
    h:sysctl("net.core.txrehash", 0)
    t:is(old:getsockopt(net.C.SOL_SOCKET, net.C.SO_TXREHASH), 1, "what was when it was made")
    old:setsockopt(net.C.SOL_SOCKET, net.C.SO_TXREHASH, -1)
  end)
  t:is({ host:counter "TcpExtTcpTimeoutRehash", s:info().rehash }, { 0, 0 })
  t:is(select(2, s:try("setsockopt", net.C.SOL_SOCKET, net.C.SO_TXREHASH, 2)), "EINVAL")
  s:close()
end)

tap.test("TCPWqueueTooBig: SACKs do not cut a queue into pieces that is larger than the user wants", function(t)
  local host = net.host { model = "tun", dev = "tun0", addr = "192.0.2.1/24" }
  host:ethtool { tso = true }
  host:route { verb = "replace", dst = "192.0.2.0/24", dev = "tun0", initcwnd = 60 }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  local server = host:socket "tcp":listen(80)
  peer:send "S 0:0(0) win 65535 <mss 1000,sackOK,nop,wscale 7>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  local conn = server:accept()
  conn:setsockopt(net.C.SOL_SOCKET, net.C.SO_SNDBUF, 2000000)
  conn:send(("x"):rep(1000000))
  local function is_sacked(from, to, sacked, refused)
    peer:send((". 1:1(0) ack 1 win 65535 <nop,nop,sack %d:%d>"):format(from, to))
    peer:collect { during = "1us" }
    t:is({ conn:info().sacked, host:counter "TcpExtTCPWqueueTooBig" }, { sacked, refused })
  end
  is_sacked(30001, 31001, 1, 0) -- a packet of a super-packet: it is cut
  conn:setsockopt(net.C.SOL_SOCKET, net.C.SO_SNDBUF, 1)
  is_sacked(20001, 21001, 1, 1)
  is_sacked(40001, 41001, 2, 2) -- the last one is always; the next that is lost is not sent again, as it would be cut
  peer:collect { during = "1us" }
end)

tap.test("IcmpOutErrors: an answer that there was no memory for", function(t)
  local host = net.host { model = "tun", dev = "tun0", addr = "192.0.2.1/24" }
  local peer = host.wire:peer { addr = "192.0.2.9" }
  local function ping()
    peer:send(net.icmp { type = "echo", id = 1, seq = 1 } / "ping")
    local answers = #peer:collect { during = "3us" }
    return host:counter "IcmpOutErrors", answers
  end
  t:is({ ping() }, { 0, 1 })
  local seen = 0
  for skip = 1, 12 do -- the first is the frame's own; in the hostile build some more are
    host:fault("alloc", { skip = skip, count = 1 })
    local errors, answers = ping()
    if errors > seen then t:is(answers, 0) end
    seen = errors
  end
  t:is(seen, 3, "for each block that the answer's packet takes, and for no other")
end)
