-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("three segments that came later are enough to send one again", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host, program, t)
    local server = host:socket "tcp"
    server:listen(80)
    local conn = server:accept()
    program:at "1s"
    conn:send(require "net".pattern(1, 5000))
  end,
  shows = { "RFC5681-3.2-4" },
})
