-- SPDX-License-Identifier: MIT
-- Captures of the retransmission timer (RFC 6298), made from its rules.
local talk = require "suite.talk"

-- RFC 6298 2.1, 5.5: a SYN that nobody answers, after 1 s and twice as long each time; then the end.
talk.make("syn", function(c)
  for _, seconds in ipairs { 0, 1, 3, 7 } do
    c.at(seconds .. "s")
    c.host "S 0:0(0) win 64240 <mss 1460>"
  end
end)

-- RFC 6298 2.3: a round trip of 800 ms after one of 400: RTTVAR 250 ms, SRTT 450 ms, RTO 1450 ms.
talk.make("second-measure", function(c)
  talk.passive_slow(c, 1460)
  c.at "1s"
  c.host("P. 1:6(5) ack 1 win 64240", "first")
  c.at "1800ms"
  c.peer ". 1:1(0) ack 6"
  c.at "2s"
  c.host("P. 6:12(6) ack 1 win 64240", "second")
  c.at "3450ms"
  c.host("P. 6:12(6) ack 1 win 64240", "second")
  c.at "6350ms"
  c.host("P. 6:12(6) ack 1 win 64240", "second")
  c.at "6750ms"
  c.peer ". 1:1(0) ack 12"
end)
