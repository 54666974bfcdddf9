-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local talk = require "suite.talk"

talk.server("data in a SYN with a wrong cookie is not taken, and the right one is told", {
  sysctl = { ["net.ipv4.tcp_fastopen"] = 3 },
  listen = { TCP_FASTOPEN = 5 },
  shows = "RFC7413-4.2.2-4",
  masks = { [2] = "tcp.options" },
  program = function(conn, program, t)
    t:is((conn:recv()), "hello")
  end,
})
