-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("the same conversation without a link layer", {
  host = { addr = "192.0.2.1/24" },
  program = function(host, program, t)
    local server = host:socket "tcp"
    server:listen(80)
    local conn = server:accept()
    conn:send(conn:recv():upper())
    t:is((conn:recv()), "")
    conn:close()
  end,
  shows = { "RFC9293-MUST-2", "RFC9293-MUST-14" },
})
