-- SPDX-License-Identifier: MIT
-- Memory ran out, and the window went back to nothing: what was within the windows that were announced
-- before is still acceptable (RFC 7323 2.4), so that two hosts in that state hear each other.
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

-- The host has announced a large window; then its buffer was made small, and full: no window.
local function retracted()
  local host, peer, conn = tcp.passive()
  conn:option("SO_RCVBUF", 2000)
  conn:option("TCP_NODELAY", 1)
  local next, edge, frame = 1, 0, nil
  repeat
    peer:send((". %d:%d(500) ack 1"):format(next, next + 500))
    for _, f in ipairs(peer:collect { during = "60ms" }) do
      frame = f
      edge = math.max(edge, f.tcp.ack - 1000000 + f.tcp.window)
      next = f.tcp.ack - 1000000
    end
  until frame.tcp.window == 0
  return host, peer, conn, next, edge
end

tap.test("the window was retracted: an ACK with a number within the old one is processed", function(t)
  local _, peer, conn, next, edge = retracted()
  t:ok(edge > next + 500, ("the edge was %d, all that came is %d"):format(edge, next))
  conn:send "hello"
  peer:expect(("P. 1:6(5) ack %d win 0"):format(next))
  -- The peer had sent up to the old edge: its pure ACKs have that number.
  peer:send((". %d:%d(0) ack 6"):format(edge - 100, edge - 100))
  net.sleep "1ms"
  t:shows("RFC7323-2.4-2", t:is({ conn:info().unacked, conn:info().bytes_acked }, { 0, 5 }))
end)

tap.test("the window was retracted: data within the old one is answered, and not taken while nothing is read", function(t)
  local _, peer, conn, next, edge = retracted()
  peer:send((". %d:%d(50) ack 1"):format(edge - 100, edge - 50))
  t:ok(peer:expect((". 1:1(0) ack %d win 0"):format(next)))
  t:is(conn:pending(), next - 1)
end)
