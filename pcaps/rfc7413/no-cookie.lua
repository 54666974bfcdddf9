-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("data in a SYN without a cookie is not taken", {
  sysctl = { ["net.ipv4.tcp_fastopen"] = 3 },
  listen = { TCP_FASTOPEN = 5 },
  program = function(conn, program, t)
    t:is((conn:recv()), "hello")
  end,
})
