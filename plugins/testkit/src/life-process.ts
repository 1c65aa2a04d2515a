// Runs one life of a task, in a process of its own that kills itself at the life's last await point.
import { createHook } from 'node:async_hooks'
import { readFileSync, writeSync } from 'node:fs'
import type { Socket } from 'node:net'
import { deserialize } from 'node:v8'
import type { SinkConnector, SourceConnector } from '@millrace/sdk'
import { expectThat, messageOf } from './check.ts'
import { pause } from './deadline.ts'
import { eventIdOf, identityOf } from './identity.ts'
import { type JournalLine, writeLine } from './journal.ts'
import { loadClients } from './kafka-clients.ts'
import { type Life, LISTENS_PIPE, type SinkLife, type SourceLife } from './life.ts'
import { OffsetStore, textOf } from './offset-store.ts'
import { seeded } from './seeded.ts'
import { SinkRun } from './sink-run.ts'
import { SinkTopic } from './sink-topic.ts'
import { SourceRun } from './source-run.ts'
import { unpackRecords } from './transfer.ts'

const life = deserialize(readFileSync(process.argv[2] as string)) as Life

// The owner holds the other end: whoever is left alone has nothing more to do.
process.stdin.on('end', () => process.exit()).resume()
;(process.stdin as Partial<Socket>).unref?.()

function write(line: JournalLine): void {
  writeLine(life.journal, line)
}

function end(): never {
  process.kill(process.pid, 'SIGKILL')
  // Nothing comes after it where signals are carried out at once; elsewhere the task is not to go on.
  for (;;);
}

let points = 0

function countAwaitPoints(): void {
  const before = (): void => {
    if (++points === life.endAt) end()
  }
  createHook({ init: () => {}, before }).enable()
}

const clients = () => loadClients(life.kafka === undefined ? undefined : new URL(life.kafka))

async function runSource(definition: SourceConnector, life: SourceLife): Promise<void> {
  const ids = new WeakMap<object, string>()
  const store = new OffsetStore(life.offsets, (entry) => {
    write({ acknowledged: ids.get(entry) ?? null, of: entry.sourcePartition, offset: entry.sourceOffset })
  })
  const random = seeded(life.seed)
  const seen = new Set<string>()
  const run = new SourceRun(definition, life.config, { store, clients: await clients(), limits: life.limits })
  countAwaitPoints()
  await run.start()
  for (let polls = 0; !run.finished && seen.size < life.wanted; polls++) {
    if (polls === 1 && life.listens) writeSync(LISTENS_PIPE, 'l')
    for (const record of await run.poll()) {
      const id = life.hasEvents ? eventIdOf(record) : identityOf(record)
      if (id !== undefined) {
        seen.add(id)
        ids.set(record, id)
      }
      write({ polled: id ?? null, partition: textOf(record.sourcePartition) })
    }
    // Acknowledgements come later than the polls that gave the records, as from a log.
    if (random.below(2) === 0) await run.acknowledge(random.below(run.openRecords + 1))
  }
  await run.acknowledge(run.openRecords)
}

async function runSink(definition: SinkConnector, life: SinkLife): Promise<void> {
  const topic = new SinkTopic(life.topic, life.partitions)
  for (const record of unpackRecords(life.records)) topic.put(record)
  const committed = new CommittedOffsets(life.committed)
  const random = seeded(life.seed)
  const run = new SinkRun(definition, life.config, { topic, committed, clients: await clients(), limits: life.limits })
  countAwaitPoints()
  await run.start(topic.partitions.map(({ partition }) => partition))
  while (!run.isAtEnd) {
    await run.deliver(1 + random.below(3))
    if (random.below(2) === 0) await run.commit()
    await pause(random.below(3))
  }
  await run.drain()
}

/** The default export of a module, or the one that the fragment of its URL names. */
async function definitionOf(module: URL): Promise<SourceConnector | SinkConnector> {
  const name = module.hash.slice(1) || 'default'
  module.hash = ''
  const found = ((await import(module.href)) as Record<string, SourceConnector | SinkConnector | undefined>)[name]
  expectThat(found, `${module.pathname} has no export ${name}: give the option \`module\` another fragment`)
  return found
}

/** Offsets that are in the journal as soon as they are committed. */
class CommittedOffsets extends Map<number, number> {
  override set(partition: number, committed: number): this {
    if (this.get(partition) !== committed) write({ partition, committed })
    return super.set(partition, committed)
  }
}

try {
  const definition = await definitionOf(new URL(life.module))
  if (life.kind === 'source') await runSource(definition as SourceConnector, life)
  else await runSink(definition as SinkConnector, life)
  write({ over: points })
} catch (error) {
  write({ failed: messageOf(error) })
}
end()
