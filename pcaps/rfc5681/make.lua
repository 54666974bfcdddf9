-- SPDX-License-Identifier: MIT
-- Captures of congestion control without SACK (RFC 5681, 3042, 6582), made from their rules. The round
-- trip is 400 ms; segments have 1000 octets.
local talk = require "suite.talk"

-- Super-segments of two each end with PSH, which the sender may set where it likes (RFC 9293 3.9.1.2).
local function flight(c, first, last, final)
  for i = first, last do
    local flags = ((i - first) % 2 == 1 or i == final) and "P." or "."
    c.host(("%s %d:%d(1000) ack 1 win 64240"):format(flags, i * 1000 - 999, i * 1000 + 1))
  end
end

-- 3.2: the third duplicate ACK; then a partial ACK brings the next one that is missing (RFC 6582 3.2).
talk.make("partial", function(c)
  talk.passive_slow(c, 1000)
  c.at "1s"
  flight(c, 1, 8, 8)
  c.at "1400ms" -- the first and the fourth were lost
  for _ = 1, 3 do c.peer ". 1:1(0) ack 1" end
  c.host ". 1:1001(1000) ack 1 win 64240"
  for _ = 1, 3 do c.peer ". 1:1(0) ack 1" end
  c.at "1800ms"
  c.peer ". 1:1(0) ack 3001"
  c.host ". 3001:4001(1000) ack 1 win 64240"
  c.at "2200ms"
  c.peer ". 1:1(0) ack 8001"
end)

-- RFC 3042: the first two duplicate ACKs let a new segment out each.
talk.make("limited-transmit", function(c)
  talk.passive_slow(c, 1000)
  c.at "1s"
  flight(c, 1, 10)
  c.at "1400ms"
  c.peer ". 1:1(0) ack 1"
  c.host ". 10001:11001(1000) ack 1 win 64240"
  c.at "1410ms"
  c.peer ". 1:1(0) ack 1"
  c.host "P. 11001:12001(1000) ack 1 win 64240"
  c.at "1420ms" -- it was only late
  c.peer ". 1:1(0) ack 12001"
end)

-- 3.1: slow start: each ACK of a segment makes room for two.
talk.make("slow-start", function(c)
  talk.passive_slow(c, 1000)
  c.at "1s"
  flight(c, 1, 10)
  c.at "1400ms"
  c.peer ". 1:1(0) ack 1001"
  flight(c, 11, 12)
  c.at "1410ms"
  c.peer ". 1:1(0) ack 3001"
  flight(c, 13, 16)
  c.at "1800ms"
  c.peer ". 1:1(0) ack 16001"
end)

-- 3.1: a time-out: one segment, and from there slow start.
talk.make("time-out", function(c)
  talk.passive_slow(c, 1000)
  c.at "1s"
  flight(c, 1, 4)
  c.at "2200ms"
  c.host ". 1:1001(1000) ack 1 win 64240"
  c.at "2600ms"
  c.peer ". 1:1(0) ack 1001"
  c.host ". 1001:2001(1000) ack 1 win 64240"
  c.host ". 2001:3001(1000) ack 1 win 64240"
  c.at "3s"
  c.peer ". 1:1(0) ack 3001"
  c.host "P. 3001:4001(1000) ack 1 win 64240"
  c.at "3400ms"
  c.peer ". 1:1(0) ack 4001"
end)
