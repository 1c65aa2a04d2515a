import { createHash } from 'node:crypto'
import { isConnectError } from '@millrace/sdk'
import type { RedisLink } from '../_shared/redis/index.ts'
import type { Argument, Operation } from './operations.ts'

/**
 * Carries out commands one after another with nothing in between, and stops at the first that fails. With partitions it
 * first checks that each is still this task's and where it is believed to be, and moves their offsets with what was done.
 * One script costs the client a fraction of a pipeline of the same commands.
 */
const LUA = `
local partitions = tonumber(ARGV[1])
local at = 2
for i = 1, partitions do
  local found = redis.call('HMGET', KEYS[i], 'epoch', 'offset')
  if found[1] ~= ARGV[at] or (found[2] or '') ~= ARGV[at + 1] then return {-1, KEYS[i]} end
  at = at + 3
end
local steps = ARGV[at]
at = at + 1
local size = #ARGV
local done = 0
while at <= size do
  local last = at + tonumber(ARGV[at])
  local reply = redis.pcall(unpack(ARGV, at + 1, last))
  if type(reply) == 'table' and reply.err then
    local counted = 0
    for partition, offset in string.gmatch(steps, '(%d+) (%d+)') do
      if counted == done then break end
      redis.call('HSET', KEYS[tonumber(partition)], 'offset', offset)
      counted = counted + 1
    end
    return {done, reply.err}
  end
  done = done + 1
  at = last + 1
end
for i = 1, partitions do redis.call('HSET', KEYS[i], 'offset', ARGV[i * 3 + 1]) end
return {done}
`
const SHA = createHash('sha1').update(LUA).digest('hex')

/** A partition whose offset moves with the commands. */
export interface OffsetMove {
  readonly key: string
  readonly epoch: string
  /** Where the task believes the offset to be; empty while nothing was written. */
  readonly from: string
  readonly next: number
}

export interface ScriptRun {
  readonly moves: readonly OffsetMove[]
  /** For each command the place of its partition in `moves`, from 1 on, and the offset after it: `1 17 1 18 2 5`. */
  readonly steps: string
  readonly operations: readonly Operation[]
}

/** How far it came: commands that were carried out, and what the next one failed with; or the partition that has moved. */
export type ScriptResult = { readonly done: number; readonly error: string | undefined } | { readonly moved: string }

/** Runs the script on the connection of a link. Rejects when nothing is known, or nothing was done. */
export async function runScript(link: RedisLink, run: ScriptRun): Promise<ScriptResult> {
  const { moves, steps, operations } = run
  // Without offsets the key of the first command says which node of a cluster is meant.
  const keys: Argument[] = moves.length > 0 ? moves.map(({ key }) => key) : [operations[0]?.[1] ?? '']
  const args: Argument[] = [SHA, String(keys.length), ...keys, String(moves.length)]
  for (const { epoch, from, next } of moves) args.push(epoch, from, String(next))
  args.push(steps)
  for (const operation of operations) {
    args.push(String(operation.length))
    for (const argument of operation) args.push(argument)
  }
  const [done, text] = (await evaluate(link, args)) as [number, string | undefined]
  return done < 0 ? { moved: text ?? '' } : { done, error: text }
}

async function evaluate(link: RedisLink, args: Argument[]): Promise<unknown> {
  try {
    return await link.call('EVALSHA', ...args)
  } catch (error) {
    const isUnknown = !isConnectError(error) && error instanceof Error && error.message.startsWith('NOSCRIPT')
    if (!isUnknown) throw error
    return await link.call('EVAL', LUA, ...args.slice(1))
  }
}
