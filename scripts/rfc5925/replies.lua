-- SPDX-License-Identifier: MIT
-- TCP-AO: segments that no connection's socket sends: resets, ACKs of requests and of TIME-WAIT.
local tap = require "tap"
local net = require "net"
local auth = require "suite.auth"

tap.test("the reset of a connection with unread data is signed", function(t)
  local _, peer, conn = auth.passive()
  peer:send "P. 1:11(10) ack 1 win 65535"
  peer:expect ". 1:1(0) ack 11"
  conn:close()
  t:ok((peer:verify(peer:expect "R. 1:1(0) ack 11")))
end)

tap.test("data for a connection whose user is gone: the reset is signed", function(t)
  local _, peer, conn = auth.passive()
  conn:option("TCP_LINGER2", 30)
  conn:close()
  t:ok((peer:verify(peer:expect "F. 1:1(0) ack 1")))
  peer:send ". 1:1(0) ack 2 win 65535"
  peer:send "P. 1:11(10) ack 2 win 65535"
  local frame = peer:expect "R 2:2(0)"
  t:ok((peer:verify(frame)))
end)

for _, ipv6 in ipairs { false, true } do
  local family = ipv6 and "IPv6" or "IPv4"

  tap.test("a signed ACK for a listener is answered by a signed reset, " .. family, function(t)
    local _, peer = auth.listen { ipv6 = ipv6 }
    -- Numbers of a connection that the host has forgotten; the MAC is good for those before them.
    peer.tcp.host_isn = 5000
    peer:send ". 1:1(0) ack 1 win 65535"
    local frame = peer:collect { during = "1ms" }[1]
    t:is({ frame.tcp.flags, frame.tcp.seq }, { "R", 5001 })
    t:ok((peer:verify(frame)))
  end)

  tap.test("a request answers a segment out of its window by a signed ACK, " .. family, function(t)
    local _, peer = auth.listen { ipv6 = ipv6 }
    peer:send "S 0:0(0) win 65535 <mss 1000,TS val 1 ecr 0>"
    peer:expect "S. 0:0(0) ack 1"
    peer:send ". 900000:900000(0) ack 1 win 65535 <nop,nop,TS val 2 ecr 0>"
    local frame = peer:expect ". 1:1(0) ack 1"
    t:is({ peer:verify(frame) }, { true, 5, 7 })
  end)

  tap.test("TIME-WAIT answers signed segments by signed ones, and no other, " .. family, function(t)
    local host, peer, conn = auth.passive { ipv6 = ipv6, syn = "mss 1000,TS val 1 ecr 0" }
    conn:close()
    peer:expect "F. 1:1(0) ack 1"
    peer:send "F. 1:1(0) ack 2 win 65535 <nop,nop,TS val 3 ecr 0>"
    t:ok((peer:verify(peer:expect ". 2:2(0) ack 2")))
    net.sleep "1s"
    peer:send "F. 1:1(0) ack 2 win 65535 <nop,nop,TS val 4 ecr 0>"
    local frame = peer:expect ". 2:2(0) ack 2"
    t:is({ peer:verify(frame) }, { true, 5, 7 })
    -- Behind the time stamp.
    t:is({ frame.tcp.options[3][1], frame.tcp.options[4][1] }, { "ts", "ao" })
    net.sleep "1s"
    peer:send("F. 1:1(0) ack 2 win 65535", { auth = false })
    peer:send("R. 2:2(0) ack 2", { auth = false })
    peer:send(peer:signed("R. 2:2(0) ack 2", { sne = 9 }), { auth = false })
    t:shows("RFC5925-7.3-1", t:is(peer:collect { during = "10ms" }, {}))
    t:is({ host:drops "TCP_AONOTFOUND", host:drops "TCP_AOFAILURE" }, { 2, 1 })
    peer:send "F. 1:1(0) ack 2 win 65535 <nop,nop,TS val 6 ecr 0>"
    t:ok((peer:verify(peer:expect ". 2:2(0) ack 2"))) -- it is still there
  end)
end

tap.test("FIN-WAIT-2 waited out without a socket: the peer's FIN is answered by a signed ACK", function(t)
  local _, peer, conn = auth.passive()
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send ". 1:1(0) ack 2 win 65535"
  net.sleep "1ms"
  peer:send "F. 1:1(0) ack 2 win 65535"
  t:ok((peer:verify(peer:expect ". 2:2(0) ack 2")))
end)

tap.test("a new connection out of TIME-WAIT begins with its own keys", function(t)
  local _, peer, conn, server = auth.passive()
  conn:close()
  peer:expect "F. 1:1(0) ack 1"
  peer:send "F. 1:1(0) ack 2 win 65535"
  peer:expect ". 2:2(0) ack 2"
  peer:fresh { isn = 3000000 }
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  t:ok((peer:verify(peer:expect "S. 0:0(0) ack 1")))
  peer:send ". 1:1(0) ack 1 win 65535"
  net.sleep "1ms"
  server:accept():send "x"
  t:ok((peer:verify(peer:expect "P. 1:2(1) ack 1")))
end)

tap.test("a signed segment of nobody's gets no reset: its traffic key is not known", function(t)
  local host, peer = auth.listen()
  peer:to(81):send ". 1:1(0) ack 1 win 65535"
  t:is(peer:collect { during = "10ms" }, {})
  t:is(host:drops "NO_SOCKET", 1)
  -- An unsigned one does.
  peer:send(". 1:1(0) ack 1 win 65535", { auth = false })
  t:is(peer:collect { during = "10ms" }[1].tcp.flags, "R")
end)

local function time_waits(host)
  local n = 0
  for _, s in ipairs(host:sockets()) do if s.state == "TIME-WAIT" then n = n + 1 end end
  return n
end

tap.test("two hosts: what the other sends in closing is good, whoever begins", function(t)
  for _, first in ipairs { "client", "server" } do
    local a, b, server, client = auth.pair { sysctl = { ["net.ipv4.tcp_timestamps"] = 0 } }
    local conn = server:accept()
    client:send "question"
    net.sleep "10ms"
    t:is((conn:recv()), "question")
    local one, two = client, conn
    if first == "server" then one, two = conn, client end
    one:close()
    net.sleep "10ms"
    two:close()
    net.sleep "5s"
    t:is(a:counter "TcpExtTCPAOBad" + b:counter "TcpExtTCPAOBad", 0)
    t:is(time_waits(a) + time_waits(b), 1)
  end
end)
