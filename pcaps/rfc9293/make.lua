-- SPDX-License-Identifier: MIT
-- Captures of TCP (RFC 9293, 6298, 2018, 2883, 7323, 8985), made from the RFCs' rules. What a host
-- chooses (window, options, delays below the limits) is what tapline's documentation says.
local make = require "make"
local net = require "net"
local segment = require "net.segment"
local talk = require "suite.talk"
local ip, tcp = net.ip, net.tcp

local host, peer, BARE = talk.host, talk.peer, talk.BARE
local passive, passive_slow = talk.passive, talk.passive_slow

talk.make("passive", function(c)
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
talk.make("passive-raw", { link = "raw" }, function(c)
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
talk.make("active", function(c)
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

talk.make("synack-again", function(c)
  c.peer "S 0:0(0) win 65535 <mss 1460>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  for _, seconds in ipairs { 1, 3, 7 } do -- RFC 6298 2.1, 5.5: 1 s, and twice as long each time
    c.at(seconds .. "s")
    c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  end
  c.at "7010ms"
  c.peer "R 1:1(0) win 0"
end)

talk.make("retransmit", function(c)
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
talk.make("tail-loss", function(c)
  passive_slow(c, 1460, ",nop,nop,sackOK")
  c.at "1s"
  c.host("P. 1:6(5) ack 1 win 64240", "hello")
  c.at "2s"
  c.host("P. 1:6(5) ack 1 win 64240", "hello")
  c.at "2400ms"
  c.peer ". 1:1(0) ack 6 <nop,nop,sack 1:6>" -- both came (RFC 2883)
end)

-- The first of five segments is lost: three that came after it are enough (RFC 5681 3.2).
talk.make("fast-retransmit", function(c)
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
talk.make("sack", function(c)
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

talk.make("simultaneous", function(c)
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
talk.make("zero-window", function(c)
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
talk.make("half-close", function(c)
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
talk.make("abort", function(c)
  passive(c)
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
  c.at "20ms"
  c.host "R. 1:1(0) ack 6 win 64235"
end)

-- The urgent pointer points behind the urgent octet (RFC 9293 3.8.5; Linux: tcp_stdurg = 0).
talk.make("urgent", function(c)
  passive(c)
  c.at "10ms"
  c.host("PU. 1:4(3) ack 1 win 64240 urg 3", "abc")
  c.at "20ms"
  c.peer ". 1:1(0) ack 4"
end)

-- Wrong checksums and ACKs of nothing that was ever sent do no harm (RFC 9293 3.1, 3.10.7.4).
talk.make("nonsense", function(c)
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
talk.make("keepalive", function(c)
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
talk.make("paws", function(c)
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

-- Both close at the same time: CLOSING, and no more than an ACK each (3.6, figure 13).
talk.make("simultaneous-close", function(c)
  passive(c)
  c.at "10ms"
  c.host "F. 1:1(0) ack 1 win 64240"
  c.peer "F. 1:1(0) ack 1"
  c.host ". 2:2(0) ack 2 win 64239"
  c.at "20ms"
  c.peer ". 2:2(0) ack 2"
end)

-- The FIN comes before the data that it is behind: it counts when that has come.
talk.make("fin-first", function(c)
  passive(c)
  c.at "10ms"
  c.peer "F. 6:6(0) ack 1"
  c.host ". 1:1(0) ack 1 win 64240"
  c.at "20ms"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 7 win 64234"
end)

-- Sent again with other boundaries: what is new of each segment is taken, once.
talk.make("other-boundaries", function(c)
  passive(c)
  c.at "10ms"
  c.peer("P. 1:4(3) ack 1", "abc")
  c.host ". 1:1(0) ack 4 win 64237"
  c.at "20ms"
  c.peer("P. 1:7(6) ack 1", "abcdef")
  c.host ". 1:1(0) ack 7 win 64234"
  c.at "30ms"
  c.peer("P. 2:3(1) ack 1", "b")
  c.host ". 1:1(0) ack 7 win 64234"
  c.at "40ms"
  c.peer("P. 5:10(5) ack 1", "efghi")
  c.host ". 1:1(0) ack 10 win 64231"
end)

-- A segment in two fragments, the last one first (RFC 791 3.2).
talk.make("fragments", function(c)
  passive(c)
  c.at "10ms"
  local whole = segment.outgoing({ isn = peer.isn, host_isn = host.isn }, "P. 1:41(40) ack 1", ("0123456789"):rep(4))
  whole.ip.src, whole.ip.dst, whole.ip.id, whole.ip.df = peer.ip, host.ip, 77, false
  whole.tcp.sport, whole.tcp.dport = peer.port, host.port
  local pieces = net.fragments(whole, { 24 })
  c.send(pieces[2])
  c.send(pieces[1])
  c.host ". 1:1(0) ack 41 win 64200"
end)

-- A Record Route in the SYN: the host enters itself, and sends the route with every segment back
-- (RFC 1122 4.2.3.8).
talk.make("record-route", function(c)
  c.peer("S 0:0(0) win 65535 <mss 1460>", nil, { options = "\7\11\4\0\0\0\0\0\0\0\0\0" })
  c.bare("S. 0:0(0) ack 1 win 64240 <mss 1460>", nil, { options = "\7\11\12\192\0\2\1\192\0\2\1\0" })
  c.peer ". 1:1(0) ack 1 win 65535"
end)

-- Nagle (3.7.4): a small segment is out, so what is written waits for its acknowledgement.
talk.make("nagle", function(c)
  passive(c)
  c.at "10ms"
  c.host("P. 1:2(1) ack 1 win 64240", "a")
  c.at "50ms"
  c.peer ". 1:1(0) ack 2"
  c.host("P. 2:5(3) ack 1 win 64240", "bcd")
  c.at "60ms"
  c.peer ". 1:1(0) ack 5"
end)

talk.make("refused", function(c)
  c.host "S 0:0(0) win 64240 <mss 1460,sackOK,TS val 5000 ecr 0,nop,wscale 10>"
  c.at "10ms"
  c.peer "R. 0:0(0) ack 2 win 0" -- of something that was not sent: no
  c.peer "R 0:0(0) win 0"        -- without an ACK: no
  c.peer "R. 0:0(0) ack 1 win 0"
end)

-- Octets behind the datagram, as Ethernet pads, are none of the segment's; nor are the reserved bits.
talk.make("padding", function(c)
  passive(c)
  c.at "10ms"
  local bytes = (net.eth { src = peer.mac, dst = host.mac } / net.ip { src = peer.ip, dst = host.ip } /
    net.tcp { sport = peer.port, dport = host.port, flags = "PA", seq = peer.isn + 1 & 0xffffffff,
      ack = host.isn + 1, window = 65535, reserved = 7 } / "hello"):bytes()
  c.capture:frame(bytes .. ("\xa5"):rep(20))
  c.host ". 1:1(0) ack 6 win 64235"
end)

-- No MSS option: 536 octets (3.7.1).
talk.make("no-mss", function(c)
  passive(c, "")
  c.at "10ms"
  c.host ". 1:537(536) ack 1 win 64240"
  c.host ". 537:1073(536) ack 1 win 64240"
  c.host "P. 1073:1201(128) ack 1 win 64240"
  c.at "20ms"
  c.peer ". 1:1(0) ack 1201"
end)

-- Urgent data comes in: the octet before the pointer is told apart (3.8.5; Linux: tcp_stdurg = 0).
talk.make("urgent-in", function(c)
  passive(c)
  c.at "10ms"
  c.peer("PU. 1:6(5) ack 1 urg 3", "ab!cd")
  c.host ". 1:1(0) ack 6 win 64235"
end)

-- On a VLAN: the same with a tag (IEEE 802.1Q).
make.capture("vlan", function(c)
  local function tagged(from, to, text, fields)
    local p = segment.outgoing({ isn = from.isn, host_isn = to.isn }, text)
    for key, value in pairs(fields or {}) do p.ip[key] = value end
    p.ip.src, p.ip.dst, p.tcp.sport, p.tcp.dport = from.ip, to.ip, from.port, to.port
    c:frame(net.eth { src = from.mac, dst = to.mac } / net.vlan { id = 5 } / net.parse(p:bytes(), "ip"))
  end
  tagged(peer, host, "S 0:0(0) win 65535 <mss 1460>")
  tagged(host, peer, "S. 0:0(0) ack 1 win 64240 <mss 1460>", BARE)
  tagged(peer, host, ". 1:1(0) ack 1 win 65535")
  c:at "10ms"
  tagged(peer, host, "P. 1:11(10) ack 1 win 65535")
  tagged(host, peer, ". 1:1(0) ack 11 win 64230", { ttl = 64, df = true, id = 0x2000 })
end)
