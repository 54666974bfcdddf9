-- SPDX-License-Identifier: MIT
-- Captures of TCP (RFC 9293, 6298, 2018, 2883, 7323, 8985), made from the RFCs' rules. What a host
-- chooses (window, options, delays below the limits) is what tapline's documentation says.
local make = require "make"
local net = require "net"
local ip, tcp = net.ip, net.tcp

local host = { mac = "02:00:00:00:00:01", ip = "192.0.2.1", port = 80, isn = 0x11223344 }
local peer = { mac = "02:00:00:00:00:09", ip = "192.0.2.9", port = 4000, isn = 0xfffffff0 }
local ID = 0x2000

-- What is sent before there is a full socket, and resets: never fragmented, no identification.
local BARE = { ttl = 64, df = true, id = 0 }

-- A conversation. c.n counts the segments of the host's socket: each has the next identification.
local function talk(name, o, f)
  if f == nil then o, f = {}, o end
  make.capture(name, o, function(c)
    local n = -1
    local talker = { at = function(time) c:at(time) end }
    function talker.peer(text, data) c:segment(peer, host, text, { data = data }) end
    function talker.bare(text) c:segment(host, peer, text, { ip = BARE }) end
    function talker.host(text, data, ip)
      n = n + 1
      local fields = { ttl = 64, df = true, id = ID + n }
      for key, value in pairs(ip or {}) do fields[key] = value end
      c:segment(host, peer, text, { ip = fields, data = data })
    end
    f(talker)
  end)
end

-- The peer opens; with no option but the MSS, an empty round trip.
local function passive(c)
  c.peer "S 0:0(0) win 65535 <mss 1460>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  c.peer ". 1:1(0) ack 1 win 65535"
end

-- With selective acknowledgements, and a round trip of 400 ms: SRTT 400 ms, RTTVAR 200 ms, and so
-- RTO = SRTT + 4 * RTTVAR = 1200 ms (RFC 6298 2.2).
local function passive_slow(c, mss, others)
  c.peer(("S 0:0(0) win 65535 <mss %d%s>"):format(mss, others or ""))
  c.bare(("S. 0:0(0) ack 1 win 64240 <mss 1460%s>"):format(others or ""))
  c.at "400ms"
  c.peer ". 1:1(0) ack 1 win 65535"
end

talk("passive", function(c)
  passive(c)
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
  c.host("P. 1:6(5) ack 6 win 64235", "HELLO")
  c.at "20ms"
  c.peer ". 6:6(0) ack 6"
  c.at "30ms"
  c.peer "F. 6:6(0) ack 6"
  c.host "F. 6:6(0) ack 7 win 64234"
  c.peer ". 7:7(0) ack 7"
end)

-- The same without a link layer (a tun device).
talk("passive-raw", { link = "raw" }, function(c)
  passive(c)
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
  c.host("P. 1:6(5) ack 6 win 64235", "HELLO")
  c.at "20ms"
  c.peer ". 6:6(0) ack 6"
  c.at "30ms"
  c.peer "F. 6:6(0) ack 6"
  c.host "F. 6:6(0) ack 7 win 64234"
  c.peer ". 7:7(0) ack 7"
end)

-- The host opens: all options that it knows; it closes first, and answers the FIN that comes again
-- while it is in TIME-WAIT (RFC 9293 3.10.7.4).
talk("active", function(c)
  c.host "S 0:0(0) win 64240 <mss 1460,sackOK,TS val 5000 ecr 0,nop,wscale 10>"
  c.at "10ms"
  c.peer "S. 0:0(0) ack 1 win 65535 <mss 1000,sackOK,TS val 700 ecr 5000,nop,wscale 7>"
  c.host ". 1:1(0) ack 1 win 63 <nop,nop,TS val 5010 ecr 700>"
  c.host("P. 1:6(5) ack 1 win 63 <nop,nop,TS val 5010 ecr 700>", "hello")
  c.at "20ms"
  c.peer ". 1:1(0) ack 6 win 512 <nop,nop,TS val 710 ecr 5010>"
  c.at "30ms"
  c.host "F. 6:6(0) ack 1 win 63 <nop,nop,TS val 5030 ecr 710>"
  c.at "40ms"
  c.peer "F. 1:1(0) ack 7 win 512 <nop,nop,TS val 730 ecr 5030>"
  c.host ". 7:7(0) ack 2 win 63 <nop,nop,TS val 5040 ecr 730>"
  c.at "2s" -- our ACK was lost
  c.peer "F. 1:1(0) ack 7 win 512 <nop,nop,TS val 2690 ecr 5030>"
  c.bare ". 7:7(0) ack 2 win 63 <nop,nop,TS val 7000 ecr 730>"
end)

-- RFC 9293 3.10.7.1: a reset that the sender believes, numbered by what it acknowledged, or by
-- nothing; no reset for a reset.
make.capture("closed", function(c)
  local function reset(fields)
    fields.window = 0
    c:send(host, peer, ip(BARE) / tcp(fields))
  end
  local first = peer.isn + 1 & 0xffffffff
  c:segment(peer, host, "S 0:0(0) win 65535 <mss 1460>")
  reset{ flags = "R.", seq = 0, ack = first }
  c:at "1ms"
  c:segment(peer, host, ". 1:1(0) ack 1")
  reset{ flags = "R", seq = host.isn + 1 }
  c:segment(peer, host, "P. 1:101(100) ack 77")
  reset{ flags = "R", seq = host.isn + 77 }
  c:segment(peer, host, "FP 1:101(100)")
  reset{ flags = "R.", seq = 0, ack = first + 101 & 0xffffffff }
  c:segment(peer, host, "SF. 0:0(0) ack 5")
  reset{ flags = "R", seq = host.isn + 5 }
  c:segment(peer, host, "R 1:1(0) win 0")
  c:segment(peer, host, "R. 1:1(0) ack 1 win 0")
end)

talk("synack-again", function(c)
  c.peer "S 0:0(0) win 65535 <mss 1460>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  for _, seconds in ipairs { 1, 3, 7 } do -- RFC 6298 2.1, 5.5: 1 s, and twice as long each time
    c.at(seconds .. "s")
    c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  end
  c.at "7010ms"
  c.peer "R 1:1(0) win 0"
end)

talk("retransmit", function(c)
  passive_slow(c, 1460)
  c.at "1s"
  c.host("P. 1:6(5) ack 1 win 64240", "hello")
  for _, ms in ipairs { 1200, 3600, 8400 } do
    c.at(1000 + ms .. "ms")
    c.host("P. 1:6(5) ack 1 win 64240", "hello")
  end
  c.at "9500ms"
  c.peer ". 1:1(0) ack 6"
end)

-- RFC 8985 7.2: the probe of a single segment after 2 * SRTT and 200 ms for a delayed ACK.
talk("tail-loss", function(c)
  passive_slow(c, 1460, ",nop,nop,sackOK")
  c.at "1s"
  c.host("P. 1:6(5) ack 1 win 64240", "hello")
  c.at "2s"
  c.host("P. 1:6(5) ack 1 win 64240", "hello")
  c.at "2400ms"
  c.peer ". 1:1(0) ack 6 <nop,nop,sack 1:6>" -- both came (RFC 2883)
end)

-- The first of five segments is lost: three that came after it are enough (RFC 5681 3.2).
talk("fast-retransmit", function(c)
  passive_slow(c, 1000, ",nop,nop,sackOK")
  c.at "1s"
  -- Slow as the path is, they leave in pairs (super-segments), each of which ends with PSH: the
  -- sender may set it where it likes (RFC 9293 3.9.1.2).
  for i, flags in ipairs { ".", "P.", ".", "P.", "P." } do
    c.host(("%s %d:%d(1000) ack 1 win 64240"):format(flags, i * 1000 - 999, i * 1000 + 1))
  end
  c.at "1400ms"
  c.peer ". 1:1(0) ack 1 <nop,nop,sack 1001:2001>"
  c.peer ". 1:1(0) ack 1 <nop,nop,sack 1001:3001>"
  c.peer ". 1:1(0) ack 1 <nop,nop,sack 1001:4001>"
  c.host ". 1:1001(1000) ack 1 win 64240"
  c.at "1410ms"
  c.peer ". 1:1(0) ack 1 <nop,nop,sack 1001:5001>"
  c.at "1800ms"
  c.peer ". 1:1(0) ack 5001"
end)

-- RFC 2018 4: the block of the segment that came last is first; RFC 2883: what came twice.
talk("sack", function(c)
  c.peer "S 0:0(0) win 65535 <mss 1460,nop,nop,sackOK>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460,nop,nop,sackOK>"
  c.peer ". 1:1(0) ack 1 win 65535"
  c.at "10ms"
  c.peer ". 1001:2001(1000) ack 1"
  c.host ". 1:1(0) ack 1 win 64240 <nop,nop,sack 1001:2001>"
  c.peer ". 3001:4001(1000) ack 1"
  c.host ". 1:1(0) ack 1 win 64240 <nop,nop,sack 3001:4001 1001:2001>"
  c.peer ". 2001:3001(1000) ack 1"
  c.host ". 1:1(0) ack 1 win 64240 <nop,nop,sack 1001:4001>"
  c.peer ". 5001:6001(1000) ack 1"
  c.host ". 1:1(0) ack 1 win 64240 <nop,nop,sack 5001:6001 1001:4001>"
  c.peer ". 1001:2001(1000) ack 1"
  -- The duplicate, then the block that it is part of (RFC 2883 4).
  c.host ". 1:1(0) ack 1 win 64240 <nop,nop,sack 1001:2001 1001:4001 5001:6001>"
  c.peer ". 1:1001(1000) ack 1"
  c.host ". 1:1(0) ack 4001 win 60240 <nop,nop,sack 5001:6001>"
  c.peer ". 4001:5001(1000) ack 1"
  c.host ". 1:1(0) ack 6001 win 58240"
end)

talk("simultaneous", function(c)
  c.host "S 0:0(0) win 64240 <mss 1460,sackOK,TS val 5000 ecr 0,nop,wscale 10>"
  c.at "10ms"
  c.peer "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 700 ecr 0,nop,wscale 7>"
  c.host "S. 0:0(0) ack 1 win 64240 <mss 1460,sackOK,TS val 5010 ecr 700,nop,wscale 10>"
  c.at "20ms"
  c.peer "S. 0:0(0) ack 1 win 65535 <mss 1460,sackOK,TS val 710 ecr 5000,nop,wscale 7>"
  -- The SYN has come a second time: RFC 2883 4.
  c.host ". 1:1(0) ack 1 win 63 <nop,nop,TS val 5020 ecr 710,nop,nop,sack 0:1>"
  c.at "30ms"
  c.host("P. 1:6(5) ack 1 win 63 <nop,nop,TS val 5030 ecr 710>", "hello")
  c.peer ". 1:1(0) ack 6 <nop,nop,TS val 720 ecr 5030>"
end)

-- RFC 9293 3.8.6.1: the window is closed; the first probe after an RTO, then twice as long.
talk("zero-window", function(c)
  passive_slow(c, 1460)
  c.at "500ms"
  c.peer ". 1:1(0) ack 1 win 0"
  c.at "1s"
  for _, ms in ipairs { 1200, 3600, 8400 } do
    c.at(1000 + ms .. "ms")
    c.host ". 0:0(0) ack 1 win 64240"
    c.peer ". 1:1(0) ack 1 win 0"
  end
  c.at "10s"
  c.peer ". 1:1(0) ack 1 win 100"
  c.host("P. 1:6(5) ack 1 win 64240", "hello")
  c.peer ". 1:1(0) ack 6"
end)

-- The host closes its half; what the peer still has to say is heard.
talk("half-close", function(c)
  passive(c)
  c.at "10ms"
  c.host "F. 1:1(0) ack 1 win 64240"
  c.peer ". 1:1(0) ack 2"
  c.at "20ms"
  c.peer("P. 1:6(5) ack 2", "hello")
  c.host ". 2:2(0) ack 6 win 64235"
  c.at "30ms"
  c.peer "F. 6:6(0) ack 2"
  c.host ". 2:2(0) ack 7 win 64234"
end)

-- Closed with data that nobody read, or by SO_LINGER of 0: a reset (RFC 9293 3.6.1).
talk("abort", function(c)
  passive(c)
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
  c.at "20ms"
  c.host "R. 1:1(0) ack 6 win 64235"
end)

-- The urgent pointer points behind the urgent octet (RFC 9293 3.8.5; Linux: tcp_stdurg = 0).
talk("urgent", function(c)
  passive(c)
  c.at "10ms"
  c.host("PU. 1:4(3) ack 1 win 64240 urg 3", "abc")
  c.at "20ms"
  c.peer ". 1:1(0) ack 4"
end)

-- Wrong checksums and ACKs of nothing that was ever sent do no harm (RFC 9293 3.1, 3.10.7.4).
talk("nonsense", function(c)
  passive(c)
  c.at "1s"
  c.peer ". 1:1(0) ack 1000"
  c.host ". 1:1(0) ack 1 win 64240"
  c.at "2s"
  c.peer("P. 70001:70006(5) ack 1", "hello")
  c.host ". 1:1(0) ack 1 win 64240"
  c.at "3s"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
end)

-- RFC 9293 3.8.4: no data, one below the next number; each interval, and then the end.
talk("keepalive", function(c)
  passive(c)
  for i = 1, 2 do
    c.at(i * 10 .. "s")
    c.host ". 0:0(0) ack 1 win 64240"
    c.peer ". 1:1(0) ack 1"
  end
  for i = 0, 2 do
    c.at(30 + 5 * i .. "s")
    c.host ". 0:0(0) ack 1 win 64240"
  end
  c.at "45s"
  c.host "R. 1:1(0) ack 1 win 64240"
end)

-- RFC 7323 5: a segment older than the last one gets an ACK and is dropped. The time stamp that is
-- echoed is that of the segment that the ACK is about (4.3).
talk("paws", function(c)
  c.peer "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 10000 ecr 0>"
  c.bare "S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,TS val 900 ecr 10000>"
  c.peer ". 1:1(0) ack 1 win 65535 <nop,nop,TS val 10000 ecr 900>"
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1 <nop,nop,TS val 10010 ecr 900>", "hello")
  c.host ". 1:1(0) ack 6 win 65155 <nop,nop,TS val 910 ecr 10010>"
  c.at "20ms"
  c.peer("P. 6:9(3) ack 1 <nop,nop,TS val 9000 ecr 900>", "old")
  c.host ". 1:1(0) ack 6 win 65155 <nop,nop,TS val 920 ecr 10010>"
  c.at "30ms"
  c.peer("P. 6:9(3) ack 1 <nop,nop,TS val 10030 ecr 900>", "new")
  c.host ". 1:1(0) ack 9 win 65152 <nop,nop,TS val 930 ecr 10030>"
end)
