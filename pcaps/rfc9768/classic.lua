-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("a peer that speaks RFC 3168 gets that", {
  sysctl = { ["net.ipv4.tcp_ecn"] = 3 },
  program = function(conn, program, t)
    t:is((conn:recv()), "hello")
    program:at "30ms"
  end,
})
