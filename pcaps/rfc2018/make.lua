-- SPDX-License-Identifier: MIT
-- Captures of selective acknowledgements (RFC 2018) and duplicates told by them (RFC 2883), made from
-- their rules.
local talk = require "suite.talk"

local SACK = "mss 1460,nop,nop,sackOK"

-- RFC 2018 3: of 40 octets of options, with time stamps there is room for three blocks; the latest first.
talk.make("three-blocks", function(c)
  talk.passive(c, "mss 1460,sackOK,TS val 700 ecr 0", "mss 1460,sackOK,TS val 900 ecr 700",
    "nop,nop,TS val 700 ecr 900")
  local blocks = ""
  for i = 1, 4 do
    c.at(i * 10 .. "ms")
    local first = i * 2000 + 1
    c.peer((". %d:%d(100) ack 1 <nop,nop,TS val %d ecr 900>"):format(first, first + 100, 700 + i))
    blocks = (" %d:%d"):format(first, first + 100) .. blocks
    local three = blocks:match "^ %S+ %S+ %S+" or blocks
    c.host((". 1:1(0) ack 1 win 65160 <nop,nop,TS val %d ecr 700,nop,nop,sack%s>"):format(900 + i * 10, three))
  end
end)

-- RFC 2018 3: without time stamps, four.
talk.make("four-blocks", function(c)
  talk.passive(c, SACK, SACK)
  local blocks = ""
  for i = 1, 5 do
    c.at(i * 10 .. "ms")
    local first = i * 2000 + 1
    c.peer((". %d:%d(100) ack 1"):format(first, first + 100))
    blocks = (" %d:%d"):format(first, first + 100) .. blocks
    local four = blocks:match "^ %S+ %S+ %S+ %S+" or blocks
    c.host((". 1:1(0) ack 1 win 64240 <nop,nop,sack%s>"):format(four))
  end
end)

-- RFC 2883 4: what lies below the acknowledgement came again, all of it or a part.
talk.make("duplicate-below", function(c)
  talk.passive(c, SACK, SACK)
  c.at "10ms"
  c.peer "P. 1:1001(1000) ack 1"
  c.host ". 1:1(0) ack 1001 win 63240"
  c.at "20ms"
  c.peer "P. 1:1001(1000) ack 1"
  c.host ". 1:1(0) ack 1001 win 63240 <nop,nop,sack 1:1001>"
  c.at "30ms"
  c.peer "P. 501:801(300) ack 1"
  c.host ". 1:1(0) ack 1001 win 63240 <nop,nop,sack 501:801>"
end)

-- A segment that is new in its second half: the half is taken, the rest told as a duplicate.
talk.make("half-new", function(c)
  talk.passive(c, SACK, SACK)
  c.at "10ms"
  c.peer "P. 1:1001(1000) ack 1"
  c.host ". 1:1(0) ack 1001 win 63240"
  c.at "20ms"
  c.peer "P. 501:1501(1000) ack 1"
  c.host ". 1:1(0) ack 1501 win 62740 <nop,nop,sack 501:1001>"
end)

-- RFC 2018 5: what the peer holds is not sent again: of seven segments only the first and the third.
talk.make("only-missing", function(c)
  talk.passive_slow(c, 1000, ",nop,nop,sackOK")
  c.at "1s"
  for i, flags in ipairs { ".", "P.", ".", "P.", ".", "P.", "P." } do
    c.host(("%s %d:%d(1000) ack 1 win 64240"):format(flags, i * 1000 - 999, i * 1000 + 1))
  end
  c.at "1400ms"
  c.peer ". 1:1(0) ack 1 <nop,nop,sack 1001:2001>"
  c.peer ". 1:1(0) ack 1 <nop,nop,sack 3001:4001 1001:2001>"
  c.peer ". 1:1(0) ack 1 <nop,nop,sack 3001:5001 1001:2001>"
  c.host ". 1:1001(1000) ack 1 win 64240"
  c.peer ". 1:1(0) ack 1 <nop,nop,sack 3001:6001 1001:2001>"
  c.host ". 2001:3001(1000) ack 1 win 64240"
  c.peer ". 1:1(0) ack 1 <nop,nop,sack 3001:7001 1001:2001>"
  c.at "1800ms"
  c.peer ". 1:1(0) ack 7001"
end)
