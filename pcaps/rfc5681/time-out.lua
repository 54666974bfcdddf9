-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("a time-out: one segment, then slow start", {
  sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno", ["net.ipv4.tcp_frto"] = 0 },
  program = function(conn, program)
    conn:option("TCP_NODELAY", 1)
    program:at "1s"
    conn:send(net.pattern(1, 4000))
  end,
  shows = { "RFC5681-3.1-17", "RFC5681-3.1-18" },
})
