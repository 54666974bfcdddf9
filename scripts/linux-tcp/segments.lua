-- SPDX-License-Identifier: MIT
-- What single segments do to TCP_INFO and the counters: what tests/linux/segments.lua found to be the
-- kernel's way and not the RFCs'.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- A host with a connection over a tun device, whose packets take what they take on a kernel's.
local function over_tun()
  local host = tcp.constants(net.host { model = "tun", dev = "tun0", addr = "192.0.2.1/24" })
  local peer = host.wire:peer { addr = "192.0.2.9", port = 4000 }:to(80)
  local server = host:socket "tcp":listen(80)
  peer:send "S 0:0(0) win 1000 <mss 1000>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send ". 1:1(0) ack 1 win 1000"
  return host, peer, server:accept(), server
end

tap.test("a reset in the window of a request is challenged, and that is counted", function(t)
  local host, peer = tcp.listen()
  peer:send "S 0:0(0) win 65535 <mss 1460>"
  peer:expect "S. 0:0(0) ack 1"
  peer:send "R 2:2(0)"
  peer:expect ". 1:1(0) ack 1"
  t:is(host:counter "TcpExtTCPChallengeACK", 1)
  peer:send "R 1:1(0)"
  peer:expect_nothing { during = "1s" }
  t:is(host:counter "TcpExtTCPChallengeACK", 1)
  t:is(host:counter "TcpAttemptFails", 1)
end)

tap.test("marks on a connection without ECN are seen and counted, while it is established", function(t)
  local _, peer, conn = tcp.passive()
  peer:send "[ce] P. 1:6(5) ack 1"
  peer:expect ". 1:1(0) ack 6"
  peer:send "[ect0] P. 6:9(3) ack 1"
  peer:expect ". 1:1(0) ack 9"
  peer:send "[ce] . 9:9(0) ack 1"
  net.sleep "1ms"
  local info = conn:info()
  t:is({ info.received_ce, info.received_ce_bytes, info.received_e0_bytes, info.received_e1_bytes }, { 2, 5, 3, 0 })
  t:is(info.options & 16, 16, "TCPI_OPT_ECN_SEEN")
end)

tap.test("marks in FIN-WAIT are neither seen nor counted", function(t)
  local _, peer, conn = tcp.passive()
  conn:shutdown "wr"
  peer:expect "F. 1:1(0) ack 1"
  peer:send "[ce] P. 1:6(5) ack 1"
  peer:expect ". 2:2(0) ack 6"
  local info = conn:info()
  t:is({ info.received_ce, info.received_ce_bytes, info.options & 16 }, { 0, 0, 0 })
end)

tap.test("a larger share of payload opens the window's clamp, and what was offered is taken as the limit", function(t)
  local _, peer, conn = over_tun()
  -- One segment of reserve was held back when the connection began.
  local before = conn:info()
  t:is({ before.rcv_ssthresh, before.rcv_wnd }, { 64076, 64240 })
  peer:send "P. 1:1461(1460) ack 1 win 1000"
  peer:expect ". 1:1(0) ack 1461"
  t:is(conn:info().rcv_ssthresh, 64240 + 2 * 1460)
end)

-- What TIME-WAIT answers with, after the window has grown beyond what the field can say.
local function timewait_window(t)
  local _, peer, conn = over_tun()
  for i = 0, 2 do
    peer:send(("P. %d:%d(1460) ack 1 win 1000"):format(1 + i * 1460, 1461 + i * 1460))
    peer:expect(". 1:1(0) ack " .. 1461 + i * 1460)
  end
  t:is(#conn:recv(8000), 4380)
  conn:shutdown "wr"
  peer:expect("F. 1:1(0) ack 4381")
  peer:send "F. 4381:4381(0) ack 2 win 1000"
  peer:expect(". 2:2(0) ack 4382 win 65535")
  t:is(conn:info().rcv_wnd, 73000)
  net.sleep "600ms"
  peer:send "P. 4381:4391(10) ack 2 win 1000"
  return peer:expect(". 2:2(0) ack 4382").tcp.window
end

tap.test("profile linux: TIME-WAIT tells what 16 bits leave of a larger window", { profile = "linux" }, function(t)
  t:is(timewait_window(t), 73000 - 65536)
end)

tap.test("profile rfc: TIME-WAIT tells the largest window that there is", { profile = "rfc" }, function(t)
  t:is(timewait_window(t), 65535)
end)
