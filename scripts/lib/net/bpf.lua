-- SPDX-License-Identifier: MIT
-- Classic BPF programs: the notation of the kernel's bpf_asm (Documentation/networking/filter.rst)
-- into instructions as SO_ATTACH_FILTER takes them. Reference: docs/lua.md, "Packet sockets".
local util = require "net.util"

local raise = util.raise

local bpf = {}

local EXTENSION = 0xfffff000
local extensions = { proto = 0, type = 4, ifidx = 8, mark = 20, queue = 24, hatype = 28, rxhash = 32,
  cpu = 36, vlan_tci = 44, vlan_avail = 48, vlan_pr = 48, poff = 52, rand = 56, vlan_tpid = 60 }
local sizes = { ld = 0x00, ldh = 0x08, ldb = 0x10 }
local alu = { add = 0x00, sub = 0x10, mul = 0x20, div = 0x30, ["or"] = 0x40, ["and"] = 0x50, lsh = 0x60,
  rsh = 0x70, mod = 0x90, xor = 0xa0 }
-- Those that Linux has not are the others with the branches exchanged.
local jumps = { jeq = { 0x10 }, jgt = { 0x20 }, jge = { 0x30 }, jset = { 0x40 }, jne = { 0x10, true },
  jneq = { 0x10, true }, jle = { 0x20, true }, jlt = { 0x30, true } }

local function number(text)
  local value = text and math.tointeger(tonumber(text))
  return value and value & 0xffffffff
end

-- An operand: mode bits and k; nil when it is none.
local function load_operand(op, text)
  local immediate = number(text:match("^#(%S+)$"))
  local known = text:match("^#?([%a_]+)$")
  if known == "len" then return 0x80, 0 end
  if known and extensions[known] then return 0x20, EXTENSION + extensions[known] end
  if immediate and op == "ld" then return 0x00, immediate end
  local mem = number(text:match("^M%[(%d+)%]$"))
  if mem and op == "ld" then return 0x60, mem end
  local absolute = number(text:match("^%[([%w%-+]+)%]$"))
  if absolute then return 0x20, absolute end
  local offset = number(text:match("^%[%%?x%+(%w+)%]$"))
  if offset then return 0x40, offset end
  if text:match("^%[%%?x%]$") then return 0x40, 0 end
  return nil
end

local function index_operand(op, text)
  local msh = number(text:match("^4%*%(%[(%x+)%]&0?x?f%)$"))
  if msh and op ~= "ldxi" then return 0xb1, msh end
  local immediate = number(text:match("^#(%S+)$"))
  if immediate then return 0x01, immediate end
  if text == "#len" or text == "len" then return 0x81, 0 end
  local mem = number(text:match("^M%[(%d+)%]$"))
  if mem then return 0x61, mem end
  return nil
end

-- X, or a number: source bit and k.
local function source(text)
  if text == "x" or text == "%x" then return 0x08, 0 end
  local k = number(text:match("^#(%S+)$"))
  if not k then return nil end
  return 0, k
end

local function jump(self, op, operands)
  local bits, k = source(operands[1] or "")
  if not bits or not operands[2] or operands[4] then return nil end
  local kind, swapped = jumps[op][1], jumps[op][2]
  local yes, no = operands[2], operands[3]
  if swapped then yes, no = no, yes end
  return { code = 0x05 | kind | bits, k = k, yes = yes and self:target(yes), no = no and self:target(no) }
end

-- One instruction; nil: not understood.
local function instruction(self, op, operands)
  local first = operands[1] or ""
  if sizes[op] or op == "ldi" then
    local mode, k = load_operand(op == "ldi" and "ld" or op, op == "ldi" and first:gsub("^#?", "#") or first)
    return mode and { code = mode | (mode == 0x80 and 0 or sizes[op] or 0), k = k }
  elseif op == "ldx" or op == "ldxb" or op == "ldxi" then
    local code, k = index_operand(op, first)
    return code and { code = code, k = k }
  elseif op == "st" or op == "stx" then
    local k = number(first:match("^M%[(%d+)%]$"))
    return k and { code = op == "st" and 0x02 or 0x03, k = k }
  elseif op == "ja" or op == "jmp" then
    return { code = 0x05, k = 0, always = self:target(first) }
  elseif jumps[op] then
    return jump(self, op, operands)
  elseif alu[op] then
    local bits, k = source(first)
    return bits and { code = 0x04 | alu[op] | bits, k = k }
  elseif op == "neg" then
    return { code = 0x84, k = 0 }
  elseif op == "tax" then
    return { code = 0x07, k = 0 }
  elseif op == "txa" then
    return { code = 0x87, k = 0 }
  elseif op == "ret" then
    if first == "a" or first == "%a" then return { code = 0x16, k = 0 } end
    local k = number(first:match("^#(%S+)$"))
    return k and { code = 0x06, k = k }
  end
  return nil
end

local Program = {}
Program.__index = Program

function Program:target(label) return { label = label, line = self.line } end

local function resolve(labels, target, at)
  if not target then return 0 end
  local to = labels[target.label]
  if not to then raise(("bpf: line %d: there is no label '%s'"):format(target.line, target.label)) end
  if to <= at then raise(("bpf: line %d: a jump goes forward only"):format(target.line)) end
  return to - at - 1
end

-- The text of a program as the bytes of its instructions; what is bytes, or a list of
-- { code, jt, jf, k }, too.
function bpf.assemble(program)
  if type(program) == "table" then
    local parts = {}
    for i, insn in ipairs(program) do parts[i] = ("<I2BBI4"):pack(insn[1], insn[2], insn[3], insn[4] & 0xffffffff) end
    return table.concat(parts)
  end
  if not program:find("%a%a") or program:find("%z") then return program end
  local self, labels, list = setmetatable({ line = 0 }, Program), {}, {}
  for line in (program:gsub("/%*.-%*/", "") .. "\n"):gmatch("([^\n]*)\n") do
    self.line = self.line + 1
    line = line:gsub(";.*$", "")
    local label, rest = line:match("^%s*([%a_][%w_]*):(.*)$")
    if label then
      labels[label] = #list + 1
      line = rest
    end
    local op, operands = line:match("^%s*(%a+)%s*(.-)%s*$")
    if op then
      local words = {}
      for word in operands:gmatch("[^,]+") do words[#words + 1] = (word:gsub("%s+", "")) end
      list[#list + 1] = instruction(self, op, words) or
        raise(("bpf: line %d: '%s' is not understood"):format(self.line, line:match("^%s*(.-)%s*$")))
    elseif line:find("%S") then
      raise(("bpf: line %d: '%s' is not understood"):format(self.line, line))
    end
  end
  local parts = {}
  for i, insn in ipairs(list) do
    local jt, jf, k = resolve(labels, insn.yes, i), resolve(labels, insn.no, i), insn.k
    if insn.always then k = resolve(labels, insn.always, i) end
    if jt > 255 or jf > 255 then raise "bpf: a conditional jump reaches 255 instructions" end
    parts[i] = ("<I2BBI4"):pack(insn.code, jt, jf, k)
  end
  return table.concat(parts)
end

return bpf
