-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("keep-alives: three unanswered ones are the end", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host, program, t)
    local server = host:socket "tcp"
    server:listen(80)
    local conn = server:accept()
    conn:option("TCP_KEEPIDLE", 10)
    conn:option("TCP_KEEPINTVL", 5)
    conn:option("TCP_KEEPCNT", 3)
    conn:option("SO_KEEPALIVE", 1)
    t:is(select(2, conn:try "recv"), "ETIMEDOUT")
  end,
  shows = { "RFC9293-MUST-26", "RFC9293-MUST-29", "RFC9293-SHLD-12" },
})
