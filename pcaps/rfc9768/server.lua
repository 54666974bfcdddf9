-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("packets with CE are counted in ACE, octets of each codepoint in the option", {
  sysctl = { ["net.ipv4.tcp_ecn"] = 3 },
  program = function(conn, program, t)
    program:at "60ms"
    t:is(conn:info().received_ce, 5)
  end,
})
