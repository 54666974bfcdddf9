-- SPDX-License-Identifier: MIT
-- Captures of SYN cookies (RFC 4987 3.6). What a cookie is of the connection is the host's secret and
-- pinned; on top of it are the minute and the index of the MSS in the host's table (0: 536).
local talk = require "suite.talk"

-- Without time stamps a cookie has no room for options: neither SACK nor window scaling.
talk.make("cookie", function(c)
  c.peer "S 0:0(0) win 65535 <mss 1000,nop,nop,sackOK,nop,wscale 7>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  c.at "5s" -- nothing is kept of a SYN, and no SYN,ACK comes again
  c.peer(". 1:1(0) ack 1 win 65535")
  c.at "5010ms"
  c.host("P. 1:537(536) ack 1 win 65392", ("x"):rep(536))
  c.at "5020ms"
  c.peer "R 1:1(0) win 0"
end)

-- The low bits of the time stamp bring them back. Here the clock has those of wscale 7 and SACK by itself.
talk.make("options", function(c)
  c.peer "S 0:0(0) win 65535 <mss 1000,sackOK,TS val 700 ecr 0,nop,wscale 7>"
  c.bare "S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,TS val 5000 ecr 700,nop,wscale 10>"
  c.at "10ms"
  c.peer ". 1:1(0) ack 1 win 512 <nop,nop,TS val 710 ecr 5000>"
  c.at "20ms"
  c.peer("P. 11:16(5) ack 1 win 512 <nop,nop,TS val 720 ecr 5000>", "world")
  c.host ". 1:1(0) ack 1 win 64 <nop,nop,TS val 5020 ecr 710,nop,nop,sack 11:16>"
  c.at "30ms"
  c.peer "R 1:1(0) win 0"
end)

-- An ACK of a number that is no cookie is answered with a reset; so is one of a cookie two minutes old.
talk.make("wrong", function(c)
  c.peer "S 0:0(0) win 65535 <mss 536>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  c.at "10ms"
  c.peer ". 1:1(0) ack 101"
  c.bare "R 101:101(0) win 0"
  c.at "120s"
  c.peer ". 1:1(0) ack 1"
  c.bare "R 1:1(0) win 0"
end)
