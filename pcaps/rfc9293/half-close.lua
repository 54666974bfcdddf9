-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("the host has closed its half and still hears the other", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host, program, t)
    local server = host:socket "tcp"
    server:listen(80)
    local conn = server:accept()
    program:at "10ms"
    conn:shutdown "wr"
    t:is((conn:recv()), "hello")
    t:is((conn:recv()), "")
  end,
  shows = { "RFC9293-MAY-1" },
})
