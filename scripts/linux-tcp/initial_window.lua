-- SPDX-License-Identifier: MIT
-- The first window: a SYN can say 65535 of it, the host takes what it has room for (Linux 6.11).
local tap = require "tap"
local net = require "net"
local tcp = require "suite.tcp"

local ROOM = 270000 // 1460 * 1460 -- half of the buffer, in whole segments

local function connected()
  local host, peer, conn = tcp.active { sysctl = { ["net.ipv4.tcp_rmem"] = "4096 540000 4194304" } }
  net.sleep "1s"
  return host, peer, conn
end

tap.test("profile linux: without window scaling the room of the SYN stays", { profile = "linux" }, function(t)
  local _, peer, conn = connected()
  peer:send(("R %d:%d(0)"):format(1 + ROOM, 1 + ROOM))
  t:ok(peer:expect ". 1:1(0) ack 1 win 65535")
  t:is(conn:info().state, "ESTABLISHED")
end)

tap.test("profile linux: and ends where it ends", { profile = "linux" }, function(t)
  local _, peer, conn = connected()
  peer:send(("R %d:%d(0)"):format(2 + ROOM, 2 + ROOM))
  t:ok(peer:expect_nothing { during = "1s" })
  t:is(conn:info().state, "ESTABLISHED")
end)
