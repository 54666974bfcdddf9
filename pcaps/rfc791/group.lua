-- SPDX-License-Identifier: MIT
-- A capture case (docs/capture-cases.md); make.lua makes its frames.
local case = require "case"

case.capture("a group that was not joined is not heard, and gets no error", {
  host = { addr = "192.0.2.1/24", mac = "02:00:00:00:00:01" },
  setup = function(host) host:neigh{ addr = "192.0.2.9", mac = "02:00:00:00:00:09" } end,
  program = function(host)
    local socket = host:socket "udp"
    socket:bind(5000)
    for _ = 1, 1 do
      local data, from = socket:recv()
      socket:sendto(data:upper(), from.addr, from.port)
    end
  end,
  shows = { "RFC1112-7.2-1", "RFC1112-7.2-3" },
})
