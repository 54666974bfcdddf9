-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("both open at the same time", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host, program, t)
    local client = host:socket "tcp"
    client:connect("192.0.2.9", 4000)
    program:at "30ms"
    client:send "hello"
  end,
  shows = { "RFC9293-MUST-10" },
})
