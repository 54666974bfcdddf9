-- SPDX-License-Identifier: MIT
-- Captures of TCP MD5 signatures (RFC 2385), made from its rules; the digests are nettle's.
local net = require "net"
local talk = require "suite.talk"

local KEY, OTHER = net.tcp_md5 "secret", net.tcp_md5 "other"

-- Every segment both ways is signed. One with a digest of another key, and one without, is not there: no
-- answer, no octet taken, no reset believed (2.0, 4.1).
talk.make("server", function(c)
  c.auth(OTHER, KEY)
  c.peer "S 0:0(0) win 65535 <mss 1000>"
  c.auth(nil, KEY)
  c.peer "S 0:0(0) win 65535 <mss 1000>"
  c.at "10ms"
  c.auth(KEY, KEY)
  c.peer "S 0:0(0) win 65535 <mss 1000>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  c.peer ". 1:1(0) ack 1 win 65535"
  c.at "20ms"
  c.auth(OTHER, KEY)
  c.peer("P. 1:6(5) ack 1", "wrong")
  c.peer "R 1:1(0) win 0"
  c.auth(nil, KEY)
  c.peer("P. 1:6(5) ack 1", "plain")
  c.peer "R 1:1(0) win 0"
  c.at "30ms"
  c.auth(KEY, KEY)
  c.peer("P. 1:6(5) ack 1", "right")
  c.host ". 1:1(0) ack 6 win 64235"
  c.at "40ms"
  c.host("P. 1:6(5) ack 6 win 64235", "hello")
  c.at "50ms"
  c.peer "R 6:6(0) win 0"
end)

-- The host opens: the option is the first of 40 octets. A SYN,ACK that is not
-- signed with the key is not there.
talk.make("client", function(c)
  c.auth(nil, KEY)
  c.host "S 0:0(0) win 64240 <mss 1460,sackOK,TS val 5000 ecr 0,nop,wscale 10>"
  c.at "10ms"
  c.peer "S. 0:0(0) ack 1 win 65535 <mss 1000>"
  c.auth(OTHER, KEY)
  c.peer "S. 0:0(0) ack 1 win 65535 <mss 1000>"
  c.at "20ms"
  c.auth(KEY, KEY)
  c.peer "S. 0:0(0) ack 1 win 65535 <mss 1000>"
  c.host ". 1:1(0) ack 1 win 64240"
  c.host("P. 1:6(5) ack 1 win 64240", "hello")
  c.at "30ms"
  c.peer "R 1:1(0) win 0"
end)

-- A segment of a connection that is gone: signed with the listener's key, the reset is signed too; signed
-- with another one, there is none.
talk.make("reset", function(c)
  c.auth(OTHER, KEY)
  c.peer ". 1:1(0) ack 1"
  c.at "10ms"
  c.auth(KEY, KEY)
  c.peer ". 1:1(0) ack 77"
  c.bare "R 77:77(0) win 0"
end)
