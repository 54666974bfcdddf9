-- SPDX-License-Identifier: MIT
-- The kernel's side: a world for a sequence out of what kernel.c gives. stack.lua makes the same
-- out of a host of the stack; calls.lua says what a world has.
return function(native, sequence, part)
  local world = { side = "kernel", sys = native.sys, sleep = native.sleep, emit = native.emit,
    clock = native.clock }

  function world.command(words) return native.command(words .. " 2>&1") end

  function world.proc(path) return native.read_file(path) end

  local function sysctl_path(name) return "/proc/sys/" .. name:gsub("%.", "/") end

  function world.sysctl(name, value)
    if value == nil then
      local text, err = native.read_file(sysctl_path(name))
      return text and text:gsub("\n$", ""), err
    end
    return native.write_file(sysctl_path(name), tostring(value))
  end

  function world.sysctls()
    local list = {}
    for path in world.command "find /proc/sys/net -type f":gmatch "[^\n]+" do
      list[#list + 1] = (path:sub(11):gsub("/", "."))
    end
    table.sort(list)
    return list
  end

  local device

  -- A device without link layer, tun0: what its wire brings and takes.
  function world.tun()
    device = native.tun "tun0"
    native.write_file("/proc/sys/net/ipv6/conf/tun0/disable_ipv6", "1")
  end

  function world.inject(packet) native.inject(device, packet) end

  function world.take() return native.take(device, 0) end

  world.command "ip link set lo up"
  require(sequence)(require "calls" (world), part)
end
