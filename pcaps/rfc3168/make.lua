-- SPDX-License-Identifier: MIT
-- Captures of explicit congestion notification in TCP (RFC 3168 6.1), made from its rules.
local talk = require "suite.talk"

-- The ECN-setup SYN and its answer; data is ECT(0), ACKs are not; CE is told until CWR comes.
talk.make("server", function(c)
  c.peer "SEW 0:0(0) win 65535 <mss 1460>"
  c.bare "SE. 0:0(0) ack 1 win 64240 <mss 1460>"
  c.peer ". 1:1(0) ack 1 win 65535"
  c.at "10ms"
  c.peer("[ect0] P. 1:6(5) ack 1", "first")
  c.host ". 1:1(0) ack 6 win 64235"
  c.at "20ms"
  c.peer("[ce] P. 6:12(6) ack 1", "second")
  c.host ".E 1:1(0) ack 12 win 64229"
  c.at "30ms"
  c.peer("[ect0] P. 12:17(5) ack 1", "third")
  c.host ".E 1:1(0) ack 17 win 64224"
  c.at "40ms"
  c.host("[ect0] P.E 1:3(2) ack 17 win 64224", "ok")
  c.at "50ms"
  c.peer("[ect0] P.W 17:23(6) ack 3", "fourth")
  c.host ". 3:3(0) ack 23 win 64218"
end)

-- The host asks; a mark on its data is answered with CWR on the next new data, and on no other.
talk.make("client", function(c)
  c.host "SEW 0:0(0) win 64240 <mss 1460,sackOK,TS val 5000 ecr 0,nop,wscale 10>"
  c.at "10ms"
  c.peer "SE. 0:0(0) ack 1 win 65535 <mss 1460>"
  c.host ". 1:1(0) ack 1 win 64240"
  c.at "20ms"
  c.host("[ect0] P. 1:6(5) ack 1 win 64240", "first")
  c.at "30ms"
  c.peer ".E 1:1(0) ack 6"
  c.at "40ms"
  c.host("[ect0] P.W 6:12(6) ack 1 win 64240", "second")
  c.at "50ms"
  c.peer ". 1:1(0) ack 12"
  c.at "60ms"
  c.host("[ect0] P. 12:17(5) ack 1 win 64240", "third")
  c.peer ". 1:1(0) ack 17"
end)

-- A SYN with one of the two flags is none that asks: no ECN.
talk.make("not-asked", function(c)
  c.peer "SE 0:0(0) win 65535 <mss 1460>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  c.peer ". 1:1(0) ack 1 win 65535"
  c.at "10ms"
  c.peer("[ce] P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
  c.host("P. 1:6(5) ack 6 win 64235", "HELLO")
  c.peer ". 6:6(0) ack 6"
end)

-- What is sent again is not ECT (6.1.5).
talk.make("again", function(c)
  c.peer "SEW 0:0(0) win 65535 <mss 1460>"
  c.bare "SE. 0:0(0) ack 1 win 64240 <mss 1460>"
  c.at "400ms"
  c.peer ". 1:1(0) ack 1 win 65535"
  c.at "1s"
  c.host("[ect0] P. 1:6(5) ack 1 win 64240", "hello")
  c.at "2200ms"
  c.host("P. 1:6(5) ack 1 win 64240", "hello")
  c.at "2600ms"
  c.peer ". 1:1(0) ack 6"
  c.at "3s"
  c.host("[ect0] P.W 6:11(5) ack 1 win 64240", "world")
  c.at "3400ms"
  c.peer ". 1:1(0) ack 11"
end)
