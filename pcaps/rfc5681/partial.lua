-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("three duplicate ACKs, then a partial one: what is missing goes again", {
  sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno", ["net.ipv4.tcp_frto"] = 0 },
  program = function(conn, program)
    conn:option("TCP_NODELAY", 1)
    program:at "1s"
    conn:send(net.pattern(1, 8000))
  end,
  shows = { "RFC5681-3.2-7", "RFC6582-3.2-4" },
})
