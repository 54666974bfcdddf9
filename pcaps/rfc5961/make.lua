-- SPDX-License-Identifier: MIT
-- Captures of blind attacks (RFC 5961), made from its rules: what is not exactly right gets a challenge
-- ACK and changes nothing.
local talk = require "suite.talk"

talk.make("reset-in-window", function(c)
  talk.passive(c)
  c.at "10ms"
  c.peer "R 100:100(0) win 0"
  c.host ". 1:1(0) ack 1 win 64240"
  c.at "600ms" -- one a connection in half a second
  c.peer "R 64300:64300(0) win 0" -- beyond the window: nothing
  c.peer "R 0:0(0) win 0"         -- before it: nothing
  c.at "2s"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
  c.at "3s"
  c.peer "R 6:6(0) win 0" -- exact: the end
end)

talk.make("syn-in-connection", function(c)
  talk.passive(c)
  c.at "10ms"
  c.peer "S 500:500(0) win 65535 <mss 1460>"
  c.host ". 1:1(0) ack 1 win 64240"
  c.at "1s"
  c.peer "S 90000:90000(0) win 65535 <mss 1460>"
  c.host ". 1:1(0) ack 1 win 64240"
  c.at "2s"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
end)

-- 5.2: the acknowledgement is older than any window was, or newer than what was sent.
talk.make("ack-out-of-range", function(c)
  talk.passive(c)
  c.at "10ms"
  c.peer(". 100:105(5) ack 4294901760", "spoof")
  c.host ". 1:1(0) ack 1 win 64240"
  c.at "1s"
  c.peer("P. 1:6(5) ack 1", "hello")
  c.host ". 1:1(0) ack 6 win 64235"
  c.at "2s"
  c.peer("P. 6:11(5) ack 2", "spoof")
  c.host ". 1:1(0) ack 6 win 64235"
end)
