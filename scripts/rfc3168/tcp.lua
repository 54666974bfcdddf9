-- SPDX-License-Identifier: MIT
-- ECN in TCP (RFC 3168 6.1).
local tap = require "tap"
local net = require "net"

local function host_and_peer(mode, sysctl)
  sysctl = sysctl or {}
  sysctl["net.ipv4.tcp_ecn"] = mode
  sysctl["net.ipv4.tcp_timestamps"] = 0
  sysctl["net.ipv4.tcp_sack"] = 0
  local host = net.host { addr = "192.0.2.1/24", sysctl = sysctl }
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }
  host:neigh { addr = peer.addr, mac = peer.mac }
  return host, peer
end

local function listener(mode, sysctl)
  local host, peer = host_and_peer(mode, sysctl)
  return host, peer:to(80), host:socket "tcp":listen(80)
end

local function connecting(mode, sysctl)
  local host, peer = host_and_peer(mode, sysctl)
  local s = host:socket("tcp", { nonblock = true })
  s:try("connect", "192.0.2.9", 4000)
  return host, peer, s
end

-- A connection on which ECN was negotiated; the host has the window of cwnd segments of 1000.
local function ecn(sysctl)
  local host, peer, server = listener(1, sysctl)
  peer:send "SEW 0:0(0) win 65535 <mss 1000>"
  peer:expect "[noecn] SE. 0:0(0) ack 1 <mss 1460>"
  peer:send ". 1:1(0) ack 1 win 65535"
  return host, peer, server:accept()
end

-- Negotiation ---------------------------------------------------------------------------------------

for mode = 0, 2 do
  tap.test(("tcp_ecn %d: an ECN-setup SYN is %s"):format(mode, mode == 0 and "refused" or "accepted"),
    function(t)
      local _, peer = listener(mode)
      peer:send "SEW 0:0(0) win 65535 <mss 1000>"
      local answer = peer:expect(("[noecn] %s 0:0(0) ack 1 <mss 1460>"):format(
        mode == 0 and "S." or "SE."))
      t:shows("RFC3168-6.1.1-9", t:shows(mode == 0 and "RFC3168-6.1.1-7" or "RFC3168-6.1.1-1",
        t:ok(answer)))
    end)
  tap.test(("tcp_ecn %d: our SYN %s"):format(mode, mode == 1 and "asks" or "does not ask"),
    function(t)
      local _, peer = connecting(mode)
      t:shows("RFC3168-6.1.1-9",
        peer:expect(("[noecn] %s 0:0(0)"):format(mode == 1 and "SEW" or "S")))
    end)
end

for _, flags in ipairs { "S", "SE", "SW" } do
  tap.test(flags .. " is no ECN-setup SYN", function(t)
    local _, peer, server = listener(1)
    peer:send(flags .. " 0:0(0) win 65535 <mss 1000>")
    t:shows("RFC3168-6.1.1-2", t:shows("RFC3168-6.1.1-8", peer:expect "S. 0:0(0) ack 1 <mss 1460>"))
    peer:send ". 1:1(0) ack 1 win 65535"
    server:accept():send "hello"
    t:shows("RFC3168-6.1.1-3", peer:expect "[noecn] P. 1:6(5) ack 1")
  end)
end

for flags, ok in pairs { ["SE."] = true, ["S."] = false, ["SEW."] = false, ["SW."] = false } do
  tap.test(flags .. (ok and " sets ECN up" or " does not set ECN up"), function(t)
    local _, peer, s = connecting(1)
    peer:expect "SEW 0:0(0)"
    peer:send(flags .. " 0:0(0) ack 1 win 65535 <mss 1000>")
    peer:expect "[noecn] . 1:1(0) ack 1"
    s:send "hello"
    t:shows("RFC9293-SHLD-8", t:shows("RFC3168-6.1.1-4", t:shows("RFC3168-5-1",
      peer:expect(("[%s] P. 1:6(5) ack 1"):format(ok and "ect0" or "noecn")))))
    t:is(s:info().options & 8, ok and 8 or 0)
  end)
end

for fallback = 0, 1 do
  tap.test(("the SYN again, tcp_ecn_fallback %d"):format(fallback), function(t)
    local _, peer = connecting(1, { ["net.ipv4.tcp_ecn_fallback"] = fallback })
    peer:expect "SEW 0:0(0)"
    t:shows("RFC3168-6.1.1.1-2",
      peer:expect(fallback == 1 and "S 0:0(0)" or "SEW 0:0(0)", { at = "+1s" }))
  end)
end

tap.test("simultaneous open: the SYN,ACK has ECE", function(t)
  local _, peer = connecting(1)
  peer:expect "SEW 0:0(0)"
  peer:send "SEW 0:0(0) win 65535 <mss 1000>"
  t:ok(peer:expect "[noecn] SE. 0:0(0) ack 1")
end)

-- The sender ----------------------------------------------------------------------------------------

tap.test("new data is ECT(0), what is sent again and ACKs are not", function(t)
  local _, peer, conn = ecn()
  conn:send "hello"
  peer:expect "[ect0] P. 1:6(5) ack 1"
  t:shows("RFC3168-6.1.5-1", peer:expect("[noecn] P. 1:6(5) ack 1", { within = "3s" }))
  peer:send "P. 1:11(10) ack 6 win 65535"
  t:shows("RFC3168-5.2-2", t:shows("RFC3168-6.1.4-1",
    peer:expect("[noecn] . 6:6(0) ack 11", { within = "1s" })))
end)


tap.test("an ECE: ssthresh and cwnd are cut once a window, the next new data says CWR", function(t)
  local _, peer, conn = ecn { ["net.ipv4.tcp_congestion_control"] = "reno" }
  conn:send(("x"):rep(40000))
  peer:collect { during = "1us" }
  peer:send ".E 1:1(0) ack 1001 win 65535"
  net.sleep "10us"
  t:is(conn:info().ca_state, "CWR")
  t:shows("RFC3168-6.1.2-1", t:is(conn:info().snd_ssthresh, 5))
  peer:send ".E 1:1(0) ack 2001 win 65535"
  peer:send ".E 1:1(0) ack 4001 win 65535"
  net.sleep "10us"
  t:shows("RFC3168-6.1.2-2", t:is(conn:info().snd_ssthresh, 5))
  peer:send ". 1:1(0) ack 10001 win 65535"
  local cwr = 0
  for _, frame in ipairs(peer:collect { during = "50us" }) do
    if frame.tcp.flags:find "W" then cwr = cwr + 1 end
  end
  t:shows("RFC3168-6.1.2-4", t:is(cwr, 1))
  t:is(conn:info().delivered_ce, 4)
end)

-- The receiver --------------------------------------------------------------------------------------

tap.test("CE: ECE in every ACK until CWR comes", function(t)
  local _, peer, conn = ecn()
  peer:send "[ce] P. 1:1001(1000) ack 1 win 65535"
  peer:expect ".E 1:1(0) ack 1001"
  t:is(conn:info().options & 16, 16)
  peer:send "[ect0] P. 1001:2001(1000) ack 1 win 65535"
  t:shows("RFC3168-6.1.3-1", peer:expect(".E 1:1(0) ack 2001", { within = "1s" }))
  conn:send "hello"
  peer:expect "[ect0] P.E 1:6(5) ack 2001"
  peer:send "[ect0] P.W 2001:3001(1000) ack 6 win 65535"
  t:shows("RFC3168-6.1.3-2", peer:expect ". 6:6(0) ack 3001")
end)

tap.test("CWR on a segment that is marked itself: ECE goes on", function(t)
  local _, peer = ecn()
  peer:send "[ce] P. 1:1001(1000) ack 1 win 65535"
  peer:expect ".E 1:1(0) ack 1001"
  peer:send "[ce] P.W 1001:2001(1000) ack 1 win 65535"
  t:shows("RFC3168-6.1.3-2", peer:expect ".E 1:1(0) ack 2001")
end)

tap.test("CE on data out of the window does not count", function(t)
  local _, peer = ecn()
  peer:send "[ce] P. 200001:200101(100) ack 1 win 65535"
  t:shows("RFC3168-6.1.5-2", peer:expect ". 1:1(0) ack 1")
end)

tap.test("no ECN was negotiated: CE is not answered", function(t)
  local _, peer, server = listener(0)
  peer:send "S 0:0(0) win 65535 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 65535"
  server:accept()
  peer:send "[ce] P. 1:1001(1000) ack 1 win 65535"
  t:ok(peer:expect(". 1:1(0) ack 1001", { within = "1s" }))
end)

tap.test("a SYN cookie with time stamps remembers ECN", function(t)
  local _, peer, server = listener(2, { ["net.ipv4.tcp_syncookies"] = 2 })
  server.host:sysctl("net.ipv4.tcp_timestamps", 1)
  server.host:sysctl("net.ipv4.tcp_sack", 1)
  peer:send "SEW 0:0(0) win 65535 <mss 1000,sackOK,TS val 1 ecr 0>"
  peer:expect "SE. 0:0(0) ack 1 <mss 1460,sackOK,TS val * ecr 1>"
  peer:send ". 1:1(0) ack 1 win 65535 <nop,nop,TS val 2 ecr 0>"
  local conn = server:accept()
  t:is(conn:info().options & 8, 8)
end)
