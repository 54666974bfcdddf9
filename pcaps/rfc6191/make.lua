-- SPDX-License-Identifier: MIT
-- Captures of TIME-WAIT (RFC 9293 3.6.1, RFC 6191), made from their rules.
local talk = require "suite.talk"

local function closed(c)
  talk.passive(c)
  c.at "10ms"
  c.host "F. 1:1(0) ack 1 win 64240"
  c.at "20ms"
  c.peer "F. 1:1(0) ack 2"
  c.host ". 2:2(0) ack 2 win 64239"
end

-- A SYN beyond the old numbers opens again at once; the new numbers of the host are beyond its own.
talk.make("reused", function(c)
  closed(c)
  c.at "1s"
  c.peer "S 1000:1000(0) win 65535 <mss 1460>"
  c.bare "S. 65539:65539(0) ack 1001 win 64240 <mss 1460>"
  c.at "1100ms"
  c.peer "R 1001:1001(0) win 0"
end)

-- A SYN with an old number is answered with what was acknowledged last.
talk.make("old-syn", function(c)
  closed(c)
  c.at "1s"
  c.peer "S 0:0(0) win 65535 <mss 1460>"
  c.bare ". 2:2(0) ack 2 win 64239"
end)

-- Old data is acknowledged, and the FIN that comes again is too.
talk.make("old-data", function(c)
  closed(c)
  c.at "1s"
  c.peer("P. 1:2(1) ack 2", "x")
  c.bare ". 2:2(0) ack 2 win 64239"
  c.at "2s"
  c.peer "F. 1:1(0) ack 2"
  c.bare ". 2:2(0) ack 2 win 64239"
end)
