-- SPDX-License-Identifier: MIT
-- Captures of more accurate ECN feedback (RFC 9768), made from its rules. N is the flag AE. The option is
-- AccECN1, kind 174: counters of 24 bits of the octets that came as ECT(1), CE and ECT(0); the first and
-- the last count from 1 on (3.2.3).
local talk = require "suite.talk"

local function option(ect1, ce, ect0)
  return ("<kind 174 %06x%06x%06x,nop>"):format(ect1 + 1, ce, ect0 + 1)
end

-- The SYN's three flags ask; those of the SYN,ACK say how it came (table 2: Not-ECT), those of the third ACK
-- how the SYN,ACK did. Then they are a counter, ACE: packets with CE, from 5 on, modulo 8 (3.2.2).
local function open(c)
  c.peer "SNEW 0:0(0) win 65535 <mss 1000>"
  c.bare("SW. 0:0(0) ack 1 win 64240 <mss 1460,kind 174 000001000000000001,nop>")
  c.peer("W. 1:1(0) ack 1 win 65535 " .. option(0, 0, 0))
end

talk.make("server", function(c)
  open(c)
  c.at "10ms"
  c.peer("[ect0] PNE. 1:6(5) ack 1 " .. option(0, 0, 0), "first")
  c.host("[ect0] NE. 1:1(0) ack 6 win 64235 " .. option(0, 0, 5))
  c.at "20ms"
  c.peer("[ce] PNE. 6:12(6) ack 1 " .. option(0, 0, 0), "second")
  c.host("[ect0] NW. 1:1(0) ack 12 win 64229 " .. option(0, 6, 5)) -- ACE 6
  c.at "30ms"
  c.peer("[ect1] PNE. 12:17(5) ack 1 " .. option(0, 0, 0), "third")
  c.host("[ect0] NW. 1:1(0) ack 17 win 64224 " .. option(5, 6, 5))
  for i = 0, 3 do -- ACE 7, 0, 1, 2
    c.at(40 + i .. "ms")
    c.peer(("[ce] PNE. %d:%d(1) ack 1 %s"):format(17 + i, 18 + i, option(0, 0, 0)), "x")
    c.host(("[ect0] %s 1:1(0) ack %d win %d %s"):format(({ "NWE.", ".", "E.", "W." })[i + 1], 18 + i,
      64223 - i, option(5, 7 + i, 5)))
  end
  c.at "50ms"
  c.peer "R 21:21(0) win 0"
end)

-- The host's data: marks that the peer counts are told of by ACE alone, and make the window smaller; CWR is
-- no answer to them, it is part of ACE.
talk.make("marked", function(c)
  open(c)
  c.at "10ms"
  c.host("[ect0] PNE. 1:6(5) ack 1 win 64240 " .. option(0, 0, 0), "first")
  c.at "20ms"
  c.peer("NW. 1:1(0) ack 6 win 65535 " .. option(0, 5, 0))
  c.at "30ms"
  c.host("[ect0] PNE. 6:12(6) ack 1 win 64240 " .. option(0, 0, 0), "second")
  c.at "40ms"
  c.peer("R 1:1(0) win 0")
end)

-- A SYN of RFC 3168 (two flags of three) is answered as such; one without flags too.
talk.make("classic", function(c)
  c.peer "SEW 0:0(0) win 65535 <mss 1000>"
  c.bare "SE. 0:0(0) ack 1 win 64240 <mss 1460>"
  c.peer ". 1:1(0) ack 1 win 65535"
  c.at "10ms"
  c.peer("[ce] P. 1:6(5) ack 1", "hello")
  c.host "E. 1:1(0) ack 6 win 64235"
  c.at "20ms"
  c.peer "R 6:6(0) win 0"
end)
