-- SPDX-License-Identifier: MIT
-- Captures of TCP Fast Open (RFC 7413), made from its rules.
local talk = require "suite.talk"

local COOKIE = "0123456789abcdef"

-- The client asks for a cookie; with it the next SYN carries data, which is acknowledged with the SYN.
talk.make("client", function(c)
  c.host "S 0:0(0) win 64240 <mss 1460,sackOK,TS val 5000 ecr 0,nop,wscale 10,FO ,nop,nop>"
  c.at "10ms"
  c.peer("S. 0:0(0) ack 1 win 65535 <mss 1460,FO " .. COOKIE .. ",nop,nop>")
  c.host("P. 1:6(5) ack 1 win 64240", "first")
  c.at "20ms"
  c.peer "R 1:1(0) win 0"
  c.at "30ms"
  c.host("S 0:6(6) win 64240 <mss 1460,sackOK,TS val 5030 ecr 0,nop,wscale 10,FO " .. COOKIE .. ",nop,nop>", "second", { id = 0x2000 })
  c.at "40ms"
  c.peer "S. 0:0(0) ack 7 win 65535 <mss 1460>"
  c.host(". 7:7(0) ack 1 win 64240", nil, { id = 0x2001 }) -- another socket's
end)

-- Data in a SYN without a cookie is not taken; it comes again.
talk.make("no-cookie", function(c)
  c.peer("S 0:5(5) win 65535 <mss 1460>", "hello")
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
end)

-- A cookie that is not the server's: a new one comes with the SYN,ACK, the data is not taken. Which one
-- is the server's secret.
talk.make("wrong-cookie", function(c)
  c.peer("S 0:5(5) win 65535 <mss 1460,FO 0011223344556677,nop,nop>", "hello")
  c.bare("S. 0:0(0) ack 1 win 64240 <mss 1460,FO " .. COOKIE .. ",nop,nop>")
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
end)
