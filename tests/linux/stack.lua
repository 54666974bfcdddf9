-- SPDX-License-Identifier: MIT
-- The stack's side of ci/linux-differential: each sequence is a test that prints what came of its
-- calls. tests/linux/kernel.lua does the same with the kernel.
local tap = require "tap"
local net = require "net"

for _, sequence in ipairs(require "sequences") do
  tap.test(sequence.name, function(t)
    local host = net.host { up = false }
    local world = { side = "stack", host = host, net = net }

    function world.sys(call, fields) return host:syscall(call, fields) end

    function world.sleep(ns) net.sleep(ns) end

    world.clock = net.now

    function world.emit(id, result) print(id .. "\t" .. result) end

    -- What a command prints, and whether it was taken.
    function world.command(words)
      local program, rest = words:match "^(%S+)%s*(.*)$"
      local good, text = pcall(function() return host[program](host, rest) end)
      return type(text) == "string" and text or "", good
    end

    function world.proc(path)
      local good, text = pcall(host.proc, host, path)
      if good then return text end
      return nil, "ENOENT"
    end

    function world.sysctl(sysctl, value)
      local good, text = pcall(host.sysctl, host, sysctl, value)
      if good then return value == nil and text or true end
      return nil, text:match "E%u+$" or "ENOENT"
    end

    function world.sysctls()
      local list = host:sysctls()
      table.sort(list)
      return list
    end

    local peer, packets

    function world.tun()
      local nic = host:nic { model = "tun", name = "tun0", up = false }
      peer = nic.wire:peer { addr = "192.0.2.9" }
    end

    function world.inject(packet)
      peer:send_raw(packet)
      net.sleep "3us"
    end

    function world.take()
      if not packets or #packets == 0 then packets = peer:collect { during = "2us" } end
      local packet = table.remove(packets, 1)
      return packet and packet:bytes()
    end

    require(sequence.file)(require "calls" (world), sequence.part)
    if peer then peer:collect { during = "2us" } end
    t:ok(true)
  end)
end
