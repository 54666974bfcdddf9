-- SPDX-License-Identifier: MIT
-- The receiver's side of selective acknowledgements (RFC 2018), and of duplicates (RFC 2883).
local tap = require "tap"
local tcp = require "suite.tcp"

local function receiving(o)
  o = o or {}
  o.syn = o.syn or "mss 1460,nop,nop,sackOK"
  o.sysctl = o.sysctl or {}
  o.sysctl["net.ipv4.tcp_comp_sack_nr"] = 0 -- an ACK for each: scripts/linux-tcp/comp_sack.lua
  return tcp.passive(o)
end

-- Octets first .. behind - 1; and the ACK that must come at once.
local function gets(peer, first, behind, ack, blocks)
  peer:send((". %d:%d(%d) ack 1"):format(first, behind, behind - first))
  return peer:expect((". 1:1(0) ack %d <%s>"):format(ack, blocks and "nop,nop,sack " .. blocks or ""))
end

tap.test("SACK-permitted is in the SYN,ACK only", function(t)
  local _, peer, conn = receiving()
  conn:send "x"
  t:shows("RFC2018-2-1", peer:expect "P. 1:2(1) ack 1 <>")
end)

tap.test("every segment out of order is answered with what is there", function(t)
  local _, peer = receiving()
  gets(peer, 101, 201, 1, "101:201")
  t:shows("RFC2018-4-4", gets(peer, 201, 301, 1, "101:301"))
  t:shows("RFC2018-4-2", gets(peer, 401, 501, 1, "401:501 101:301"))
end)

tap.test("at most four blocks, the latest first, then those reported before", function(t)
  local _, peer = receiving()
  gets(peer, 101, 201, 1, "101:201")
  gets(peer, 301, 401, 1, "301:401 101:201")
  gets(peer, 501, 601, 1, "501:601 301:401 101:201")
  t:shows("RFC2018-4-6", gets(peer, 701, 801, 1, "701:801 501:601 301:401 101:201"))
  t:shows("RFC2018-3-1", t:shows("RFC2018-4-7",
    gets(peer, 901, 1001, 1, "901:1001 701:801 501:601 301:401")))
end)

tap.test("with time stamps three blocks fit", function(t)
  local _, peer = receiving { syn = "mss 1460,sackOK,TS val 1 ecr 0", third = "nop,nop,TS val 1 ecr 0" }
  for i = 1, 4 do
    peer:send((". %d:%d(100) ack 1 <nop,nop,TS val 1 ecr 0>"):format(i * 200 + 1, i * 200 + 101))
    if i < 4 then peer:expect ". 1:1(0) ack 1" end
  end
  t:shows("RFC2018-3-1", peer:expect(
    ". 1:1(0) ack 1 <nop,nop,TS val * ecr *,nop,nop,sack 801:901 601:701 401:501>"))
end)

tap.test("blocks vanish as the holes are filled", function(t)
  local _, peer, conn = receiving()
  gets(peer, 101, 201, 1, "101:201")
  gets(peer, 301, 401, 1, "301:401 101:201")
  gets(peer, 1, 101, 201, "301:401")
  t:ok(gets(peer, 201, 301, 401))
  t:is(#tcp.got(conn), 400)
end)

tap.test("D-SACK: a segment that was acknowledged comes again: told once, below the ACK", function(t)
  local host, peer = receiving()
  gets(peer, 1, 101, 101)
  t:shows("RFC2883-4-3", gets(peer, 1, 101, 101, "1:101"))
  t:is(host:counter "TcpExtTCPDSACKOldSent", 1)
  peer:send ". 101:201(100) ack 1"
  t:shows("RFC2883-4-2", peer:expect(". 1:1(0) ack 201 <>", { within = "50ms" }))
end)

tap.test("D-SACK: a segment that waits comes again: its block is first, the whole one second", function(t)
  local host, peer = receiving()
  gets(peer, 101, 201, 1, "101:201")
  gets(peer, 201, 301, 1, "101:301")
  t:shows("RFC2883-4-4", gets(peer, 101, 201, 1, "101:201 101:301"))
  t:is(host:counter "TcpExtTCPDSACKOfoSent", 1)
  gets(peer, 401, 501, 1, "401:501 101:301")
end)

tap.test("D-SACK of what is old in part: the old part", function(t)
  local _, peer = receiving()
  gets(peer, 1, 101, 101)
  gets(peer, 201, 301, 101, "201:301")
  peer:send ". 51:151(100) ack 1"
  t:ok(peer:expect ". 1:1(0) ack 151 <nop,nop,sack 51:101 201:301>")
end)

tap.test("net.ipv4.tcp_dsack = 0: a duplicate is acknowledged, and not told", function(t)
  local _, peer = receiving { sysctl = { ["net.ipv4.tcp_dsack"] = 0 } }
  gets(peer, 1, 101, 101)
  t:ok(gets(peer, 1, 101, 101))
end)

tap.test("what was selectively acknowledged is not thrown away", function(t)
  local _, peer, conn = receiving()
  for i = 1, 40 do
    peer:send((". %d:%d(1000) ack 1"):format(i * 1000 + 1, i * 1000 + 1001))
    peer:expect ". 1:1(0) ack 1"
  end
  peer:send ". 1:1001(1000) ack 1"
  t:shows("RFC2018-8-4", peer:expect ". 1:1(0) ack 41001")
  t:is(#tcp.got(conn), 41000)
  peer:expect ". 1:1(0) ack 41001" -- the window is open again
end)

tap.test("a duplicate of what waits moves its block to the front", function(t)
  local _, peer = receiving()
  gets(peer, 101, 201, 1, "101:201")
  gets(peer, 301, 401, 1, "301:401 101:201")
  t:shows("RFC2018-4-2", gets(peer, 101, 201, 1, "101:201 101:201 301:401"))
  t:ok(gets(peer, 501, 601, 1, "501:601 101:201 301:401"))
end)

tap.test("D-SACK of a segment that covers what waited: only what came twice", function(t)
  local _, peer = receiving()
  gets(peer, 101, 201, 1, "101:201")
  gets(peer, 301, 401, 1, "301:401 101:201")
  t:shows("RFC2883-4-2", gets(peer, 1, 251, 251, "101:201 301:401"))
end)
