-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("the new half of a segment is taken, the old one told as a duplicate", {
  program = function(conn, program, t)
    program:at "30ms"
    t:is((conn:recv()), net.pattern(1, 1500))
  end,
  shows = { "RFC2883-4-1" },
})
