-- SPDX-License-Identifier: MIT
-- Captures of time stamps and window scaling (RFC 7323), made from its rules.
local talk = require "suite.talk"

-- Options in another order than anybody sends them, with fillers between and behind them: the answer
-- has those that both know, in the host's order.
talk.make("options-order", function(c)
  c.peer "S 0:0(0) win 65535 <nop,wscale 7,TS val 700 ecr 0,nop,sackOK,nop,mss 1000,kind 254 beef,eol>"
  c.bare "S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,TS val 900 ecr 700,nop,wscale 10>"
  c.peer ". 1:1(0) ack 1 win 512 <TS val 700 ecr 900,nop,nop>"
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1 win 512 <nop,TS val 710 ecr 900,nop>", "hello")
  c.host ". 1:1(0) ack 6 win 64 <nop,nop,TS val 910 ecr 710>"
end)

-- 2.3: a shift of more than 14 is one of 14. The window of 1 is 16384 octets: eleven segments and
-- what is left of a twelfth.
talk.make("scale-15", function(c)
  c.peer "S 0:0(0) win 65535 <mss 1460,nop,wscale 15>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460,nop,wscale 10>"
  c.peer ". 1:1(0) ack 1 win 1"
  c.at "10ms"
  for i = 1, 11 do
    c.host(("%s %d:%d(1460) ack 1 win 63"):format(i % 5 == 0 and "P." or ".", i * 1460 - 1459, i * 1460 + 1))
  end
  c.host "P. 16061:16385(324) ack 1 win 63"
  c.at "20ms"
  c.peer ". 1:1(0) ack 16385 win 1"
  c.host ". 16385:17845(1460) ack 1 win 63"
  c.host ". 17845:19305(1460) ack 1 win 63"
  c.host "P. 19305:20001(696) ack 1 win 63"
  c.peer ". 1:1(0) ack 20001 win 1"
end)

-- 2.2: the window of SYN and SYN,ACK is never scaled; the peer's shift of 3 makes 125 a window of 1000.
talk.make("scale-3", function(c)
  c.peer "S 0:0(0) win 125 <mss 500,nop,wscale 3>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460,nop,wscale 10>"
  c.peer ". 1:1(0) ack 1 win 125"
  c.at "10ms"
  c.host ". 1:501(500) ack 1 win 63"
  c.host "P. 501:1001(500) ack 1 win 63"
  c.at "20ms"
  c.peer ". 1:1(0) ack 1001 win 63"
  c.host "P. 1001:1501(500) ack 1 win 63"
  c.peer ". 1:1(0) ack 1501 win 63"
end)

-- 5.2: a time stamp behind 2^32 is newer than one in front of it.
talk.make("stamps-wrap", function(c)
  c.peer "S 0:0(0) win 65535 <mss 1460,sackOK,TS val 4294967290 ecr 0>"
  c.bare "S. 0:0(0) ack 1 win 65160 <mss 1460,sackOK,TS val 900 ecr 4294967290>"
  c.peer ". 1:1(0) ack 1 win 65535 <nop,nop,TS val 4294967290 ecr 900>"
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1 <nop,nop,TS val 4 ecr 900>", "hello")
  c.host ". 1:1(0) ack 6 win 65155 <nop,nop,TS val 910 ecr 4>"
  c.at "20ms"
  c.peer("P. 6:9(3) ack 1 <nop,nop,TS val 4294967295 ecr 900>", "old")
  c.host ". 1:1(0) ack 6 win 65155 <nop,nop,TS val 920 ecr 4>"
end)

-- 3.2: no time stamp in the SYN, none in the answer, and none that comes later is looked at.
talk.make("stamps-refused", function(c)
  talk.passive(c)
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1 <nop,nop,TS val 700 ecr 0>", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
  c.at "20ms"
  c.peer("P. 6:9(3) ack 1 <nop,nop,TS val 1 ecr 0>", "old")
  c.host ". 1:1(0) ack 9 win 64232"
end)

-- 4.3: a delayed ACK for two segments echoes the time stamp of the first of them. Here the second is
-- small, so that the delay goes on.
talk.make("earliest-echo", function(c)
  talk.passive(c, "mss 1000,sackOK,TS val 700 ecr 0", "mss 1460,sackOK,TS val 900 ecr 700",
    "nop,nop,TS val 700 ecr 900")
  c.at "10ms"
  c.peer("P. 1:6(5) ack 1 <nop,nop,TS val 710 ecr 900>", "hello")
  c.host("P. 1:4(3) ack 6 win 65155 <nop,nop,TS val 910 ecr 710>", "one")
  c.at "20ms"
  c.peer("P. 6:11(5) ack 4 <nop,nop,TS val 720 ecr 910>", "again")
  c.at "30ms"
  c.peer("P. 11:16(5) ack 4 <nop,nop,TS val 730 ecr 910>", "more!")
  c.at "60ms"
  c.host ". 4:4(0) ack 16 win 65145 <nop,nop,TS val 960 ecr 720>"
end)
