-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

local net = require "net"

talk.server("a shift of 15 counts as 14", {
  setup = function(host) host:route { verb = "replace", dst = "192.0.2.0/24", dev = "eth0", initcwnd = 30 } end,
  program = function(conn, program)
    program:at "10ms"
    conn:send(net.pattern(1, 20000))
  end,
  shows = { "RFC7323-2.3-5" },
})
