-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("a segment that is not acknowledged comes again after RTO, and twice as long each time", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host, program, t)
    local server = host:socket "tcp"
    server:listen(80)
    local conn = server:accept()
    program:at "1s"
    conn:send "hello"
  end,
  shows = { "RFC6298-5-6" },
})
