-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("limited transmit: a new segment for each of the first two duplicate ACKs", {
  sysctl = { ["net.ipv4.tcp_congestion_control"] = "reno", ["net.ipv4.tcp_frto"] = 0 },
  program = function(conn, program)
    conn:option("TCP_NODELAY", 1)
    program:at "1s"
    conn:send(net.pattern(1, 12000))
  end,
  shows = { "RFC3042-2-1", "RFC5681-3.2-4" },
})
