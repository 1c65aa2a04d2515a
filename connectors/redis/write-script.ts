import { createHash } from 'node:crypto'
import { isConnectError } from '@millrace/sdk'
import { BufferPool } from '../_shared/buffers/index.ts'
import type { RedisLink } from '../_shared/redis/index.ts'
import type { Argument, Operation } from './operations.ts'
import { mostBytesOf, RespWriter } from './resp-writer.ts'

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
/** More than the name of the command, or the count of an operation, takes. */
const HEAD_BYTES = 40
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

/** Runs scripts on the connection of a link. */
export class WriteScript {
  readonly #link: RedisLink
  readonly #pool = new BufferPool(1)

  constructor(link: RedisLink) {
    this.#link = link
  }

  /** Rejects when nothing is known, or nothing was done. */
  async run(run: ScriptRun): Promise<ScriptResult> {
    const [done, text] = (await this.#evaluate(run)) as [number, string | undefined]
    return done < 0 ? { moved: text ?? '' } : { done, error: text }
  }

  async #evaluate(run: ScriptRun): Promise<unknown> {
    try {
      return await this.#send('EVALSHA', SHA, run)
    } catch (error) {
      const isUnknown = !isConnectError(error) && error instanceof Error && error.message.startsWith('NOSCRIPT')
      if (!isUnknown) throw error
      return await this.#send('EVAL', LUA, run)
    }
  }

  async #send(command: string, script: string, run: ScriptRun): Promise<unknown> {
    const head = headOf(script, run)
    const memory = this.#pool.take(mostBytes(head, run.operations))
    const answer = await this.#link.send(command, head, commandOf(memory, command, head, run.operations))
    // Redis has read all of it. After an error nobody knows who still holds it.
    this.#pool.give(memory)
    return answer
  }
}

/** The arguments before the operations. */
function headOf(script: string, { moves, steps, operations }: ScriptRun): Argument[] {
  // Without offsets the key of the first command says which node of a cluster is meant.
  const keys: Argument[] = moves.length > 0 ? moves.map(({ key }) => key) : [operations[0]?.[1] ?? '']
  const head: Argument[] = [script, String(keys.length), ...keys, String(moves.length)]
  for (const { epoch, from, next } of moves) head.push(epoch, from, String(next))
  head.push(steps)
  return head
}

function mostBytes(head: readonly Argument[], operations: readonly Operation[]): number {
  let most = 2 * HEAD_BYTES + mostBytesOf(head)
  for (const operation of operations) most += HEAD_BYTES + mostBytesOf(operation)
  return most
}

/** Written by hand: the client makes a tree of text of thousands of arguments, which is most of what a batch would cost. */
function commandOf(memory: Buffer, name: string, head: readonly Argument[], operations: readonly Operation[]): Buffer {
  let count = 1 + head.length + operations.length
  for (const operation of operations) count += operation.length
  const writer = new RespWriter(memory, count)
  writer.add(name)
  for (const argument of head) writer.add(argument)
  for (const operation of operations) {
    writer.addNumber(operation.length)
    for (const argument of operation) writer.add(argument)
  }
  return writer.bytes
}
