-- SPDX-License-Identifier: MIT
-- Captures of TCP-AO (RFC 5925, RFC 5926), made from the RFCs' rules; traffic keys and MACs are nettle's.
-- The peer sends with KeyID 7, the host with 5.
local net = require "net"
local talk = require "suite.talk"

local function keys(alg)
  return net.tcp_ao { key = "secret", alg = alg, sndid = 7, rcvid = 5 },
    net.tcp_ao { key = "secret", alg = alg, sndid = 5, rcvid = 7 }
end

-- A key that the host does not have, and one whose KeyID it does not know.
local OTHER = net.tcp_ao { key = "other", sndid = 7, rcvid = 5 }
local UNKNOWN = net.tcp_ao { key = "secret", sndid = 8, rcvid = 5 }

-- What is not signed, or not with this key, is dropped in silence: a SYN, data, a reset (7.3, 7.4).
talk.make("server", function(c)
  local PEER, HOST = keys()
  for _, wrong in ipairs { OTHER, UNKNOWN, false } do
    c.auth(wrong, HOST)
    c.peer "S 0:0(0) win 65535 <mss 1000>"
  end
  c.at "10ms"
  c.auth(PEER, HOST)
  c.peer "S 0:0(0) win 65535 <mss 1000>"
  c.bare "S. 0:0(0) ack 1 win 64240 <mss 1460>"
  c.peer ". 1:1(0) ack 1 win 65535"
  c.at "20ms"
  for _, wrong in ipairs { OTHER, UNKNOWN, false } do
    c.auth(wrong, HOST)
    c.peer("P. 1:6(5) ack 1", "wrong")
    c.peer "R 1:1(0) win 0"
  end
  c.at "30ms"
  c.auth(PEER, HOST)
  c.peer("P. 1:21(20) ack 1", "across the number 0.") -- SEG.SEQ wraps: the next one has an SNE of 1
  c.host ". 1:1(0) ack 21 win 64220"
  c.at "40ms"
  c.peer("P. 21:26(5) ack 1", "right")
  c.host ". 1:1(0) ack 26 win 64215"
  c.at "50ms"
  c.host("P. 1:6(5) ack 26 win 64215", "hello")
  c.at "60ms"
  c.peer "R 26:26(0) win 0"
end)

-- The host opens, with AES-CMAC: its SYN is signed with a key that knows nothing of the peer's number (5.2);
-- a SYN,ACK that is not signed is not there.
talk.make("client", function(c)
  local PEER, HOST = keys "cmac(aes128)"
  c.auth(nil, HOST)
  c.host "S 0:0(0) win 64240 <mss 1460,sackOK,TS val 5000 ecr 0,nop,wscale 10>"
  c.at "10ms"
  c.peer "S. 0:0(0) ack 1 win 65535 <mss 1000>"
  c.auth(OTHER, HOST)
  c.peer "S. 0:0(0) ack 1 win 65535 <mss 1000>"
  c.at "20ms"
  c.auth(PEER, HOST)
  c.peer "S. 0:0(0) ack 1 win 65535 <mss 1000>"
  c.host ". 1:1(0) ack 1 win 64240"
  c.host("P. 1:6(5) ack 1 win 64240", "hello")
  c.at "30ms"
  c.peer "R 1:1(0) win 0"
end)
