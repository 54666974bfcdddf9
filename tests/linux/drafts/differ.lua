-- SPDX-License-Identifier: MIT
-- Has tapline's stack and the kernel of this machine run a draft (draft.lua), and makes the draft
-- shorter as long as they differ. What it finds is printed; status 0: none, 1: they differ, 2: it
-- could not be run.
--
--   lua5.4 differ.lua DRAFT.pkt FOLDER      FOLDER: room for files; TAPLINE: the program; WINDOWS: set when
--                                       the windows that are announced must be the same, too

local draft, folder = arg[1], arg[2]
local windows = os.getenv("WINDOWS")
local tapline = os.getenv("TAPLINE") or "build/dev/tapline"

local function read(path)
  local f = assert(io.open(path))
  local text = f:read("a")
  f:close()
  return text
end

local function write(path, text)
  local f = assert(io.open(path, "w"))
  f:write(text)
  f:close()
end

local function run(command)
  local p = io.popen(command .. " 2>&1")
  local out = p:read("a")
  return p:close(), out
end

-- A draft as its head and its events.
local function split(text)
  local head, rest = text:match("^([^`]*`.-`\n)(.*)$")
  local events = {}
  for time, what in rest:gmatch("([%d.]+) ([^\n]+)\n") do
    events[#events + 1] = { time = tonumber(time), what = what }
  end
  return head, events
end

local function join(head, events)
  local lines = { head }
  for _, e in ipairs(events) do
    lines[#lines + 1] = ("%.4f %s\n"):format(e.time, e.what)
  end
  return table.concat(lines)
end

-- What the stack does with the draft, as a script; nil: it does not run.
local function record(head, events)
  local path = folder .. "/now.pkt"
  write(path, join(head, events))
  local ok, out = run(("timeout 20 '%s' convert --record --info '%s'"):format(tapline, path))
  if not ok then
    return nil, out
  end
  -- What a window is hangs on how large the machine's buffers of a packet are.
  if not windows then
    out = out:gsub("(> [^\n]-) win %d+", "%1")
  end
  -- Of a connection that is over Linux shows what was lost and retransmitted last.
  out = out:gsub("[^\n]*%%{\nassert tcpi_state == 7,.-}%%\n", "")
  -- The SYN-ACK of another connection, and a reset that knows of none, have numbers that no script
  -- knows: it ends there.
  local other = out:find("\n[%d.]+ > [^\n]-S[.EWA]* [1-9]") or out:find("\n[%d.]+ > [^\n]-R%.? %d%d%d%d%d%d%d%d")
  return other and out:sub(1, other) or out
end

-- The kernel's timers come late: by a tick, and by up to an eighth of their time. Events that are to
-- come after one come so much later; true: some had to be moved.
local function settle(script, events)
  local i, previous, shift, timer = 0, 0, 0, nil
  for time, what in ("\n" .. script):gmatch("\n([%d.]+) ([^\n]+)") do
    time = tonumber(time)
    if what:sub(1, 1) == ">" then
      if time - previous > 0.0015 then
        timer = time + 0.03 + 0.2 * (time - previous)
      end
    elseif what:sub(1, 1) ~= "%" then
      i = i + 1
      if timer and time < timer then
        shift = math.max(shift, timer - time)
      end
      timer = nil
      events[i].time = events[i].time + shift
      previous = time
    end
  end
  return shift > 0
end

local function settled(head, events)
  local script, why
  for _ = 1, 12 do
    script, why = record(head, events)
    if not script or not settle(script, events) then
      break
    end
  end
  return script, why
end

-- A failure without its place and numbers.
local function kind(text)
  return (text:match('message: "([^\n]*)') or ""):gsub("%S*%.pkt:%d+", ""):gsub("%d+", "")
end

-- How the kernel differs from the script; nil: it does the same, once in six times. Half of them
-- must fail in the same way, and not by their time alone: that is how much the machine had to do.
local function kernel(script)
  local path, seen = folder .. "/script.pkt", {}
  write(path, script)
  for _ = 1, 6 do
    local ok, out = run(("timeout 60 '%s' run --sut kernel --tolerance 60ms '%s'"):format(tapline, path))
    if ok or out:find("# SKIP", 1, true) then
      return nil
    end
    local late = out:find("at another time", 1, true) or out:find("no packet came until [^\n]-later") or
      not out:find("\nnot ok", 1, true)
    local same = kind(out)
    seen[same] = (seen[same] or 0) + (late and 0.5 or 1)
    if seen[same] >= 3 then
      return out
    end
  end
end

local function differs(head, events)
  local copy = {}
  for i, e in ipairs(events) do
    copy[i] = { time = e.time, what = e.what }
  end
  local script, why = settled(head, copy)
  if not script then
    return nil, why
  end
  return kernel(script), nil, copy, script
end

local head, events = split(read(draft))
local report, why, found, script = differs(head, events)
if why then
  print(why)
  os.exit(2)
end
if not report then
  os.exit(0)
end

-- Without each line in turn, the last first: later ones hang on earlier ones. What fails must fail
-- in the same way.
local first, tries = kind(report), 0
local i = #found
while i > 0 and tries < 40 do
  local fewer = {}
  for k, e in ipairs(found) do
    if k ~= i then
      fewer[#fewer + 1] = e
    end
  end
  if not found[i].what:find("socket(", 1, true) or i == #found then
    tries = tries + 1
    local r, _, f, s = differs(head, fewer)
    if r and kind(r) == first then
      report, found, script = r, f, s
    end
  end
  i = i - 1
end

print(report:match("  %-%-%-\n(.-)\n    %- \"TCP_INFO") or report)
print("the script:")
print((script:gsub("%%{.-}%%", function(block)
  local line = tonumber(report:match("%.pkt:(%d+): assertion") or 0)
  local from = select(2, script:sub(1, (script:find(block, 1, true))):gsub("\n", "")) + 1
  local to = from + select(2, block:gsub("\n", ""))
  return line >= from and line <= to and block or "%{ }%"
end):gsub("[^\n]*%%{ }%%\n", "")))
os.exit(1)
