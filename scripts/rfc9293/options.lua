-- SPDX-License-Identifier: MIT
-- TCP options that are unknown, malformed, twice there, or cut off (RFC 9293 3.2, MUST-5, MUST-6,
-- MUST-7). What Linux 6.18 does was asked of one: of a segment with a malformed option and at least 18
-- bytes left from there (where a signature of RFC 2385 would have room) nothing is left, not even a
-- reset; with fewer the walk ends there, and what stood before it counts.
local tap = require "tap"
local net = require "net"
local suite = require "suite.tcp"

local function raw(kind, body, length) return { kind, data = body, length = length } end

local function syn(peer, options)
  local packet = peer:segment "S 0:0(0) win 65535"
  packet.tcp.options = options
  peer:send(packet)
  return peer:collect { during = "10ms" }[1]
end

local MSS = { "mss", 1000 }

-- The rest of the header behind an option of two bytes.
local function rest(n) return ("\0"):rep(n) end

local dropped = {
  { "length 1 and 34 bytes behind it", { MSS, raw(253, rest(34), 1) } },
  { "length 0 at the beginning of 40 bytes", { raw(253, rest(38), 0) } },
  { "a length of 60 in 36 bytes", { MSS, raw(253, rest(34), 60) } },
  { "length 0 with 18 bytes left", { MSS, "nop", "nop", raw(253, rest(16), 0) } },
}
for _, case in ipairs(dropped) do
  tap.test("SYN dropped in silence: " .. case[1], function(t)
    local host, peer = suite.listen()
    t:shows("RFC9293-MUST-7", t:is(syn(peer, case[2]), nil))
    t:is(host:drops "TCP_AUTH_HDR", 1)
  end)
end

local taken = {
  { "length 0 with 16 bytes left", { MSS, raw(253, rest(14), 0) } },
  { "length 0 with 17 bytes left", { MSS, "nop", "nop", "nop", raw(253, rest(15), 0) } },
  { "length 1 with 4 bytes left", { MSS, raw(253, rest(2), 1) } },
  { "beyond the header with 4 bytes left", { MSS, raw(253, rest(2), 5) } },
  { "behind the end of the list nothing counts", { MSS, { 0, data = "\0\19\18" .. rest(32) } } },
  { "unknown ones of any length", { MSS, raw(253, ""), raw(99, "abc"), raw(254, rest(20)), "nop" } },
}
for _, case in ipairs(taken) do
  tap.test("SYN answered, its MSS counts: " .. case[1], function(t)
    local _, peer, server = suite.listen()
    t:is(syn(peer, case[2]).tcp.flags, "S.")
    peer.tcp.host_isn = nil
    peer:send "R 1:1(0)"
    peer:fresh { port = 4001 }
    local packet = peer:segment "S 0:0(0) win 65535"
    packet.tcp.options = case[2]
    peer:send(packet)
    peer:expect "S. 0:0(0) ack 1"
    peer:send ". 1:1(0) ack 1 win 65535"
    net.sleep "1ms"
    server:accept():send(("x"):rep(1500))
    t:shows("RFC9293-MUST-6", t:is(#peer:expect ". 1:1001(1000) ack 1".payload, 1000))
    peer:expect "P. 1001:1501(500) ack 1"
  end)
end

tap.test("the last of two MSS options counts, the last of two time stamps", function(t)
  local _, peer, server = suite.listen()
  peer:send "S 0:0(0) win 65535 <mss 1000,mss 500,TS val 1 ecr 0,TS val 9 ecr 0>"
  local frame = peer:expect "S. 0:0(0) ack 1"
  for _, o in ipairs(frame.tcp.options) do if o[1] == "ts" then t:is(o[3], 9) end end
  peer:send ". 1:1(0) ack 1 win 65535 <nop,nop,TS val 10 ecr 0>"
  net.sleep "1ms"
  server:accept():send(("x"):rep(600))
  peer:expect ". 1:489(488) ack 1"
  peer:expect "P. 489:601(112) ack 1"
  t:ok(true)
end)

tap.test("options of a SYN mean nothing in later segments", function(t)
  local _, peer, conn = suite.passive { syn = "mss 1000" }
  peer:send ". 1:1(0) ack 1 win 1000 <mss 100,nop,wscale 9,sackOK,nop,nop>"
  net.sleep "1ms"
  conn:send(("x"):rep(1500))
  t:shows("RFC9293-MUST-5", t:is(#peer:expect ". 1:1001(1000) ack 1".payload, 1000))
  peer:expect "P. 1001:1501(500) ack 1"
  t:is(conn:info().options & 6, 0) -- neither SACK nor scaling
end)

tap.test("malformed options in a connection: with room for a signature the segment is dropped, else taken", function(t)
  local host, peer, conn = suite.passive()
  local packet = peer:segment "P. 1:6(5) ack 1 win 65535"
  packet.tcp.options = { raw(253, rest(38), 0) }
  peer:send(packet)
  t:is(peer:collect { during = "100ms" }, {})
  t:is(host:drops "TCP_AUTH_HDR", 1)
  packet = peer:segment "P. 1:6(5) ack 1 win 65535"
  packet.tcp.options = { raw(253, rest(6), 0) }
  peer:send(packet)
  peer:expect ". 1:1(0) ack 6"
  t:is(#conn:recv(), 5)
end)

tap.test("a reset for nobody's segment, unless its options are malformed", function(t)
  local _, peer = suite.listen()
  peer:to(81)
  local packet = peer:segment ". 1:1(0) ack 1"
  packet.tcp.options = { raw(253, rest(38), 0) }
  peer:send(packet)
  t:is(peer:collect { during = "10ms" }, {})
  packet = peer:segment ". 1:1(0) ack 1"
  packet.tcp.options = { raw(253, rest(6), 0) }
  peer:send(packet)
  t:is(peer:collect { during = "10ms" }[1].tcp.flags, "R")
end)

tap.test("SACK blocks have the room that other options leave: four, three beside time stamps", function(t)
  for stamps, most in pairs { [""] = 4, [",TS val 1 ecr 0"] = 3 } do
    local _, peer = suite.passive { syn = "mss 1000,sackOK" .. stamps,
      third = stamps ~= "" and "nop,nop,TS val 2 ecr 0" or nil }
    local opt = stamps ~= "" and " <nop,nop,TS val 3 ecr 0>" or ""
    for i = 1, 5 do peer:send((". %d:%d(10) ack 1 win 65535%s"):format(100 * i, 100 * i + 10, opt)) end
    local frames = peer:collect { during = "10ms" }
    local blocks = 0
    for _, o in ipairs(frames[#frames].tcp.options) do
      if o[1] == "sack" then blocks = (#o - 1) // 2 end
    end
    t:is(blocks, most)
  end
end)
