-- SPDX-License-Identifier: MIT
-- Was the time-out spurious? F-RTO (RFC 5682) without and with SACK, and what follows from the answer
-- (RFC 4015, as Linux does it: the windows are restored). Segments carry 1000 octets, counted from 0.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local segments, sent, ack = tcp.segments, tcp.sent, tcp.ack
local RENO = { ["net.ipv4.tcp_congestion_control"] = "reno" }

-- A connection of a round trip of 400 ms, so much written, the first flight of ten gone.
local function flying(t, count, o)
  o = o or {}
  o.syn, o.rtt = o.syn or "mss 1000", 400
  local sysctl = { ["net.ipv4.tcp_early_retrans"] = 0 }
  for key, value in pairs(RENO) do sysctl[key] = value end
  for key, value in pairs(o.sysctl or {}) do sysctl[key] = value end
  o.sysctl = sysctl
  local host, peer, conn = tcp.passive(o)
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 500000)
  conn:send(net.pattern(1, count * 1000))
  t:is(sent(peer), segments(0, math.min(count, 10)))
  return host, peer, conn
end

local SACK = "mss 1000,nop,nop,sackOK"

-- The RTO of 1200 ms is over: segment 0 went again, and nothing else.
local function timed_out(t, peer)
  t:is(sent(peer, "1198ms"), "")
  return t:is(sent(peer, "5ms"), segments(0, 1))
end

for _, syn in ipairs { "mss 1000", SACK } do
  local with = syn == SACK and "SACK" or "no SACK"

  tap.test(with .. ": the ACKs of what was late come in: new data first, then it was spurious", function(t)
    local host, peer, conn = flying(t, 40, { syn = syn })
    t:shows("RFC5682-2.1-1", timed_out(t, peer))
    t:is({ conn:info().ca_state, conn:info().snd_cwnd, conn:info().snd_ssthresh }, { "Loss", 1, 5 })
    ack(peer, 1)
    t:shows("RFC5682-2.1-2", t:is(sent(peer), segments(10, 2)))
    ack(peer, 2)
    net.sleep "1ms"
    t:shows(syn == SACK and "RFC5682-3.1-2" or "RFC5682-2.1-4",
      t:is({ conn:info().ca_state, host:counter "TcpExtTCPSpuriousRTOs" }, { "Open", 1 }))
    t:ok(conn:info().snd_cwnd >= 10, "the window is what it was")
    t:ok(conn:info().snd_ssthresh > 1000)
    peer:collect { during = "1ms" }
  end)

  tap.test(with .. ": spurious: sending goes on with new data, nothing goes twice", function(t)
    local _, peer, conn = flying(t, 60, { syn = syn })
    timed_out(t, peer)
    ack(peer, 1)
    t:is(sent(peer), segments(10, 2))
    local next = 12
    for n = 2, 10 do
      ack(peer, n)
      local new = sent(peer)
      for first in new:gmatch "(%d+):" do
        t:shows("RFC4015-3.1-3", t:is(tonumber(first), next * 1000 + 1))
        next = next + 1
      end
    end
    t:ok(next >= 20)
    t:is(conn:info().ca_state, "Open")
  end)

  local function duplicate_first(t)
    local host, peer, conn = flying(t, 40, { syn = syn })
    timed_out(t, peer)
    if syn == SACK then ack(peer, 0, { 10, 11 }) else ack(peer, 0) end -- block: of what was not sent
    t:is(sent(peer), "")
    t:is({ conn:info().ca_state, host:counter "TcpExtTCPSpuriousRTOs" }, { "Loss", 0 })
    ack(peer, 1)
    return peer
  end

  tap.test("profile rfc: " .. with .. ": the first ACK after the time-out is a duplicate: conventional recovery",
    { profile = "rfc" }, function(t)
      local peer = duplicate_first(t)
      t:shows("RFC5682-2.1-1", t:is(sent(peer), segments(1, 2)))
    end)

  tap.test("profile linux: " .. with .. ": a duplicate ACK after the time-out does not end F-RTO",
    { profile = "linux" }, function(t)
      local peer = duplicate_first(t)
      t:is(sent(peer), segments(10, 2))
    end)

  tap.test(with .. ": the second ACK is a duplicate: the loss was real, slow start from one segment", function(t)
    local host, peer, conn = flying(t, 40, { syn = syn })
    timed_out(t, peer)
    ack(peer, 1)
    t:is(sent(peer), segments(10, 2))
    if syn == SACK then ack(peer, 1, { 10, 11 }) else ack(peer, 1) end
    local again = sent(peer)
    t:shows("RFC5682-2.1-3", t:like(again, "^1001:2001"))
    t:is(host:counter "TcpExtTCPSpuriousRTOs", 0)
    t:ok(conn:info().snd_cwnd <= 3)
    t:is(conn:info().snd_ssthresh, 5)
  end)
end

tap.test("nothing new to send: conventional recovery, without waiting", function(t)
  local host, peer, conn = flying(t, 10)
  timed_out(t, peer)
  ack(peer, 1)
  t:shows("RFC5682-2.1-2", t:is(sent(peer), segments(1, 2)))
  t:is({ conn:info().ca_state, host:counter "TcpExtTCPSpuriousRTOs" }, { "Loss", 0 })
end)

tap.test("the peer's window has no room for new data: conventional recovery", function(t)
  local _, peer, conn = tcp.passive { syn = "mss 1000", rtt = 400, win = 10000, sysctl = RENO }
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 100000)
  conn:send(net.pattern(1, 20000))
  t:is(sent(peer), segments(0, 10))
  timed_out(t, peer)
  peer:send ". 1:1(0) ack 1001 win 9000"
  t:shows("RFC5682-2.1-2", t:is(sent(peer), segments(1, 2)))
end)

tap.test("the timer expires again: the algorithm begins again with the first segment", function(t)
  local host, peer, conn = flying(t, 40)
  timed_out(t, peer)
  t:shows("RFC5682-2.1-5", t:is(sent(peer, "2410ms"), segments(0, 1)))
  ack(peer, 1)
  t:is(sent(peer), segments(10, 2))
  ack(peer, 2)
  net.sleep "1ms"
  t:shows("RFC5682-2.1-4", t:is(host:counter "TcpExtTCPSpuriousRTOs", 1))
  t:is(conn:info().ca_state, "Open")
end)

tap.test("an ACK that neither is new nor tells of a loss does not decide", function(t)
  local host, peer, conn = flying(t, 40)
  timed_out(t, peer)
  ack(peer, 1)
  t:is(sent(peer), segments(10, 2))
  peer:send ". 1:1(0) ack 1 win 65535" -- old
  peer:send "P. 1:11(10) ack 1001 win 65535" -- with data: no duplicate
  peer:collect { during = "60ms" }
  t:shows("RFC5682-2.1-7", t:is(conn:info().ca_state, "Loss"))
  peer:send ". 11:11(0) ack 2001 win 65535"
  net.sleep "1ms"
  t:is(host:counter "TcpExtTCPSpuriousRTOs", 1)
  peer:collect { during = "1ms" }
end)

tap.test("SACK: what was never sent again is selectively acknowledged: spurious", function(t)
  local host, peer, conn = flying(t, 40, { syn = SACK })
  timed_out(t, peer)
  ack(peer, 0, { 4, 5 })
  net.sleep "1ms"
  t:shows("RFC5682-3.1-1", t:shows("RFC5682-3.1-2", t:is(host:counter "TcpExtTCPSpuriousRTOs", 1)))
  t:isnt(conn:info().ca_state, "Loss")
  peer:collect { during = "10ms" }
end)

tap.test("net.ipv4.tcp_frto = 0: after the time-out the rest goes again as it is acknowledged", function(t)
  local host, peer, conn = flying(t, 40, { sysctl = { ["net.ipv4.tcp_frto"] = 0 } })
  timed_out(t, peer)
  ack(peer, 1)
  t:shows("RFC2525-2.2-1", t:is(sent(peer), segments(1, 2)))
  t:is({ conn:info().ca_state, host:counter "TcpExtTCPSpuriousRTOs" }, { "Loss", 0 })
end)

-- Eifel, with time stamps -------------------------------------------------------------------------

local TS = "mss 1012,sackOK,TS val 1 ecr 0"

local function stamped(t, count)
  local host, peer, conn = tcp.passive { syn = TS, third = "nop,nop,TS val 2 ecr 0", rtt = 400,
    sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno", ["net.ipv4.tcp_early_retrans"] = 0,
      ["net.ipv4.tcp_frto"] = 0 } }
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 500000)
  conn:send(net.pattern(1, count * 1000))
  local frames = peer:collect { during = "1ms" }
  t:is(#frames, math.min(10, count))
  return host, peer, conn, frames[1].tcp.options[3][2] - peer.tcp.host_ts
end

local function stamp(peer, n, ecr)
  peer:send((". 1:1(0) ack %d win 65535 <nop,nop,TS val 3 ecr %d>"):format(n * 1000 + 1, ecr))
end

tap.test("Eifel: the ACK after the time-out echoes the first one: spurious, all is as it was", function(t)
  local host, peer, conn, first = stamped(t, 40)
  t:is(sent(peer, "1203ms"), segments(0, 1))
  t:is({ conn:info().ca_state, conn:info().snd_cwnd }, { "Loss", 1 })
  stamp(peer, 1, first)
  net.sleep "1ms"
  t:shows("RFC4015-3.1-1", t:is({ conn:info().ca_state, host:counter "TcpExtTCPLossUndo" }, { "Open", 1 }))
  t:shows("RFC4015-3.1-3", t:ok(conn:info().snd_cwnd >= 10 and conn:info().snd_ssthresh > 1000))
  for first_octet in sent(peer):gmatch "(%d+):" do t:ok(tonumber(first_octet) > 10000) end
end)

tap.test("Eifel: the echo is that of the second one: the loss was real", function(t)
  local host, peer, conn, first = stamped(t, 40)
  t:is(sent(peer, "1203ms"), segments(0, 1))
  stamp(peer, 1, first + 1200)
  net.sleep "1ms"
  t:is({ conn:info().ca_state, host:counter "TcpExtTCPLossUndo" }, { "Loss", 0 })
  t:ok(conn:info().snd_ssthresh == 5)
  peer:collect { during = "1ms" }
end)

tap.test("Eifel: a second time-out of the segment does not begin it anew: the window is that before the first", function(t)
  local host, peer, conn, first = stamped(t, 40)
  t:is(sent(peer, "1203ms"), segments(0, 1))
  t:is(sent(peer, "2402ms"), segments(0, 1))
  t:is({ conn:info().snd_cwnd, conn:info().snd_ssthresh }, { 1, 5 })
  stamp(peer, 1, first)
  net.sleep "1ms"
  t:is(host:counter "TcpExtTCPLossUndo", 1)
  t:shows("RFC4015-3.1-2", t:ok(conn:info().snd_cwnd >= 10 and conn:info().snd_ssthresh > 1000))
  peer:collect { during = "1ms" }
end)

tap.test("Eifel: a fast retransmission that was not needed is undone", function(t)
  local host, peer, conn, first = stamped(t, 10)
  net.sleep "390ms"
  for n = 2, 4 do
    peer:send((". 1:1(0) ack 1 win 65535 <nop,nop,TS val 3 ecr %d,nop,nop,sack %d:%d>"):format(first,
      1001, n * 1000 + 1))
  end
  t:is(sent(peer), segments(0, 1))
  t:is(conn:info().ca_state, "Recovery")
  stamp(peer, 5, first)
  net.sleep "1ms"
  t:ok(t:is({ conn:info().ca_state, host:counter "TcpExtTCPFullUndo" + host:counter "TcpExtTCPPartialUndo" },
    { "Open", 1 }))
  t:ok(conn:info().snd_cwnd >= 10)
end)

tap.test("ECN says congestion in between: nothing is undone", function(t)
  local host = net.host { addr = "192.0.2.1/24", sysctl = { ["net.ipv4.tcp_ecn"] = 1,
    ["net.ipv4.tcp_congestion_control"] = "reno", ["net.ipv4.tcp_early_retrans"] = 0,
    ["net.ipv4.tcp_frto"] = 0 } }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  host:neigh { addr = peer.addr, mac = peer.mac }
  local server = host:socket "tcp":listen(80)
  peer:send "SEW 0:0(0) win 65535 <mss 1012,sackOK,TS val 1 ecr 0>"
  peer:expect "SE. 0:0(0) ack 1"
  tcp.rest(400)
  peer:send ". 1:1(0) ack 1 win 65535 <nop,nop,TS val 2 ecr 0>"
  local conn = server:accept()
  conn:option("TCP_NODELAY", 1)
  conn:option("SO_SNDBUF", 500000)
  conn:send(net.pattern(1, 40000))
  local first = peer:collect { during = "1ms" }[1].tcp.options[3][2] - peer.tcp.host_ts
  t:is(sent(peer, "1203ms"), segments(0, 1))
  peer:send((". 1:1(0) ack 1001 win 65535 <nop,nop,TS val 3 ecr %d>"):format(first + 1200))
  peer:collect { during = "1ms" }
  peer:send((".E 1:1(0) ack 2001 win 65535 <nop,nop,TS val 3 ecr %d>"):format(first + 1200))
  net.sleep "1ms"
  t:shows("RFC4015-3.4-1", t:is({ conn:info().snd_ssthresh, host:counter "TcpExtTCPLossUndo" }, { 5, 0 }))
  peer:collect { during = "1ms" }
end)

tap.test("a time-out in the midst of SACK recovery: no F-RTO, but conventional recovery", function(t)
  local host, peer, conn = flying(t, 40, { syn = SACK })
  net.sleep "398ms"
  ack(peer, 0, { 1, 5 })
  t:like(sent(peer), "^1:1001")
  t:is(conn:info().ca_state, "Recovery")
  t:is(sent(peer, "1300ms"), segments(0, 1)) -- that was lost too
  t:is(conn:info().ca_state, "Loss")
  ack(peer, 5)
  local after = sent(peer)
  t:shows("RFC5682-2.1-6", t:shows("RFC5682-3.1-3", t:like(after, "^5001:6001", "what is missing, no new data")))
  t:is(host:counter "TcpExtTCPSpuriousRTOs", 0)
end)
